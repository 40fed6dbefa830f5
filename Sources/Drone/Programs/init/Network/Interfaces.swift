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

  mutating func network() throws(NetlinkSocketError) -> MachineNetwork { try socket.network() }

  mutating func perform(_ request: NetlinkRequest) throws(NetlinkSocketError) { try socket.perform(request) }

  /// Gives a card its address with mask and broadcast, and the routes that can be reached from there.
  /// - Parameter metric: of several routes to one network the lowest counts.
  mutating func configure(
    _ card: Int32, _ name: [UInt8], _ configuration: AddressConfiguration, origin: UInt8 = Interfaces.origin,
    metric: UInt32 = 0
  ) throws(NetlinkSocketError) {
    guard let address = Interfaces.address(card, name, configuration, origin) else { return }
    try socket.perform(.add(address))
    for route in configuration.reachableRoutes {
      try socket.perform(.replace(Interfaces.route(route, card, metric)))
    }
  }

  /// Takes a card's address and routes away.
  mutating func release(
    _ card: Int32, _ name: [UInt8], _ configuration: AddressConfiguration, metric: UInt32
  ) {
    guard let address = Interfaces.address(card, name, configuration, Interfaces.origin) else { return }
    // While the card has another address, the kernel keeps routes that name none.
    removeRoutes(card, configuration.reachableRoutes, metric: metric)
    // Gone already is as good.
    try? socket.perform(.remove(address))
  }

  mutating func removeRoutes(_ card: Int32, _ routes: [StaticRoute], metric: UInt32) {
    // Those that others need to reach their gateway come first.
    for route in routes.reversed() { try? socket.perform(.remove(Interfaces.route(route, card, metric))) }
  }

  /// Sets the longest packet of a card, in bytes. Fails when the card cannot send as much.
  mutating func setMTU(_ card: Int32, _ mtu: UInt16) throws(NetlinkSocketError) {
    try socket.perform(.setLink(index: card, mtu: UInt32(mtu)))
  }

  private static func route(_ route: StaticRoute, _ card: Int32, _ metric: UInt32) -> Route {
    Route(to: route.network, route.mask, gateway: route.gateway, interface: card, metric: metric)
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
