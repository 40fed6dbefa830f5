import Addresses
import Bytes
import Testing

@testable import Netlink

/// Requests as bytes, each field with its meaning.
@Suite struct RouteRequestTests {
  @Test("setting a link up changes the up flag and nothing else")
  func linkUp() {
    #expect(
      NetlinkRequest.setLink(index: 2, up: true).encoded(sequence: 1) == [
        32, 0, 0, 0,  // length
        16, 0,  // RTM_NEWLINK
        5, 0,  // request, acknowledge
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        0, 0,  // AF_UNSPEC, padding
        0, 0,  // hardware type
        2, 0, 0, 0,  // index
        1, 0, 0, 0,  // flags: up
        1, 0, 0, 0,  // of which these change
      ])
  }

  @Test("setting a link down clears the up flag")
  func linkDown() {
    let bytes = NetlinkRequest.setLink(index: 2, up: false).encoded(sequence: 1)
    #expect(bytes.suffix(8) == [0, 0, 0, 0, 1, 0, 0, 0])
  }

  @Test("setting the MTU changes no flag")
  func mtu() {
    #expect(
      NetlinkRequest.setLink(index: 300, mtu: 1400).encoded(sequence: 9) == [
        40, 0, 0, 0,  // length
        16, 0,  // RTM_NEWLINK
        5, 0,  // request, acknowledge
        9, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        0, 0, 0, 0,  // family, padding, hardware type
        0x2C, 1, 0, 0,  // index
        0, 0, 0, 0,  // flags
        0, 0, 0, 0,  // change
        8, 0, 4, 0,  // IFLA_MTU, 8 bytes
        0x78, 5, 0, 0,  // 1400
      ])
  }

  @Test("a name is a text with a zero behind it")
  func name() {
    #expect(
      NetlinkRequest.setLink(index: 2, name: Array("eth1".utf8)).encoded(sequence: 1).dropFirst(16) == [
        0, 0, 0, 0,  // family, padding, hardware type
        2, 0, 0, 0,  // index
        0, 0, 0, 0,  // flags
        0, 0, 0, 0,  // change
        9, 0, 3, 0,  // IFLA_IFNAME, 9 bytes
        0x65, 0x74, 0x68, 0x31, 0,  // "eth1"
        0, 0, 0,  // padding
      ])
  }

  @Test("setting the hardware address changes no flag")
  func hardwareAddress() {
    let address = MACAddress(octets: [2, 0, 0, 0, 0, 0x0B]) ?? .zero
    #expect(
      NetlinkRequest.setLink(index: 2, address: address).encoded(sequence: 1) == [
        44, 0, 0, 0,  // length
        16, 0,  // RTM_NEWLINK
        5, 0,  // request, acknowledge
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        0, 0, 0, 0,  // family, padding, hardware type
        2, 0, 0, 0,  // index
        0, 0, 0, 0,  // flags
        0, 0, 0, 0,  // change
        10, 0, 1, 0,  // IFLA_ADDRESS, 10 bytes
        2, 0, 0, 0, 0, 0x0B, 0, 0,  // the address and padding
      ])
  }

  @Test("listing links asks for all, without counters")
  func listLinks() {
    #expect(
      NetlinkRequest.listLinks.encoded(sequence: 1) == [
        40, 0, 0, 0,  // length
        18, 0,  // RTM_GETLINK
        1, 3,  // request, dump
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        0, 0, 0, 0,  // family, padding, hardware type
        0, 0, 0, 0,  // index
        0, 0, 0, 0,  // flags
        0, 0, 0, 0,  // change
        8, 0, 29, 0,  // IFLA_EXT_MASK, 8 bytes
        8, 0, 0, 0,  // RTEXT_FILTER_SKIP_STATS
      ])
  }

  @Test("listing addresses and routes asks for all of IPv4")
  func listOthers() {
    #expect(
      NetlinkRequest.listAddresses.encoded(sequence: 1) == [
        24, 0, 0, 0,  // length
        22, 0,  // RTM_GETADDR
        1, 3,  // request, dump
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        2, 0, 0, 0,  // AF_INET, prefix, flags, scope
        0, 0, 0, 0,  // interface
      ])
    #expect(
      NetlinkRequest.listRoutes.encoded(sequence: 1) == [
        28, 0, 0, 0,  // length
        26, 0,  // RTM_GETROUTE
        1, 3,  // request, dump
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        2, 0, 0, 0,  // AF_INET, prefixes, type of service
        0, 0, 0, 0,  // table, origin, scope, kind
        0, 0, 0, 0,  // flags
      ])
  }

  @Test("adding an address names it, its network's broadcast and its label")
  func addAddress() throws {
    let mask = try #require(Netmask(prefixLength: 24))
    let address = InterfaceAddress(
      interface: 2, address: IPv4Address(192, 168, 1, 21), mask: mask, broadcast: IPv4Address(192, 168, 1, 255),
      label: [UInt8]("eth0"), origin: 3)
    #expect(
      NetlinkRequest.add(address).encoded(sequence: 1) == [
        68, 0, 0, 0,  // length
        20, 0,  // RTM_NEWADDR
        5, 5,  // request, acknowledge, replace, create
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        2, 24, 0, 0,  // AF_INET, prefix, flags, scope universe
        2, 0, 0, 0,  // interface
        8, 0, 2, 0,  // IFA_LOCAL
        192, 168, 1, 21,
        8, 0, 1, 0,  // IFA_ADDRESS: no other end, so the same
        192, 168, 1, 21,
        8, 0, 4, 0,  // IFA_BROADCAST
        192, 168, 1, 255,
        9, 0, 3, 0,  // IFA_LABEL: 9 bytes with the ending zero, then padding
        0x65, 0x74, 0x68, 0x30, 0, 0, 0, 0,
        5, 0, 11, 0,  // IFA_PROTO: 5 bytes, then padding
        3, 0, 0, 0,
      ])
  }

  @Test("removing an address is the same message with another type and no create")
  func removeAddress() throws {
    let address = InterfaceAddress(
      interface: 2, address: IPv4Address(10, 0, 0, 1), mask: .host, broadcast: nil, scope: .link)
    #expect(
      NetlinkRequest.remove(address).encoded(sequence: 1) == [
        40, 0, 0, 0,  // length
        21, 0,  // RTM_DELADDR
        5, 0,  // request, acknowledge
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        2, 32, 0, 253,  // AF_INET, prefix, flags, scope link
        2, 0, 0, 0,  // interface
        8, 0, 2, 0,  // IFA_LOCAL
        10, 0, 0, 1,
        8, 0, 1, 0,  // IFA_ADDRESS
        10, 0, 0, 1,
      ])
  }

  @Test("a default route has no destination, a router and an interface, and replaces the one before")
  func defaultRoute() {
    let route = Route.standard(gateway: IPv4Address(192, 168, 1, 1), interface: 2, metric: 100)
    #expect(
      NetlinkRequest.replace(route).encoded(sequence: 1) == [
        52, 0, 0, 0,  // length
        24, 0,  // RTM_NEWROUTE
        5, 5,  // request, acknowledge, replace, create
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        2, 0, 0, 0,  // AF_INET, destination prefix, source prefix, type of service
        254, 3, 0, 1,  // main table, made at boot, scope universe, unicast
        0, 0, 0, 0,  // flags
        8, 0, 5, 0,  // RTA_GATEWAY
        192, 168, 1, 1,
        8, 0, 4, 0,  // RTA_OIF
        2, 0, 0, 0,
        8, 0, 6, 0,  // RTA_PRIORITY
        100, 0, 0, 0,
      ])
  }

  @Test("removing a network's route names the network, with scope link")
  func removeRoute() throws {
    let mask = try #require(Netmask(prefixLength: 16))
    let route = Route(to: IPv4Address(10, 1, 0, 0), mask, interface: 3)
    #expect(
      NetlinkRequest.remove(route).encoded(sequence: 1) == [
        44, 0, 0, 0,  // length
        25, 0,  // RTM_DELROUTE
        5, 0,  // request, acknowledge
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
        2, 16, 0, 0,  // AF_INET, destination prefix, source prefix, type of service
        254, 3, 253, 1,  // main table, made at boot, scope link, unicast
        0, 0, 0, 0,  // flags
        8, 0, 1, 0,  // RTA_DST
        10, 1, 0, 0,
        8, 0, 4, 0,  // RTA_OIF
        3, 0, 0, 0,
      ])
  }

  @Test("a table above 255 stands in an attribute of its own")
  func largeTable() {
    var route = Route.standard(gateway: IPv4Address(10, 0, 0, 1), interface: 1)
    route.table = 1000
    let bytes = NetlinkRequest.replace(route).encoded(sequence: 1)
    #expect(bytes[20] == 0)  // RT_TABLE_UNSPEC
    #expect(bytes.suffix(8) == [8, 0, 15, 0, 0xE8, 3, 0, 0])  // RTA_TABLE
  }

  @Test("a value too long for its length field marks the body instead of being cut")
  func overflow() {
    var body = MessageBody()
    body.attribute(1, [UInt8](repeating: 0, count: 65531))
    #expect(!body.overflowed)
    #expect(body.bytes.count == 65536)
    body.nested(2) { $0.attribute(1, [UInt8](repeating: 0, count: 65532)) }
    #expect(body.overflowed)
    #expect(body.bytes.count == 65540)
  }
}
