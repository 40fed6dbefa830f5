import Bytes
import TestSupport
import Testing

private func ascii(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

@Suite struct FingerprintTests {
  private static let sample = Fingerprint(
    0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F, 0x1011_1213_1415_1617, 0x1819_1A1B_1C1D_1E1F)

  @Test("32 bytes are a fingerprint, the first the highest of the first word; any other count is none")
  func bytes() {
    #expect(Self.sample.bytes == [UInt8](0..<32))
    #expect(Fingerprint(bytes: 0..<32) == Self.sample)
    for count in [0, 3, 31, 33] as [UInt8] { #expect(Fingerprint(bytes: 0..<count) == nil) }
  }

  @Test("a fingerprint reads back from its text, however it is grouped")
  func text() {
    let fingerprint = Self.sample
    #expect(fingerprint.text.count == 79 && fingerprint.text.starts(with: ascii("0001-0203-0405-0607-")))
    #expect(Fingerprint(text: fingerprint.text) == fingerprint)
    let bare = fingerprint.text.filter { $0 != UInt8(ascii: "-") }
    #expect(Fingerprint(text: bare) == fingerprint)
    #expect(Fingerprint(text: ascii(String(decoding: fingerprint.text, as: UTF8.self).uppercased())) == fingerprint)
    #expect(Fingerprint(text: [UInt8](bare.dropLast())) == nil && Fingerprint(text: bare + bare) == nil)
    #expect(Fingerprint(text: ascii(String(repeating: "g", count: 64))) == nil)
    #expect(fingerprint.short == ascii("0001-0203"))
  }

  @Test("the beginning of a fingerprint counts from sixteen digits on")
  func beginning() {
    let fingerprint = Self.sample
    #expect(fingerprint.begins(with: ascii("0001-0203-0405-0607")))
    #expect(fingerprint.begins(with: fingerprint.text))
    #expect(fingerprint.begins(with: ascii("0001020304050607080")))
    for other in ["", "0001", "0001-0203-0405-060", "0001-0203-0405-0608", "0001-0203-0405-060x"] {
      #expect(!fingerprint.begins(with: ascii(other)), "\(other)")
    }
  }

  @Test("any text is a fingerprint that reads back, or none")
  func anyText() {
    let mutator = Mutator(["0123", "89ab", "CDEF", "-", ":", " ", "g", String(repeating: "a0", count: 16)])
    let fault = Fuzzing.configured.firstFault { generator in
      let text = mutator.bytes(&generator, pieces: 0...20)
      guard let read = Fingerprint(text: text) else { return nil }
      guard Fingerprint(text: read.text) == read else { return "it reads back differently" }
      return read.begins(with: text) ? nil : "it does not begin with itself"
    }
    #expect(fault == nil)
  }
}
