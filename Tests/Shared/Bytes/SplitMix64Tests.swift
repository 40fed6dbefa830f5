import Bytes
import Testing

@Suite struct SplitMix64Tests {
  @Test("the numbers are those of the reference implementation in C")
  func reference() {
    var random = SplitMix64(seed: 1_234_567)
    let numbers = (0..<5).map { _ in random.next() }
    #expect(
      numbers == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }

  @Test("32 bits are the higher half of the same numbers")
  func halves() {
    var whole = SplitMix64(seed: 7)
    var half = SplitMix64(seed: 7)
    for _ in 0..<10 { #expect(UInt64(half.next32()) == whole.next() >> 32) }
  }
}
