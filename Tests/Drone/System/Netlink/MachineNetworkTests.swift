import Addresses
import Testing

@testable import Netlink

@Suite struct MachineNetworkTests {
  private func link(_ index: Int32, _ name: String, _ flags: LinkFlags = []) -> Link {
    Link(
      index: index, name: [UInt8](name.utf8), hardware: .ethernet, flags: flags, state: .up, address: nil, mtu: 1500)
  }

  private func address(_ interface: Int32, _ last: UInt8, _ scope: AddressScope = .universe) throws -> InterfaceAddress
  {
    InterfaceAddress(
      interface: interface, address: IPv4Address(192, 168, UInt8(interface), last),
      mask: try #require(Netmask(prefixLength: 24)), broadcast: nil, scope: scope)
  }

  private var links: [Link] { [link(1, "lo", .loopback), link(2, "eth1"), link(3, "eth0"), link(4, "eth2")] }

  @Test("the default route's interface comes first, and of two default routes the one with the lower metric")
  func defaultRoute() throws {
    let gateway = IPv4Address(192, 168, 4, 1)
    let routes = [
      Route.standard(gateway: gateway, interface: 2, metric: 9), Route.standard(gateway: gateway, interface: 4),
    ]
    let addresses = [try address(2, 21), try address(3, 21), try address(4, 21)]
    #expect(MachineNetwork(links: links, addresses: addresses, routes: routes).nodeAddress?.interface == 4)
    #expect(
      MachineNetwork(links: links, addresses: Array(addresses.dropLast()), routes: routes).nodeAddress?.interface == 2)
  }

  @Test("without a default route it is eth0's, without that the first card's")
  func withoutRoute() throws {
    let addresses = [try address(4, 21), try address(3, 21), try address(2, 21)]
    #expect(MachineNetwork(links: links, addresses: addresses, routes: []).nodeAddress?.interface == 3)
    #expect(
      MachineNetwork(links: links, addresses: [addresses[0], addresses[2]], routes: []).nodeAddress?.interface == 2)
  }

  @Test(
    "in a cluster eth0 comes before the default route's interface, as long as it has an address that others can use")
  func inCluster() throws {
    let route = Route.standard(gateway: IPv4Address(192, 168, 4, 1), interface: 4)
    let known = [try address(4, 21), try address(2, 21)]
    for (addresses, interface) in [
      (known + [try address(3, 21)], 3), (known, 4), (known + [try address(3, 21, .link)], 4), ([known[1]], 2),
      ([], nil),
    ] as [([InterfaceAddress], Int32?)] {
      #expect(
        MachineNetwork(links: links, addresses: addresses, routes: [route]).clusterAddress?.interface == interface)
    }
    var preferring = Route.standard(gateway: IPv4Address(192, 168, 3, 1), interface: 3)
    preferring.preferredSource = try address(3, 22).address
    let several = [try address(3, 21), try address(3, 22)]
    #expect(MachineNetwork(links: links, addresses: several, routes: [preferring]).clusterAddress == several[1])
    let noEth0 = links.filter { $0.name != Array("eth0".utf8) }
    #expect(MachineNetwork(links: noEth0, addresses: known, routes: []).clusterAddress?.interface == 2)
  }

  @Test("of several on one interface the first counts, unless the route prefers another")
  func several() throws {
    let addresses = [try address(3, 21), try address(3, 22)]
    #expect(MachineNetwork(links: links, addresses: addresses, routes: []).nodeAddress == addresses[0])
    var route = Route.standard(gateway: IPv4Address(192, 168, 3, 1), interface: 3)
    route.preferredSource = addresses[1].address
    #expect(MachineNetwork(links: links, addresses: addresses, routes: [route]).nodeAddress == addresses[1])
  }

  @Test("loopback, link-local scope and interfaces that are gone do not count")
  func unusable() throws {
    let loopback = InterfaceAddress(
      interface: 1, address: IPv4Address(10, 0, 0, 1), mask: try #require(Netmask(prefixLength: 8)), broadcast: nil)
    let addresses = [loopback, try address(3, 21, .link), try address(9, 21)]
    #expect(MachineNetwork(links: links, addresses: addresses, routes: []).nodeAddress == nil)
  }
}
