import Addresses

/// The usual conditions, written as expressions.
extension [FilterExpression] {
  /// The packet came by, or leaves by, the loopback, whose number is always 1.
  public static var fromLoopback: [FilterExpression] {
    [.meta(.inputInterface), .compare(.equal, UInt32(1).nativeBytes)]
  }
  public static var toLoopback: [FilterExpression] {
    [.meta(.outputInterface), .compare(.equal, UInt32(1).nativeBytes)]
  }

  /// The connection is in one of the states.
  public static func state(_ states: ConnectionState) -> [FilterExpression] {
    [
      .connection(.state), .bitwise(mask: states.rawValue.nativeBytes, flip: UInt32(0).nativeBytes),
      .compare(.notEqual, UInt32(0).nativeBytes),
    ]
  }

  /// The connection was foretold by this tracker.
  public static func foretold(by tracker: FilterName) -> [FilterExpression] {
    let name = tracker.bytes.prefix(16)
    return [
      .connection(.helper), .compare(.equal, [UInt8](name) + [UInt8](repeating: 0, count: 16 - name.count)),
    ]
  }

  /// The packet comes from a socket of another user than root.
  public static var ofOtherUsers: [FilterExpression] {
    [.meta(.user), .compare(.notEqual, UInt32(0).nativeBytes)]
  }

  /// The packet's socket was made in this control group, or in one below it, which is so many levels below the hierarchy's root.
  public static func ofSockets(in group: UInt64, level: UInt8) -> [FilterExpression] {
    [.socketGroup(level: level), .compare(.equal, group.nativeBytes)]
  }

  /// The packet has this mark; and gives it one.
  public static func marked(_ mark: UInt32) -> [FilterExpression] {
    [.meta(.mark), .compare(.equal, mark.nativeBytes)]
  }
  public static func marking(_ mark: UInt32) -> [FilterExpression] { [.load(mark.nativeBytes), .setMeta(.mark)] }

  public static func transport(_ transport: TransportProtocol) -> [FilterExpression] {
    [.meta(.transport), .compare(.equal, [transport.rawValue])]
  }

  /// The transport's source port and destination port, where given.
  public static func ports(
    _ transport: TransportProtocol, from source: UInt16? = nil, to destination: UInt16? = nil
  ) -> [FilterExpression] {
    var all = self.transport(transport)
    if let source { all += [.payload(.transport, offset: 0, count: 2), .compare(.equal, source.bigEndianBytes)] }
    if let destination {
      all += [.payload(.transport, offset: 2, count: 2), .compare(.equal, destination.bigEndianBytes)]
    }
    return all
  }

  /// The transport's source port, or destination port, is in the range.
  public static func sourcePort(_ transport: TransportProtocol, in ports: ClosedRange<UInt16>) -> [FilterExpression] {
    port(transport, offset: 0, in: ports)
  }
  public static func destinationPort(
    _ transport: TransportProtocol, in ports: ClosedRange<UInt16>
  ) -> [FilterExpression] {
    port(transport, offset: 2, in: ports)
  }

  private static func port(
    _ transport: TransportProtocol, offset: UInt32, in ports: ClosedRange<UInt16>
  ) -> [FilterExpression] {
    self.transport(transport) + [
      .payload(.transport, offset: offset, count: 2),
      .range(from: ports.lowerBound.bigEndianBytes, to: ports.upperBound.bigEndianBytes),
    ]
  }

  /// An ICMP message of this type (RFC 792).
  public static func icmp(type: UInt8) -> [FilterExpression] {
    transport(.icmp) + [.payload(.transport, offset: 0, count: 1), .compare(.equal, [type])]
  }

  /// An ICMP message whose type is in the set.
  public static func icmp(typeIn set: FilterName) -> [FilterExpression] {
    transport(.icmp) + [.payload(.transport, offset: 0, count: 1), .lookup(set: set)]
  }

