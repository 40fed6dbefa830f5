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

  @Test(
    "a number in hexadecimal has one to sixteen digits in either case",
    arguments: [
      ("0", 0), ("10b", 0x10B), ("00000000000000fF", 0xFF), ("ffffffffffffffff", .max), ("", nil), ("0x1", nil),
      ("-1", nil), ("1 ", nil), ("g", nil), ("00000000000000000", nil),
    ] as [(String, UInt64?)])
  func hexadecimal(_ text: String, _ value: UInt64?) {
    #expect(hexadecimalNumber([UInt8](text.utf8)[...]) == value)
  }

  @Test(
    "bytes in hexadecimal have two digits each and are as many as are asked for",
    arguments: [
      ("", 0, []), ("00fF7e", 3, [0, 0xFF, 0x7E]), ("00f", 1, nil), ("00f", 2, nil), ("00ff", 1, nil), ("00ff", 3, nil),
      ("0g", 1, nil), ("g0", 1, nil), ("", -1, nil), ("00", .max, nil), ("00", .min, nil), (" 00 ", 2, nil),
    ] as [(String, Int, [UInt8]?)])
  func hexadecimalPairs(_ text: String, _ count: Int, _ bytes: [UInt8]?) {
    // A slice does not begin at 0.
    #expect(hexadecimalBytes([UInt8]("a\(text)".utf8).dropFirst(), count: count) == bytes)
  }

  @Test("bytes read back from their hexadecimal text, which is in lower case")
  func hexadecimalBack() {
    let bytes = [UInt8](0...255)
    let text = hexadecimalText(bytes)
    #expect(text.starts(with: "000102".utf8) && text.suffix(4).elementsEqual("feff".utf8))
    #expect(hexadecimalBytes(text[...], count: 256) == bytes)
  }
}
