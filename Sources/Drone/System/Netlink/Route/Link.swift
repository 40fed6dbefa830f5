import Addresses

/// A network interface as RTM_NEWLINK describes it (rtnetlink(7), include/uapi/linux/if_link.h).
public struct Link: Equatable, Sendable {
  /// The interface's number; it never changes while the interface lives.
  public var index: Int32
  public var name: [UInt8]
  public var hardware: HardwareType
  public var flags: LinkFlags
  public var state: OperationalState
  /// The hardware address, nil unless it has six bytes.
  public var address: MACAddress?
  /// The largest packet in bytes, link header not counted; 0 if the kernel did not say.
  public var mtu: UInt32

  public init(
    index: Int32, name: [UInt8], hardware: HardwareType, flags: LinkFlags, state: OperationalState,
    address: MACAddress?, mtu: UInt32
  ) {
    self.index = index
    self.name = name
    self.hardware = hardware
    self.flags = flags
    self.state = state
    self.address = address
    self.mtu = mtu
  }

  /// Set to be used.
  public var isUp: Bool { flags.contains(.up) }
  /// A cable with something at its other end; known only while the interface is up.
  public var hasCarrier: Bool { flags.contains(.carrier) }
  /// A card that an address can be got for: Ethernet and not the loopback.
  public var isEthernet: Bool { hardware == .ethernet && !flags.contains(.loopback) }
  /// Of these the ones with a hardware address.
  public var isCard: Bool { isEthernet && address != nil }
  /// What is sent leaves it: set up, with something at the other end. By IFF_RUNNING, since between the carrier and that the kernel
  /// throws away what is sent.
  public var isUsable: Bool { isUp && flags.contains(.running) }
}

/// ARP's hardware type (include/uapi/linux/if_arp.h).
public struct HardwareType: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  public static let ethernet = HardwareType(rawValue: 1)
  public static let loopback = HardwareType(rawValue: 772)
}

/// An interface's flags (netdevice(7)).
public struct LinkFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let up = LinkFlags(rawValue: 0x1)
  public static let broadcast = LinkFlags(rawValue: 0x2)
  public static let loopback = LinkFlags(rawValue: 0x8)
  public static let running = LinkFlags(rawValue: 0x40)
  public static let multicast = LinkFlags(rawValue: 0x1000)
  /// IFF_LOWER_UP.
  public static let carrier = LinkFlags(rawValue: 0x10000)
}

/// RFC 2863's state of an interface.
public enum OperationalState: UInt8, Sendable {
  case unknown = 0
  case notPresent, down, lowerLayerDown, testing, dormant, up
}

extension Link {
  static let newType: UInt16 = 16
  static let removedType: UInt16 = 17
  static let getType: UInt16 = 18

  /// Reads RTM_NEWLINK or RTM_DELLINK; nil for a message about a bridge's port, which describes the same interface again.
  init?(_ message: NetlinkMessage) throws(NetlinkParseError) {
    let attributes = try message.attributes(behind: 16)
    let body = message.payload
    guard body.byte(at: 0) == 0 else { return nil }
    self.init(
      index: Int32(bitPattern: body.native32(at: 4)), name: [], hardware: HardwareType(rawValue: body.native16(at: 2)),
      flags: LinkFlags(rawValue: body.native32(at: 8)), state: .unknown, address: nil, mtu: 0)
    for attribute in attributes {
      switch attribute.type {
      case 1: address = MACAddress(octets: attribute.value)
      case 3: name = attribute.text
      case 4: mtu = try attribute.native32()
      case 16: state = OperationalState(rawValue: try attribute.byte()) ?? .unknown
      default: break
      }
    }
  }
}

extension NetlinkRequest {
  /// All interfaces. Each comes as RTM_NEWLINK.
  public static var listLinks: NetlinkRequest {
    var body = MessageBody(linkStructure(index: 0))
    // IFLA_EXT_MASK with RTEXT_FILTER_SKIP_STATS: counters are a third of each answer and nobody reads them.
    body.attribute(29, native: 1 << 3)
    return NetlinkRequest(type: Link.getType, flags: [.request, .dump], body: body)
  }

  /// Sets an interface up or down.
  public static func setLink(index: Int32, up: Bool) -> NetlinkRequest {
    let structure = linkStructure(index: index, flags: up ? .up : [], change: .up)
    return NetlinkRequest(type: Link.newType, flags: [.request, .acknowledge], body: MessageBody(structure))
  }

  /// Sets an interface's largest packet, in bytes.
  public static func setLink(index: Int32, mtu: UInt32) -> NetlinkRequest {
    var body = MessageBody(linkStructure(index: index))
    body.attribute(4, native: mtu)
    return NetlinkRequest(type: Link.newType, flags: [.request, .acknowledge], body: body)
  }

  /// Sets an interface's hardware address; most cards take one only while they are down.
  public static func setLink(index: Int32, address: MACAddress) -> NetlinkRequest {
    var body = MessageBody(linkStructure(index: index))
    body.attribute(1, address.octets)
    return NetlinkRequest(type: Link.newType, flags: [.request, .acknowledge], body: body)
  }

  /// Gives an interface another name, which only one that is down takes. A name is 1 to 15 bytes without a slash or white space, and a
  /// `%d` in it stands for the lowest number that is free (IFLA_IFNAME).
  public static func setLink(index: Int32, name: [UInt8]) -> NetlinkRequest {
    var body = MessageBody(linkStructure(index: index))
    body.attribute(3, name + [0])
    return NetlinkRequest(type: Link.newType, flags: [.request, .acknowledge], body: body)
  }

  /// `struct ifinfomsg`.
  private static func linkStructure(index: Int32, flags: LinkFlags = [], change: LinkFlags = []) -> [UInt8] {
    // Family AF_UNSPEC, padding, hardware type 0.
    [0, 0] + UInt16(0).nativeBytes + UInt32(bitPattern: index).nativeBytes + flags.rawValue.nativeBytes
      + change.rawValue.nativeBytes
  }
}
