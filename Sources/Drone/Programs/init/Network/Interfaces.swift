import Addresses
import Addressing
import Linux
import Netlink

/// The kernel's interfaces, addresses and routes that the drone changes.
struct Interfaces: ~Copyable {
  private var socket: NetlinkSocket

  /// Marks the addresses that the boot set (IFA_PROTO), so that those set by hand can be told from them.
  static let origin: UInt8 = 0xD0

  init() throws(NetlinkSocketError) { socket = try NetlinkSocket(.route) }

  mutating func links() throws(NetlinkSocketError) -> [Link] { try socket.links() }
  mutating func addresses() throws(NetlinkSocketError) -> [InterfaceAddress] { try socket.addresses() }

  mutating func perform(_ request: NetlinkRequest) throws(NetlinkSocketError) { try socket.perform(request) }

  /// Gives a card its address with mask and broadcast, and the route through its gateway.
  /// - Parameter metric: of several default routes the lowest counts.
  mutating func configure(
    _ card: Int32, _ name: [UInt8], _ configuration: AddressConfiguration, origin: UInt8 = Interfaces.origin,
    metric: UInt32 = 0
  ) throws(NetlinkSocketError) {
    guard let address = Interfaces.address(card, name, configuration, origin) else { return }
    try socket.perform(.add(address))
    guard let gateway = usableGateway(configuration) else { return }
    try socket.perform(.replace(.standard(gateway: gateway, interface: card, metric: metric)))
  }

  /// Takes a card's address away; the routes through it go with it.
  mutating func release(_ card: Int32, _ name: [UInt8], _ configuration: AddressConfiguration) {
    guard let address = Interfaces.address(card, name, configuration, Interfaces.origin) else { return }
    // Gone already is as good.
    try? socket.perform(.remove(address))
  }

  /// Takes away the default route through a gateway.
  mutating func removeRoute(_ card: Int32, gateway: IPv4Address, metric: UInt32) {
    try? socket.perform(.remove(.standard(gateway: gateway, interface: card, metric: metric)))
  }

  private static func address(
    _ card: Int32, _ name: [UInt8], _ configuration: AddressConfiguration, _ origin: UInt8
  ) -> InterfaceAddress? {
    guard let mask = configuration.effectiveNetmask else { return nil }
    // Networks of one or two addresses have no broadcast address (RFC 3021).
    let broadcast = mask.prefixLength < 31 ? mask.broadcast(of: configuration.address) : nil
    return InterfaceAddress(
      interface: card, address: configuration.address, mask: mask, broadcast: broadcast, label: name, origin: origin)
  }
}

/// The gateway if it can be reached: another address of the same network.
func usableGateway(_ configuration: AddressConfiguration) -> IPv4Address? {
  guard let gateway = configuration.gateway, let mask = configuration.effectiveNetmask,
    gateway != configuration.address, mask.sameNetwork(gateway, configuration.address)
  else { return nil }
  return gateway
}
