import Addresses
import Bytes

/// Why bytes are not a datagram or a map of a cluster. Offsets count from their start.
public enum MembershipDecodeError: ReadingFailure, Equatable, Sendable {
  /// Fewer bytes are left than the next field needs.
  case truncated(offset: Int, needed: Int, available: Int)
  /// Longer than any datagram, or any map.
  case tooLong(Int)
  /// Made by a version that this one does not understand.
  case version(UInt8)
  /// A kind that this version does not know.
  case kind(UInt8)
  /// Another cluster's.
  case foreign(ClusterIdentifier)
  /// A value that its field cannot have, as an id of 0.
  case value(offset: Int)

  /// One line for a log: `membership datagram at byte 18: 2 bytes left of 6`.
  public var text: [UInt8] {
    switch self {
    case .truncated(let offset, let needed, let available):
      return [UInt8]("membership datagram at byte \(offset): \(available) bytes left of \(needed)")
    case .tooLong(let count): return [UInt8]("membership datagram of \(count) bytes is too long")
    case .version(let version): return [UInt8]("membership datagram has the unknown version \(version)")
    case .kind(let kind): return [UInt8]("membership datagram is of the unknown kind \(kind)")
    case .foreign(let cluster):
      let digits = IPv4Address(bits: UInt32(truncatingIfNeeded: cluster.bits >> 32)).hexadecimal
      return [UInt8]("membership datagram is of another cluster, \(digits)")
    case .value(let offset): return [UInt8]("membership datagram at byte \(offset): impossible value")
    }
  }
}

/// Numbers that are mostly small stand in datagrams as LEB128, others in network order.
package typealias WireReader = ByteReader<MembershipDecodeError>

extension ByteReader where Failure == MembershipDecodeError {
  /// Never the zero address, which no interface has.
  package mutating func mac() throws(Failure) -> MACAddress {
    let start = offset
    let mac = try macAddress()
    guard mac != .zero else { throw .value(offset: start) }
    return mac
  }

  mutating func uint16Varint() throws(Failure) -> UInt16 { UInt16(truncatingIfNeeded: try varint(upTo: 0xFFFF)) }
}
