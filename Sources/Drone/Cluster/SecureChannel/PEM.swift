import Bytes

/// A text block around bytes (RFC 7468): `-----BEGIN LABEL-----`, base64 in lines of 64, `-----END LABEL-----`.
public enum PEM {
  /// The block, with a line feed at its end.
  public static func encoded(_ bytes: [UInt8], label: StaticString) -> [UInt8] {
    var out = boundary("BEGIN", label)
    var column = 0
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits = UInt32(0)
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        out.append(place <= group.count ? digit(UInt8(truncatingIfNeeded: bits >> UInt32(18 - 6 * place)) & 63) : pad)
      }
      column += 4
      if column == 64 {
        out.append(lineFeed)
        column = 0
      }
    }
    if column > 0 { out.append(lineFeed) }
    return out + boundary("END", label)
  }

  /// The bytes of the first block with that label; nil when there is none or it is not base64. Total: any text gives bytes
  /// or nil.
  public static func decoded(_ text: [UInt8], label: StaticString) -> [UInt8]? {
    let lines = text.split(separator: lineFeed).map { line in
      // Carriage returns and blanks at a line's end are what editors leave.
      line.last.map { $0 <= UInt8(ascii: " ") } == true ? line.dropLast(trailingBlanks(line)) : line
    }
    let begin = boundary("BEGIN", label).dropLast()
    let end = boundary("END", label).dropLast()
    guard let first = lines.firstIndex(where: { $0.elementsEqual(begin) }) else { return nil }
    let rest = lines[(first + 1)...]
    guard let last = rest.firstIndex(where: { $0.elementsEqual(end) }) else { return nil }
    return base64([UInt8](rest[..<last].joined()))
  }

  private static func trailingBlanks(_ line: ArraySlice<UInt8>) -> Int {
    line.reversed().prefix { $0 <= UInt8(ascii: " ") }.count
  }

  /// RFC 4648, §4, with its padding and without anything else; the bits that padding leaves over are zero.
  private static func base64(_ text: [UInt8]) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var padding = 0
    if text.last == pad { padding = text[text.count - 2] == pad ? 2 : 1 }
    var out: [UInt8] = []
    var bits = UInt32(0)
    for (place, byte) in text.enumerated() {
      let isPadding = place >= text.count - padding
      guard let value = isPadding ? 0 : value(byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      guard place % 4 == 3 else { continue }
      let unused = place == text.count - 1 ? padding : 0
      guard unused == 0 || bits & (unused == 1 ? 0xFF : 0xFFFF) == 0 else { return nil }
      for byte in 0..<3 - unused { out.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * byte))) }
      bits = 0
    }
    return out
  }

  private static let pad = UInt8(ascii: "=")
  private static let lineFeed = UInt8(ascii: "\n")

  private static func boundary(_ word: StaticString, _ label: StaticString) -> [UInt8] {
    [UInt8]("-----") + [UInt8](word) + [UInt8](" ") + [UInt8](label) + [UInt8]("-----\n")
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + (value - 26)
    case 52..<62: UInt8(ascii: "0") + (value - 52)
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
