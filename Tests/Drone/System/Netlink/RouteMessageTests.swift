import Addresses
import Bytes
import Testing

@testable import Netlink

/// What the kernel says, read.
@Suite struct RouteMessageTests {
  /// RTM_NEWLINK of an Ethernet card that is up with a cable in it.
  static let link = message(
    16,
    [
      0, 0,  // AF_UNSPEC, padding
      1, 0,  // ARPHRD_ETHER
      2, 0, 0, 0,  // index
      0x43, 0x10, 1, 0,  // flags: lower up, multicast, running, broadcast, up
      0, 0, 0, 0,  // change
    ]
  ) {
    $0.attribute(3, text: [UInt8]("eth0"))  // IFLA_IFNAME
    $0.attribute(16, [6])  // IFLA_OPERSTATE: up
    $0.attribute(4, native: 1500)  // IFLA_MTU
    $0.attribute(1, [0x52, 0x54, 0, 0x12, 0x34, 0x56])  // IFLA_ADDRESS
    $0.attribute(999, [1, 2, 3])  // one that nobody knows
  }

  @Test("a link's name, card, carrier, address and MTU are read")
  func readLink() throws {
    guard case .link(let link) = try routeMessage(RouteMessageTests.link) else {
      Issue.record("not read as a link")
      return
    }
    #expect(
      link
        == Link(
          index: 2, name: [UInt8]("eth0"), hardware: .ethernet,
          flags: [.up, .broadcast, .running, .multicast, .carrier], state: .up,
          address: MACAddress(octets: [0x52, 0x54, 0, 0x12, 0x34, 0x56]), mtu: 1500))
    #expect(link.isUp && link.hasCarrier && link.isEthernet)
  }

  @Test("the loopback is not a card to get an address for")
  func loopback() throws {
    let bytes = message(16, [0, 0, 4, 3, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0])
    guard case .link(let link) = try routeMessage(bytes) else {
      Issue.record("not read as a link")
      return
    }
    #expect(!link.isEthernet)
    #expect(link.hardware == .loopback)
  }

  @Test("a removed link, address or route is told from a new one")
  func removed() throws {
    let bare = [UInt8](repeating: 0, count: 16)
    guard case .linkRemoved = try routeMessage(message(17, bare)) else {
      Issue.record("RTM_DELLINK")
      return
    }
    let address = message(21, [2, 8, 0, 0, 1, 0, 0, 0]) { $0.attribute(2, [127, 0, 0, 1]) }
    guard case .addressRemoved = try routeMessage(address) else {
      Issue.record("RTM_DELADDR")
      return
    }
    guard case .routeRemoved = try routeMessage(message(25, [2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0])) else {
      Issue.record("RTM_DELROUTE")
      return
    }
  }

  @Test("of a point-to-point address the own end counts")
  func pointToPoint() throws {
    let bytes = message(
      20,
      [
        2, 32, 0x80, 0,  // AF_INET, prefix, permanent, scope universe
        5, 0, 0, 0,  // interface
      ]
    ) {
      $0.attribute(1, [10, 0, 0, 2])  // IFA_ADDRESS: the other end
      $0.attribute(2, [10, 0, 0, 1])  // IFA_LOCAL
    }
    #expect(
      try routeMessage(bytes)
        == .address(
          InterfaceAddress(interface: 5, address: IPv4Address(10, 0, 0, 1), mask: .host, broadcast: nil)))
  }

  @Test("an address and a route are read as they are written")
  func roundTrip() throws {
    let mask = try #require(Netmask(prefixLength: 20))
    let address = InterfaceAddress(
      interface: 7, address: IPv4Address(172, 16, 1, 2), mask: mask,
      broadcast: mask.broadcast(of: IPv4Address(172, 16, 1, 2)),
      scope: .link, label: [UInt8]("eth0:1"), origin: 200)
    #expect(try routeMessage(NetlinkRequest.add(address).encoded(sequence: 1)) == .address(address))
    var route = Route(to: IPv4Address(172, 16, 0, 0), mask, gateway: IPv4Address(10, 9, 8, 7), interface: 3, metric: 5)
    route.table = 70000
    route.preferredSource = IPv4Address(10, 9, 8, 1)
    #expect(try routeMessage(NetlinkRequest.replace(route).encoded(sequence: 1)) == .route(route))
  }

  @Test("a route's destination is a network: bits outside of the mask do not count")
  func destination() throws {
    let mask = try #require(Netmask(prefixLength: 24))
    #expect(Route(to: IPv4Address(10, 1, 2, 3), mask).destination == IPv4Address(10, 1, 2, 0))
    let bytes = message(24, [2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]) { $0.attribute(1, [192, 168, 1, 1]) }
    guard case .route(let route) = try routeMessage(bytes) else {
      Issue.record("not read as a route")
      return
    }
    #expect(route.destination == .unspecified)
  }

  @Test(
    "other families and types are passed over",
    arguments: [
      (16, [7, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),  // a bridge's port
      (20, [10, 64, 0, 0, 2, 0, 0, 0]),  // an IPv6 address
      (24, [10, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]),  // an IPv6 route
      (20, [2, 24, 0, 0, 2, 0, 0, 0]),  // an address message that names none
      (28, [2, 0, 0, 0]),  // RTM_NEWNEIGH
    ] as [(UInt16, [UInt8])])
  func others(type: UInt16, structure: [UInt8]) throws {
    #expect(try routeMessage(message(type, structure)) == .other(type: type))
  }
}
