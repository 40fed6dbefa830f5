/// What a key, and so a node or a cluster, is known by: the SHA-256 digest of its SubjectPublicKeyInfo (RFC 5280, §4.1;
/// `openssl pkey -pubout -outform DER | sha256sum` shows the same), 32 bytes without a heap object.
public struct Fingerprint: Hashable, Comparable, Sendable {
  /// The bytes in network order.
  public let words: (UInt64, UInt64, UInt64, UInt64)

  /// The digest whose bytes are these words in network order.
  public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) { words = (a, b, c, d) }

  /// All zeros: no key has it.
  public static let none = Fingerprint(0, 0, 0, 0)

  /// Nil unless there are exactly 32 bytes.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    var rest = bytes.makeIterator()
    func word() -> UInt64 {
      var value: UInt64 = 0
      for _ in 0..<8 { value = value << 8 | UInt64(rest.next() ?? 0) }
      return value
    }
    words = (word(), word(), word(), word())
  }

  /// Reads 64 hexadecimal digits in either case; dashes, colons and blanks between them do not count.
  public init?(text: [UInt8]) {
    guard let bytes = hexadecimalBytes(Fingerprint.digits(text)[...], count: 32) else { return nil }
    self.init(bytes: bytes)
  }

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(32)
    out.append(self)
    return out
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
    let digits = Fingerprint.digits(text)
    guard (Fingerprint.fewestDigits...64).contains(digits.count) else { return false }
    return hexadecimalText(bytes).starts(with: digits)
  }

  /// What does not only separate, letters in lower case.
  @inline(never) private static func digits(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    for byte in text where byte != UInt8(ascii: "-") && byte != UInt8(ascii: ":") && byte != UInt8(ascii: " ") {
      out.append(byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F") ? byte | 0x20 : byte)
    }
    return out
  }

  public static func == (left: Fingerprint, right: Fingerprint) -> Bool { left.words == right.words }

  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  public static func < (left: Fingerprint, right: Fingerprint) -> Bool { left.words < right.words }
}

extension Array where Element == UInt8 {
  /// Appends the 32 bytes.
  public mutating func append(_ fingerprint: Fingerprint) {
    append(networkOrder: fingerprint.words.0)
    append(networkOrder: fingerprint.words.1)
    append(networkOrder: fingerprint.words.2)
    append(networkOrder: fingerprint.words.3)
  }
}
