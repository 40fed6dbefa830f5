import Addresses

/// A way to a network besides the one that a card is in: through a router, or on the card's own link.
public struct StaticRoute: Equatable, Hashable, Sendable {
  /// Without the bits that the mask does not cover.
  public let network: IPv4Address
  public let mask: Netmask
  /// Nil: on the card's link.
  public let gateway: IPv4Address?

  public init(network: IPv4Address, mask: Netmask, gateway: IPv4Address?) {
    self.network = mask.network(of: network)
    self.mask = mask
    self.gateway = gateway
  }

  func covers(_ address: IPv4Address) -> Bool { mask.sameNetwork(address, network) }
}

extension AddressConfiguration {
  /// The routes to set, each behind those that lead to its gateway; the default route is the last.
  ///
  /// With the mask 255.255.255.255, as clouds give it, the gateway can only be on the link, so it gets a route of its own.
  /// With any other mask a gateway outside of the network is a mistake of somebody's and none of these routes uses it.
  public var reachableRoutes: [StaticRoute] {
    var out = wantedRoutes.filter { $0.gateway == nil && !isOwnNetwork($0) }
    for route in wantedRoutes {
      guard let gateway = route.gateway, gateway != address else { continue }
      if !isOnLink(gateway) {
        guard effectiveNetmask == .host else { continue }
        let way = StaticRoute(network: gateway, mask: .host, gateway: nil)
        if !out.contains(way) { out.append(way) }
      }
      out.append(route)
    }
    return out
  }

  /// The first gateway that leads nowhere from here.
  public var unreachableGateway: IPv4Address? {
    let reachable = reachableRoutes
    return wantedRoutes.first { $0.gateway != nil && !reachable.contains($0) }?.gateway
  }

  private var wantedRoutes: [StaticRoute] {
    routes + (gateway.map { [StaticRoute(network: .unspecified, mask: .everywhere, gateway: $0)] } ?? [])
  }

  private func isOnLink(_ gateway: IPv4Address) -> Bool {
    effectiveNetmask?.sameNetwork(gateway, address) == true
      || routes.contains { $0.gateway == nil && $0.covers(gateway) }
  }

  /// The kernel makes this route itself, with the address.
  private func isOwnNetwork(_ route: StaticRoute) -> Bool {
    route.mask == effectiveNetmask && route.covers(address)
  }
}
