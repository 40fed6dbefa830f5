// The other direction of `ByteReader`: appending to bytes. Network order has the highest byte first (RFC 1700 "Data Notations").

extension Array where Element == UInt8 {
  public mutating func append(networkOrder value: UInt16) {
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }

  public mutating func append(networkOrder value: UInt32) {
    append(networkOrder: UInt16(truncatingIfNeeded: value >> 16))
    append(networkOrder: UInt16(truncatingIfNeeded: value))
  }

  public mutating func append(networkOrder value: UInt64) {
    append(networkOrder: UInt32(truncatingIfNeeded: value >> 32))
    append(networkOrder: UInt32(truncatingIfNeeded: value))
  }

  /// Appends a number in LEB128, as `ByteReader.varint` reads it: one to five bytes.
  public mutating func append(varint value: UInt32) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  public mutating func append(zeros count: Int) { append(contentsOf: repeatElement(0, count: Swift.max(0, count))) }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  /// The number whose bytes these are in network order; of more than it has room for the last count.
  @inlinable public init(networkOrder bytes: some Sequence<UInt8>) {
    self = bytes.reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
  }
}
