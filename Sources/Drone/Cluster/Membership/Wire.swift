import Addresses
import Bytes

// Numbers as they stand in datagrams: fixed ones in network order, others as LEB128 (seven bits a byte, the lowest
// first, the high bit set on all but the last).

extension Array where Element == UInt8 {
  package mutating func append(_ mac: MACAddress) {
    append(networkOrder: UInt16(truncatingIfNeeded: mac.bits >> 32))
    append(networkOrder: UInt32(truncatingIfNeeded: mac.bits))
  }

  package mutating func append(varint value: UInt32) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}

/// Why bytes are not a datagram or a map of a cluster. Offsets count from their start.
public enum MembershipDecodeError: Error, Equatable, Sendable {
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

/// Reads fields one after the other; past the end every read throws.
package struct WireReader {
  private let bytes: [UInt8]
  package private(set) var offset: Int
  private let end: Int

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    offset = 0
    end = bytes.count
  }

  private init(_ bytes: [UInt8], from offset: Int, to end: Int) {
    self.bytes = bytes
    self.offset = offset
    self.end = end
  }

  package var isAtEnd: Bool { offset >= end }

  private func require(_ count: Int) throws(MembershipDecodeError) {
    guard count >= 0, end - offset >= count else {
      throw .truncated(offset: offset, needed: count, available: end - offset)
    }
  }

  /// A reader of the next `count` bytes alone; this one continues behind them.
  package mutating func part(_ count: Int) throws(MembershipDecodeError) -> WireReader {
    try require(count)
    let part = WireReader(bytes, from: offset, to: offset + count)
    offset += count
    return part
  }

  /// The next `count` bytes as they are.
  package mutating func bytes(_ count: Int) throws(MembershipDecodeError) -> [UInt8] {
    try require(count)
    offset += count
    return [UInt8](bytes[(offset - count)..<offset])
  }

  package mutating func uint8() throws(MembershipDecodeError) -> UInt8 {
    try require(1)
    offset += 1
    return bytes[offset - 1]
  }

  package mutating func uint16() throws(MembershipDecodeError) -> UInt16 {
    try require(2)
    offset += 2
    return UInt16(bytes[offset - 2]) << 8 | UInt16(bytes[offset - 1])
  }

  package mutating func uint32() throws(MembershipDecodeError) -> UInt32 {
    try require(4)
    return UInt32(try uint16()) << 16 | UInt32(try uint16())
  }

  package mutating func uint64() throws(MembershipDecodeError) -> UInt64 {
    try require(8)
    return UInt64(try uint32()) << 32 | UInt64(try uint32())
  }

  /// Never the zero address, which no interface has.
  package mutating func mac() throws(MembershipDecodeError) -> MACAddress {
    let start = offset
    try require(6)
    let bits = UInt64(try uint16()) << 32 | UInt64(try uint32())
    guard bits != 0, let mac = MACAddress(bits: bits) else { throw .value(offset: start) }
    return mac
  }

  mutating func fingerprint() throws(MembershipDecodeError) -> Fingerprint {
    try require(32)
    let start = offset
    offset += 32
    guard let fingerprint = Fingerprint(bytes: bytes[start..<offset]) else { throw .value(offset: start) }
    return fingerprint
  }

  /// At most `limit`.
  package mutating func varint(upTo limit: UInt32 = .max) throws(MembershipDecodeError) -> UInt32 {
    let start = offset
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while true {
      let byte = try uint8()
      let low = UInt32(byte & 0x7F)
      guard shift < 28 || low < 0x10, shift <= 28 else { throw .value(offset: start) }
      value |= low << shift
      if byte < 0x80 { break }
      shift += 7
    }
    guard value <= limit else { throw .value(offset: start) }
    return value
  }

  mutating func uint16Varint() throws(MembershipDecodeError) -> UInt16 {
    UInt16(truncatingIfNeeded: try varint(upTo: 0xFFFF))
  }
}
