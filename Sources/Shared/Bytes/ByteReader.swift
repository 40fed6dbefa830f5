/// Why bytes are not what a reader takes them for, as far as the reader can tell. An enumeration of errors has these two among its
/// cases, or is `ReadingError`.
public protocol ReadingFailure: Error {
  /// The next field needs more bytes than are left.
  static func truncated(offset: Int, needed: Int, available: Int) -> Self
  /// The field at this place holds what it cannot mean.
  static func value(offset: Int) -> Self
}

/// What a reader throws where nobody has more to say. Offsets are those of `ByteReader.offset`.
public enum ReadingError: ReadingFailure, Equatable, Sendable {
  case truncated(offset: Int, needed: Int, available: Int)
  case value(offset: Int)
}

/// Reads fields one after the other from bytes that come from anywhere. Numbers are in network order: the highest byte first (RFC 1700
/// "Data Notations").
///
/// There is one rule for errors: a read that cannot have its field throws, and nothing is taken then. Whoever wants nil for
/// it writes `try?`; nobody gets a zero that was not there.
public struct ByteReader<Failure: ReadingFailure> {
  @usableFromInline let bytes: ArraySlice<UInt8>
  @usableFromInline var place: Int

  @inlinable public init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  @inlinable public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  /// Where the next field begins, counted as the slice counts: from the start of the array that it is of.
  @inlinable public var offset: Int { place }

  @inlinable public var isAtEnd: Bool { place >= bytes.endIndex }

  /// What has not been read yet.
  @inlinable public var remaining: ArraySlice<UInt8> { bytes[place...] }

  /// Throws unless so many bytes are left; a negative count never is.
  @inlinable public func require(_ count: Int) throws(Failure) {
    let available = bytes.endIndex - place
    guard count >= 0, available >= count else {
      throw .truncated(offset: place, needed: count, available: available)
    }
  }

  /// The next bytes, exactly so many.
  @inlinable public mutating func bytes(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
    try require(count)
    defer { place += count }
    return bytes[place..<place + count]
  }

  @inlinable public mutating func skip(_ count: Int) throws(Failure) {
    try require(count)
    place += count
  }

  /// A reader of the next bytes alone; this one goes on behind them.
  @inlinable public mutating func part(_ count: Int) throws(Failure) -> ByteReader {
    ByteReader(try bytes(count))
  }

  /// Everything that is left.
  @inlinable public mutating func remainder() -> ArraySlice<UInt8> {
    defer { place = bytes.endIndex }
    return remaining
  }

  @inlinable public mutating func uint8() throws(Failure) -> UInt8 {
    try require(1)
    defer { place += 1 }
    return bytes[place]
  }

  @inlinable public mutating func uint16() throws(Failure) -> UInt16 {
    try require(2)
    defer { place += 2 }
    return UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
  }

  @inlinable public mutating func uint32() throws(Failure) -> UInt32 {
    try require(4)
    return UInt32(try uint16()) << 16 | UInt32(try uint16())
  }

  @inlinable public mutating func uint64() throws(Failure) -> UInt64 {
    try require(8)
    return UInt64(try uint32()) << 32 | UInt64(try uint32())
  }

  /// A number in LEB128 (seven bits a byte, the lowest first, the high bit set on all but the last), at most `limit`.
  @inlinable public mutating func varint(upTo limit: UInt32 = .max) throws(Failure) -> UInt32 {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    var next = place
    while true {
      guard next < bytes.endIndex else { throw .truncated(offset: next, needed: 1, available: 0) }
      let byte = bytes[next]
      let low = UInt32(byte & 0x7F)
      guard shift < 28 || low < 0x10, shift <= 28 else { throw .value(offset: place) }
      value |= low << shift
      next += 1
      if byte < 0x80 { break }
      shift += 7
    }
    guard value <= limit else { throw .value(offset: place) }
    place = next
    return value
  }

  /// 32 bytes.
  @inlinable public mutating func fingerprint() throws(Failure) -> Fingerprint {
    try require(32)
    return Fingerprint(try uint64(), try uint64(), try uint64(), try uint64())
  }
}
