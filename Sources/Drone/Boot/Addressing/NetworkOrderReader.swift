import Addresses

/// Reads numbers in network order (RFC 1700: the highest byte first) from bytes that come from anywhere: past the end every
/// read gives nil.
struct NetworkOrderReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// What has not been read yet.
  var remaining: ArraySlice<UInt8> { rest }

  mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= rest.count else { return nil }
    let taken = rest.prefix(count)
    rest = rest.dropFirst(count)
    return taken
  }

  mutating func uint8() -> UInt8? { rest.popFirst() }

  mutating func uint16() -> UInt16? {
    bytes(2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } }
  }

  mutating func uint32() -> UInt32? {
    bytes(4).map { $0.reduce(0) { $0 << 8 | UInt32($1) } }
  }

  mutating func ipv4Address() -> IPv4Address? { uint32().map(IPv4Address.init(bits:)) }

  mutating func macAddress() -> MACAddress? { bytes(6).flatMap(MACAddress.init(octets:)) }
}

extension Array where Element == UInt8 {
  mutating func append(zeros count: Int) { append(contentsOf: repeatElement(0, count: count)) }
}
