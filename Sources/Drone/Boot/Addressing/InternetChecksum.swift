/// The checksum of IPv4, ICMP and UDP (RFC 1071): the one's complement of the one's complement sum of 16-bit words.
struct InternetChecksum {
  private var sum: UInt64 = 0

  /// Adds a whole field or packet; an odd last byte counts as the high half of a word (RFC 1071 §4.1).
  mutating func add(_ bytes: some Sequence<UInt8>) {
    var high = true
    for byte in bytes {
      sum &+= high ? UInt64(byte) << 8 : UInt64(byte)
      high.toggle()
    }
  }

  mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

  /// The sum before it is complemented. Over data that holds its own right checksum it is 0xFFFF.
  var folded: UInt16 {
    var value = sum
    while value > 0xFFFF { value = value >> 16 &+ value & 0xFFFF }
    return UInt16(value)
  }

  /// What is written into the packet.
  var value: UInt16 { ~folded }
}
