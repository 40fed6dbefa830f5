import Addresses
import Addressing
import Testing

private func standard(_ gateway: IPv4Address) -> StaticRoute {
  StaticRoute(network: .unspecified, mask: .everywhere, gateway: gateway)
}

private func link(_ address: IPv4Address, _ mask: Netmask = .host) -> StaticRoute {
  StaticRoute(network: address, mask: mask, gateway: nil)
}

@Suite struct StaticRouteTests {
  private func configuration(
    prefix: UInt8, gateway: IPv4Address?, _ routes: [StaticRoute] = []
  ) throws -> AddressConfiguration {
    var out = try #require(AddressConfiguration(address: drone))
    out.netmask = Netmask(prefixLength: prefix)
    out.gateway = gateway
    out.routes = routes
    return out
  }

  @Test("a gateway in the card's network is the default route")
  func ordinary() throws {
    let configuration = try configuration(prefix: 24, gateway: gateway)
    #expect(configuration.reachableRoutes == [standard(gateway)] && configuration.unreachableGateway == nil)
  }

  @Test("a card alone in its network reaches its gateway by a route on the link")
  func cloud() throws {
    let far = IPv4Address(10, 255, 255, 1)
    let configuration = try configuration(prefix: 32, gateway: far)
    #expect(configuration.reachableRoutes == [link(far), standard(far)] && configuration.unreachableGateway == nil)
  }

  @Test("a gateway outside of an ordinary network is named and not used, and so is the card's own address")
  func mistakes() throws {
    let far = IPv4Address(10, 255, 255, 1)
    let configuration = try configuration(prefix: 24, gateway: far)
    #expect(configuration.reachableRoutes == [] && configuration.unreachableGateway == far)
    #expect(try self.configuration(prefix: 24, gateway: drone).reachableRoutes == [])
  }

  @Test("a gateway outside of the network is reached when a route on the link leads there, whatever the order")
  func onLink() throws {
    let far = IPv4Address(192, 168, 77, 1)
    let ten = StaticRoute(network: IPv4Address(10, 1, 2, 3), mask: Netmask(prefixLength: 8) ?? .host, gateway: far)
    #expect(ten.network == IPv4Address(10, 0, 0, 0))
    let configuration = try configuration(prefix: 24, gateway: far, [ten, link(far)])
    #expect(configuration.reachableRoutes == [link(far), ten, standard(far)])
  }

  @Test("the network that the kernel has a route to already gets no other")
  func own() throws {
    let mask = try #require(Netmask(prefixLength: 24))
    #expect(try configuration(prefix: 24, gateway: nil, [link(drone, mask)]).reachableRoutes == [])
  }
}
