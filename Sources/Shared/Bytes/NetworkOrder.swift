extension Array where Element == UInt8 {
  /// Appends a number in network order, the highest byte first (RFC 1700 "Data Notations").
  public mutating func append(networkOrder value: UInt16) {
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends a number in network order, the highest byte first (RFC 1700 "Data Notations").
  public mutating func append(networkOrder value: UInt32) {
    append(networkOrder: UInt16(truncatingIfNeeded: value >> 16))
    append(networkOrder: UInt16(truncatingIfNeeded: value))
  }

  /// Appends a number in network order, the highest byte first (RFC 1700 "Data Notations").
  public mutating func append(networkOrder value: UInt64) {
    append(networkOrder: UInt32(truncatingIfNeeded: value >> 32))
    append(networkOrder: UInt32(truncatingIfNeeded: value))
  }
}
