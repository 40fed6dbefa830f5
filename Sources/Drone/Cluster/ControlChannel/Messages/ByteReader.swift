import Bytes

// Numbers in messages are big-endian, as in every protocol of the Internet (RFC 1700 "Data Notations").

/// Reads a message's fields one after the other; never past its end.
struct ByteReader {
  private var rest: ArraySlice<UInt8>
  /// A field was longer than what was left. From then on every field reads as zero or empty.
  private(set) var isShort = false

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty && !isShort }

  /// The next bytes, exactly so many; empty if there are not.
  mutating func bytes(_ count: Int) -> [UInt8] {
    guard count >= 0, count <= rest.count else {
      isShort = true
      rest = []
      return []
    }
    defer { rest = rest.dropFirst(count) }
    return [UInt8](rest.prefix(count))
  }

  private mutating func number(_ count: Int) -> UInt64 { bytes(count).reduce(0) { $0 << 8 | UInt64($1) } }

  mutating func number8() -> UInt8 { UInt8(truncatingIfNeeded: number(1)) }
  mutating func number16() -> UInt16 { UInt16(truncatingIfNeeded: number(2)) }
  mutating func number32() -> UInt32 { UInt32(truncatingIfNeeded: number(4)) }
  mutating func number64() -> UInt64 { number(8) }

  /// Bytes with their count in two bytes before them.
  mutating func counted() -> [UInt8] { bytes(Int(number16())) }

  /// Everything that is left.
  mutating func remainder() -> [UInt8] {
    defer { rest = [] }
    return [UInt8](rest)
  }
}

extension Array where Element == UInt8 {
  /// Appends bytes with their count before them; what does not fit two bytes of count is cut off.
  mutating func append(counted bytes: [UInt8]) {
    let kept = bytes.prefix(Int(UInt16.max))
    append(networkOrder: UInt16(truncatingIfNeeded: kept.count))
    append(contentsOf: kept)
  }
}
