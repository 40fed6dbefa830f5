import Bytes
import CSecureChannel

/// What a key, and so a node or a cluster, is known by: the SHA-256 digest of its SubjectPublicKeyInfo (RFC 5280, §4.1;
/// `openssl pkey -pubout -outform DER | sha256sum` shows the same).
public struct Fingerprint: Hashable, Sendable {
  /// 32 bytes.
  public let bytes: [UInt8]

  /// Nil unless there are 32 bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Int(channel_digest_length) else { return nil }
    self.bytes = bytes
  }

  /// Reads 64 hexadecimal digits in either case; dashes, colons and blanks between them do not count.
  public init?(text: [UInt8]) {
    guard let digits = Fingerprint.digits(text), digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: 64, by: 2) { bytes.append(digits[place] << 4 | digits[place + 1]) }
    self.bytes = bytes
  }

  /// Sixteen groups of four hexadecimal digits with dashes between: `3f1c-…-90ab`, 79 characters, one line of a console.
  public var text: [UInt8] {
    var out: [UInt8] = []
    for (place, byte) in bytes.enumerated() {
      if place > 0, place % 2 == 0 { out.append(UInt8(ascii: "-")) }
      out += hexadecimalByte(byte)
    }
    return out
  }

  /// The first eight digits of `text`: enough to tell clusters apart in a list, not to prove anything.
  public var short: [UInt8] { [UInt8](text.prefix(9)) }

  /// Digits that a person must type at least for `begins(with:)`: nobody can make a second key with the same 64 bits while
  /// the first one waits.
  public static let fewestDigits = 16

  /// Whether the text is the fingerprint's beginning, of `fewestDigits` or more, written as in `init(text:)`.
  public func begins(with text: [UInt8]) -> Bool {
    guard let digits = Fingerprint.digits(text), (Fingerprint.fewestDigits...64).contains(digits.count) else {
      return false
    }
    for (place, digit) in digits.enumerated() {
      let byte = bytes[place / 2]
      guard digit == (place % 2 == 0 ? byte >> 4 : byte & 0xF) else { return false }
    }
    return true
  }

  private static func digits(_ text: [UInt8]) -> [UInt8]? {
    var digits: [UInt8] = []
    for byte in text {
      if byte == UInt8(ascii: "-") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: " ") { continue }
      guard let digit = hexadecimalDigit(byte), digits.count < 64 else { return nil }
      digits.append(digit)
    }
    return digits
  }
}

/// SHA-256 of any bytes (FIPS 180-4); nil when OpenSSL has no memory.
func sha256(_ bytes: [UInt8]) -> [UInt8]? {
  var digest = [UInt8](repeating: 0, count: Int(channel_digest_length))
  return channel_sha256(bytes, bytes.count, &digest) == 0 ? digest : nil
}
