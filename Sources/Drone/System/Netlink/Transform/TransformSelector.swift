import Addresses

/// Which packets a policy or an association is for (`struct xfrm_selector`): those from one network to another, of one
/// protocol or of all.
public struct TransformSelector: Hashable, Sendable {
  public var source: InternetAddress
  public var destination: InternetAddress
  /// Leading bits of the addresses that count; 0 matches all addresses, 32 (128) one.
  public var sourcePrefix: UInt8
  public var destinationPrefix: UInt8
  /// IP's protocol number; 0 for all.
  public var transport: UInt8
  /// The transport's ports, or for ICMP its type and code, in an ACQUIRE's selector; 0 for all.
  public var sourcePort: UInt16
  public var destinationPort: UInt16

  static let size = 56

  /// All packets from one host to another.
  public init(from source: InternetAddress, to destination: InternetAddress) {
    self.init(
      source: source, destination: destination, sourcePrefix: source.width, destinationPrefix: destination.width)
  }

  public init(
    source: InternetAddress, destination: InternetAddress, sourcePrefix: UInt8, destinationPrefix: UInt8,
    transport: UInt8 = 0, sourcePort: UInt16 = 0, destinationPort: UInt16 = 0
  ) {
    self.source = source
    self.destination = destination
    self.sourcePrefix = sourcePrefix
    self.destinationPrefix = destinationPrefix
    self.transport = transport
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  /// All packets of IPv4.
  public static var everyIPv4: TransformSelector {
    TransformSelector(
      source: .ipv4(.unspecified), destination: .ipv4(.unspecified), sourcePrefix: 0, destinationPrefix: 0)
  }

  /// As `everyIPv4`, of the version of an address.
  static func every(like address: InternetAddress) -> TransformSelector {
    TransformSelector(
      source: address.unspecified, destination: address.unspecified, sourcePrefix: 0, destinationPrefix: 0)
  }

  var bytes: [UInt8] {
    var out = destination.transformBytes + source.transformBytes
    for port in [destinationPort, sourcePort] {
      // Each with a mask: all of it or none.
      out += port.bigEndianBytes + [UInt8](repeating: port == 0 ? 0 : 0xFF, count: 2)
    }
    out += destination.family.nativeBytes + [destinationPrefix, sourcePrefix, transport, 0, 0, 0]
    return out + UInt32(0).nativeBytes + UInt32(0).nativeBytes  // interface, user: all
  }

  /// Reads a selector. The family is 0 in those that match all addresses of an association's own family.
  init(_ bytes: ArraySlice<UInt8>, at offset: Int, otherwise family: UInt16 = 2) throws(NetlinkParseError) {
    let stated = bytes.native16(at: offset + 40)
    let family = stated == 0 ? family : stated
    guard
      let destination = InternetAddress(transform: bytes, at: offset, family: family),
      let source = InternetAddress(transform: bytes, at: offset + 16, family: family)
    else { throw .wrongValue(offset: bytes.startIndex + offset + 40) }
    let destinationPrefix = bytes.byte(at: offset + 42)
    let sourcePrefix = bytes.byte(at: offset + 43)
    guard destinationPrefix <= destination.width, sourcePrefix <= source.width else {
      throw .wrongValue(offset: bytes.startIndex + offset + 42)
    }
    self.init(
      source: source, destination: destination, sourcePrefix: sourcePrefix, destinationPrefix: destinationPrefix,
      transport: bytes.byte(at: offset + 44), sourcePort: bytes.native16(at: offset + 36).byteSwapped,
      destinationPort: bytes.native16(at: offset + 32).byteSwapped)
  }
}
