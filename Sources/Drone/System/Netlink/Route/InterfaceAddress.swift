import Addresses

/// An IPv4 address on an interface, as RTM_NEWADDR describes it (rtnetlink(7), include/uapi/linux/if_addr.h).
public struct InterfaceAddress: Equatable, Sendable {
  /// The interface's number.
  public var interface: Int32
  public var address: IPv4Address
  public var mask: Netmask
  public var broadcast: IPv4Address?
  public var scope: AddressScope
  /// The name that old tools show the address by, at most 15 bytes: the interface's, or the interface's, a colon and a
  /// word. Empty if there is none; ifconfig(8) changes only the address whose label is the interface's name.
  public var label: [UInt8]
  /// The program that set it (IFA_PROTO), by a number of its choice; 0, as all common tools leave it, means unknown.
  public var origin: UInt8

  public init(
    interface: Int32, address: IPv4Address, mask: Netmask, broadcast: IPv4Address?, scope: AddressScope = .universe,
    label: [UInt8] = [], origin: UInt8 = 0
  ) {
    self.interface = interface
    self.address = address
    self.mask = mask
    self.broadcast = broadcast
    self.scope = scope
    self.label = label
    self.origin = origin
  }
}

/// How far an address or a route is valid (include/uapi/linux/rtnetlink.h).
public struct AddressScope: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let universe = AddressScope(rawValue: 0)
  public static let link = AddressScope(rawValue: 253)
  public static let host = AddressScope(rawValue: 254)
}

/// AF_INET.
let internetFamily: UInt8 = 2

extension InterfaceAddress {
  static let newType: UInt16 = 20
  static let removedType: UInt16 = 21
  static let getType: UInt16 = 22

  /// Reads RTM_NEWADDR or RTM_DELADDR; nil for an address that is not IPv4 or a message that names none.
  init?(_ message: NetlinkMessage) throws(NetlinkParseError) {
    let attributes = try message.attributes(behind: 8)
    let body = message.payload
    guard body.byte(at: 0) == internetFamily else { return nil }
    guard let mask = Netmask(prefixLength: body.byte(at: 1)) else { throw .wrongValue(offset: body.startIndex + 1) }
    self.init(
      interface: Int32(bitPattern: body.native32(at: 4)), address: .unspecified, mask: mask, broadcast: nil,
      scope: AddressScope(rawValue: body.byte(at: 3)))
    // On a point-to-point link IFA_ADDRESS is the other end's and only IFA_LOCAL is ours.
    var local: IPv4Address?
    var prefix: IPv4Address?
    for attribute in attributes {
      switch attribute.type {
      case 1: prefix = try attribute.address()
      case 2: local = try attribute.address()
      case 3: label = attribute.text
      case 4: broadcast = try attribute.address()
      case 11: origin = try attribute.byte()
      default: break
      }
    }
    guard let own = local ?? prefix else { return nil }
    address = own
  }

  private var body: MessageBody {
    var body = MessageBody(
      [internetFamily, mask.prefixLength, 0, scope.rawValue] + UInt32(bitPattern: interface).nativeBytes)
    body.attribute(2, address.octets)
    body.attribute(1, address.octets)
    if let broadcast { body.attribute(4, broadcast.octets) }
    if !label.isEmpty { body.attribute(3, text: Array(label.prefix(15))) }
    if origin != 0 { body.attribute(11, [origin]) }
    return body
  }

  fileprivate func request(_ type: UInt16, _ flags: MessageFlags) -> NetlinkRequest {
    NetlinkRequest(type: type, flags: flags.union([.request, .acknowledge]), body: body)
  }
}

extension NetlinkRequest {
  /// All IPv4 addresses. Each comes as RTM_NEWADDR.
  public static var listAddresses: NetlinkRequest {
    // `struct ifaddrmsg`: family; prefix, flags, scope and interface 0.
    NetlinkRequest(
      type: InterfaceAddress.getType, flags: [.request, .dump],
      body: MessageBody([internetFamily, 0, 0, 0] + UInt32(0).nativeBytes))
  }

  /// Adds an address to an interface; one that is there already (same address and prefix) is updated.
  public static func add(_ address: InterfaceAddress) -> NetlinkRequest {
    address.request(InterfaceAddress.newType, [.create, .replace])
  }

  /// Removes an address from its interface. Fails with EADDRNOTAVAIL if it is not there.
  public static func remove(_ address: InterfaceAddress) -> NetlinkRequest {
    address.request(InterfaceAddress.removedType, [])
  }
}
