import Bytes

// Addresses as fields of messages, in network order.

extension ByteReader {
  @inlinable public mutating func ipv4Address() throws(Failure) -> IPv4Address { IPv4Address(bits: try uint32()) }

  @inlinable public mutating func ipv6Address() throws(Failure) -> IPv6Address {
    try require(16)
    return IPv6Address(high: try uint64(), low: try uint64())
  }

  @inlinable public mutating func macAddress() throws(Failure) -> MACAddress {
    try require(6)
    return MACAddress(high: try uint16(), low: try uint32())
  }
}

extension Array where Element == UInt8 {
  public mutating func append(_ address: IPv4Address) { append(networkOrder: address.bits) }

  public mutating func append(_ address: IPv6Address) {
    append(networkOrder: address.high)
    append(networkOrder: address.low)
  }

  public mutating func append(_ address: MACAddress) {
    append(networkOrder: UInt16(truncatingIfNeeded: address.bits >> 32))
    append(networkOrder: UInt32(truncatingIfNeeded: address.bits))
  }
}
