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
    var out = [UInt8]("membership datagram")
    func number(_ value: Int) { appendDecimal(UInt64(clamping: value), to: &out) }
    switch self {
    case .truncated(let offset, let needed, let available):
      out += [UInt8](" at byte ")
      number(offset)
      out += [UInt8](": ")
      number(available)
      out += [UInt8](" bytes left of ")
      number(needed)
    case .tooLong(let count):
      out += [UInt8](" of ")
      number(count)
      out += [UInt8](" bytes is too long")
    case .version(let version):
      out += [UInt8](" has the unknown version ")
      number(Int(version))
    case .kind(let kind):
      out += [UInt8](" is of the unknown kind ")
      number(Int(kind))
    case .foreign(let cluster):
      out += [UInt8](" is of another cluster, ")
      for shift in [24, 16, 8, 0] as [UInt64] {
        out += hexadecimalByte(UInt8(truncatingIfNeeded: cluster.bits >> (32 + shift)))
      }
    case .value(let offset):
      out += [UInt8](" at byte ")
      number(offset)
      out += [UInt8](": impossible value")
    }
    return out
  }
}

/// Numbers that are mostly small stand in datagrams as LEB128, others in network order.
package typealias WireReader = ByteReader<MembershipDecodeError>

extension ByteReader {
  /// Never the zero address, which no interface has.
  package mutating func mac() throws(Failure) -> MACAddress {
    let start = offset
    let mac = try macAddress()
    guard mac != .zero else { throw .value(offset: start) }
    return mac
  }

  mutating func uint16Varint() throws(Failure) -> UInt16 { UInt16(truncatingIfNeeded: try varint(upTo: 0xFFFF)) }
}
