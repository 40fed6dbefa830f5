import Addresses
import Bytes

/// Walks over one JSON text (RFC 8259) from left to right: whoever reads says what it expects next. Any bytes give values or an error.
struct JSONReader {
  private let bytes: [UInt8]
  private var place = 0
  /// Objects and arrays around the place.
  private var depth = 0
  private static let deepest = 16

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private var unreadable: NodeStatusError { .unreadable(at: place) }

  private mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
  }

  /// Whether the next byte that is no white space is this one; goes behind it only then.
  private mutating func takes(_ byte: UInt8) -> Bool {
    skipSpace()
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws(NodeStatusError) {
    guard takes(byte) else { throw unreadable }
  }

  /// Nothing but white space may follow.
  mutating func end() throws(NodeStatusError) {
    skipSpace()
    guard place == bytes.count else { throw unreadable }
  }

  /// An object; `member` must read the value of each member.
  mutating func object(
    _ member: (inout JSONReader, [UInt8]) throws(NodeStatusError) -> Void
  ) throws(NodeStatusError) {
    try enter(UInt8(ascii: "{"))
    if !takes(UInt8(ascii: "}")) {
      repeat {
        let name = try string()
        try expect(UInt8(ascii: ":"))
        try member(&self, name)
      } while takes(UInt8(ascii: ","))
      try expect(UInt8(ascii: "}"))
    }
    depth -= 1
  }

  /// An array; `item` must read each of its values.
  mutating func array<Item>(
    _ item: (inout JSONReader) throws(NodeStatusError) -> Item
  ) throws(NodeStatusError) -> [Item] {
    var items: [Item] = []
    try enter(UInt8(ascii: "["))
    if !takes(UInt8(ascii: "]")) {
      repeat { items.append(try item(&self)) } while takes(UInt8(ascii: ","))
      try expect(UInt8(ascii: "]"))
    }
    depth -= 1
    return items
  }

  private mutating func enter(_ bracket: UInt8) throws(NodeStatusError) {
    try expect(bracket)
    depth += 1
    guard depth <= JSONReader.deepest else { throw unreadable }
  }

  /// A string of ASCII, its escapes resolved.
  mutating func string() throws(NodeStatusError) -> [UInt8] {
    try expect(UInt8(ascii: "\""))
    var text: [UInt8] = []
    while place < bytes.count {
      let byte = bytes[place]
      guard (0x20...0x7E).contains(byte) else { throw unreadable }
      place += 1
      if byte == UInt8(ascii: "\"") { return text }
      text.append(byte == UInt8(ascii: "\\") ? try escaped() : byte)
    }
    throw unreadable
  }

  /// What follows a backslash. Of characters by number only those of ASCII.
  private mutating func escaped() throws(NodeStatusError) -> UInt8 {
    guard place < bytes.count else { throw unreadable }
    let letter = bytes[place]
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): place += 1
    case UInt8(ascii: "u"):
      guard bytes.count - place > 4, let number = hexadecimalNumber(bytes[(place + 1)...(place + 4)]), number < 0x80
      else {
        throw unreadable
      }
      place += 5
      return UInt8(number)
    default:
      let letters: [(UInt8, UInt8)] = [
        (UInt8(ascii: "b"), 0x08), (UInt8(ascii: "f"), 0x0C), (UInt8(ascii: "n"), 0x0A), (UInt8(ascii: "r"), 0x0D),
        (UInt8(ascii: "t"), 0x09),
      ]
      guard let meant = letters.first(where: { $0.0 == letter })?.1 else { throw unreadable }
      place += 1
      return meant
    }
    return letter
  }

  /// A whole number that is not negative.
  mutating func number() throws(NodeStatusError) -> UInt64 {
    skipSpace()
    var end = place
    while end < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[end]) { end += 1 }
    guard let value = decimal(bytes[place..<end]) else { throw unreadable }
    place = end
    return value
  }

  mutating func flag() throws(NodeStatusError) -> Bool {
    if takes(word: "true") { return true }
    if takes(word: "false") { return false }
    throw unreadable
  }

  private mutating func takes(word: StaticString) -> Bool {
    skipSpace()
    let end = place + word.utf8CodeUnitCount
    guard end <= bytes.count, bytes[place..<end].spells(word) else { return false }
    place = end
    return true
  }

  /// Any value.
  mutating func skip() throws(NodeStatusError) {
    skipSpace()
    guard place < bytes.count else { throw unreadable }
    switch bytes[place] {
    case UInt8(ascii: "{"): try object { (reader, _) throws(NodeStatusError) in try reader.skip() }
    case UInt8(ascii: "["): _ = try array { (reader) throws(NodeStatusError) in try reader.skip() }
    case UInt8(ascii: "\""): _ = try string()
    default:
      if takes(word: "true") || takes(word: "false") || takes(word: "null") { return }
      let start = place
      while place < bytes.count, isNumeric(bytes[place]) { place += 1 }
      guard place > start else { throw unreadable }
    }
  }

  private func isNumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  // MARK: Strings that say something else

  /// A string that `read` understands.
  private mutating func string<Value>(_ read: ([UInt8]) -> Value?) throws(NodeStatusError) -> Value {
    skipSpace()
    let start = place
    guard let value = read(try string()) else { throw .unreadable(at: start) }
    return value
  }

  /// `0x010b`.
  mutating func id() throws(NodeStatusError) -> UInt16 {
    try string { text in text.count == 6 ? prefixed(text).flatMap { UInt16(exactly: $0) } : nil }
  }

  /// `0x` and so many hexadecimal digits.
  mutating func number32(digits: Int) throws(NodeStatusError) -> UInt32 {
    try string { text in text.count == 2 + digits ? prefixed(text) : nil }
  }

  /// An address; an empty string is none.
  mutating func address() throws(NodeStatusError) -> IPv4Address {
    try string { $0.isEmpty ? .unspecified : IPv4Address(text: $0) }
  }

  mutating func hardware() throws(NodeStatusError) -> MACAddress {
    try string { MACAddress(text: $0) }
  }

  /// Two hexadecimal digits for each byte, up to 32 of them.
  mutating func octets() throws(NodeStatusError) -> [UInt8] {
    try string { text in
      text.count <= 64 ? hexadecimalBytes(text[...], count: text.count / 2) : nil
    }
  }

  /// One of the values, by its word.
  mutating func word<Value>(of values: [Value], _ word: (Value) -> StaticString) throws(NodeStatusError) -> Value {
    try string { text in values.first { text.spells(word($0)) } }
  }
}

/// `0x` and digits.
private func prefixed(_ text: [UInt8]) -> UInt32? {
  guard text.starts(with: [UInt8]("0x")) else { return nil }
  return hexadecimalNumber(text.dropFirst(2)).flatMap { UInt32(exactly: $0) }
}