  /// An ICMP message that a packet of this transport was too large for its way and might not be cut (RFC 792: type 3, code
  /// 4; RFC 1191 §4). It quotes the packet's IPv4 header, 8 bytes after its own beginning.
  public static func tooLarge(_ transport: TransportProtocol) -> [FilterExpression] {
    icmp(type: 3) + [
      .payload(.transport, offset: 1, count: 1), .compare(.equal, [UInt8(4)]),
      .payload(.transport, offset: 8 + 9, count: 1), .compare(.equal, [transport.rawValue]),
    ]
  }

  /// Of `tooLarge`: the quoted packet's destination is in the set.
  public static func quotedDestination(in set: FilterName) -> [FilterExpression] {
    [.payload(.transport, offset: 8 + 16, count: 4), .lookup(set: set)]
  }

  /// Of `tooLarge`: the quoted packet came from this port. Its header has no options, as none of ours has.
  public static func quotedSourcePort(_ port: UInt16) -> [FilterExpression] {
    [.payload(.transport, offset: 8 + 20, count: 2), .compare(.equal, port.bigEndianBytes)]
  }

  /// IPv6's neighbour discovery: router and neighbour solicitations and advertisements, redirects (RFC 4861 §4).
  public static var neighbourDiscovery: [FilterExpression] {
    transport(.icmp6) + [.payload(.transport, offset: 0, count: 1), .range(from: [133], to: [137])]
  }

  /// The IPv4 source, or destination, is in the set. In a table of both versions, `version4` has to come first.
  public static func source(in set: FilterName, inverted: Bool = false) -> [FilterExpression] {
    [.payload(.network, offset: 12, count: 4), .lookup(set: set, inverted: inverted)]
  }
  public static func destination(in set: FilterName, inverted: Bool = false) -> [FilterExpression] {
    [.payload(.network, offset: 16, count: 4), .lookup(set: set, inverted: inverted)]
  }

  /// The IPv6 source, or destination, is in the set, and the packet is IPv6.
  public static func source6(in set: FilterName) -> [FilterExpression] {
    version(10) + [.payload(.network, offset: 8, count: 16), .lookup(set: set)]
  }
  public static func destination6(in set: FilterName) -> [FilterExpression] {
    version(10) + [.payload(.network, offset: 24, count: 16), .lookup(set: set)]
  }

  /// The packet is IPv4.
  public static var version4: [FilterExpression] { version(2) }

  private static func version(_ number: UInt8) -> [FilterExpression] {
    [.meta(.version), .compare(.equal, [number])]
  }

  /// The IPv4 destination is this one.
  public static func destination(_ address: IPv4Address) -> [FilterExpression] {
    [.payload(.network, offset: 16, count: 4), .compare(.equal, address.octets)]
  }

  /// The packet came out of IPsec; it will go through it.
  public static var secured: [FilterExpression] { [.meta(.secured), .compare(.equal, [1])] }
  public static var willBeSecured: [FilterExpression] { [.route(.willBeSecured), .compare(.equal, [1])] }

  /// The packet is on its way through this machine: it came by an interface, and not from one of this machine's addresses, as
  /// what leaves through a tunnel (VXLAN, WireGuard) does. Only for what leaves; kernels before 5.7 do not know it there.
  public static var forwarded: [FilterExpression] {
    [
      .meta(.inputInterface), .compare(.notEqual, UInt32(0).nativeBytes),
      // RTN_LOCAL.
      .sourceKind(), .compare(.notEqual, UInt32(2).nativeBytes),
    ]
  }

  /// A TCP segment that begins a connection: of SYN, ACK, FIN and RST only SYN is set (RFC 9293 §3.1).
  public static func opensConnection(from port: UInt16) -> [FilterExpression] { ports(.tcp, from: port) + isOpening }

  private static var isOpening: [FilterExpression] {
    [.payload(.transport, offset: 13, count: 1), .bitwise(mask: [0x17], flip: [0]), .compare(.equal, [0x02])]
  }

  /// The same, by its destination.
  public static func opensConnection(to port: UInt16) -> [FilterExpression] {
    ports(.tcp, to: port) + isOpening
  }
}
