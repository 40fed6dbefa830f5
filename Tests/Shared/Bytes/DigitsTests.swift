import Bytes
import Testing

private func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct DigitsTests {
  @Test("a whole number is its decimal digits")
  func whole() {
    #expect(
      [0, 9, 10, 4_294_967_296, UInt64.max].map { string(decimalText($0)) } == [
        "0", "9", "10", "4294967296", "18446744073709551615",
      ])
  }

  @Test("a negative number has a minus sign, the lowest of all as well")
  func negative() {
    #expect(string(decimalText(Int8.min)) == "-128" && string(decimalText(-1 as Int32)) == "-1")
    #expect(string(decimalText(Int64.min)) == "-9223372036854775808")
  }

  @Test(
    "digits behind the point stand there, zeros too",
    arguments: [
      (0, 1, "0.0"), (5, 2, "0.05"), (105, 2, "1.05"), (1234, 1, "123.4"), (999, 3, "0.999"),
      (.max, 2, "184467440737095516.15"),
    ]
      as [(UInt64, Int, String)])
  func places(_ value: UInt64, _ places: Int, _ text: String) {
    #expect(string(decimalText(value, places: places)) == text)
  }

  @Test("what is written reads back, and what is too large does not")
  func reading() {
    for value in [0, 10, UInt64.max] { #expect(decimal(decimalText(value)) == value) }
    for text in ["", "-1", "1 ", "18446744073709551616"] { #expect(decimal(text.utf8) == nil) }
  }

  @Test("a node's id has four hexadecimal digits")
  func ids() { #expect([0, 0x10B, .max].map { string(idText($0)) } == ["0x0000", "0x010b", "0xffff"]) }
}
