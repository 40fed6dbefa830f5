import Addresses
import Addressing
import Bytes
import Testing

@Suite struct LeaseEventTests {
  private func event(_ name: String, _ variables: [String: String]) -> LeaseEvent? {
    LeaseEvent(event: [UInt8](name.utf8)) { variables["\($0)"].map { [UInt8]($0.utf8) } }
  }

  private let whole = [
    "interface": "eth0", "ip": "192.168.1.21", "mask": "24", "subnet": "255.255.255.0",
    "router": "192.168.1.1 10.0.0.1",
    "serverid": "192.168.1.2", "dns": "192.168.1.3 192.168.1.4", "ntpsrv": "192.168.1.5", "hostname": "drone1",
    "domain": "example.org",
  ]

  private func configuration(_ event: LeaseEvent?) -> AddressConfiguration? {
    if case .bound(let configuration) = event?.kind { configuration } else { nil }
  }

  @Test("a lease's values are read", arguments: ["bound", "renew"])
  func bound(name: String) throws {
    let read = try #require(configuration(event(name, whole)))
    #expect(read.address == drone)
    #expect(read.netmask == Netmask(prefixLength: 24))
    #expect(read.gateway == gateway)
    #expect(read.server == IPv4Address(192, 168, 1, 2))
    #expect(read.nameServers == [IPv4Address(192, 168, 1, 3), IPv4Address(192, 168, 1, 4)])
    #expect(read.timeServers == [IPv4Address(192, 168, 1, 5)])
    #expect(read.hostName == [UInt8]("drone1".utf8))
    #expect(read.domain == [UInt8]("example.org".utf8))
  }

  @Test(
    "events without values",
    arguments: [("deconfig", .deconfigured), ("leasefail", .unanswered), ("nak", .refused)]
      as [(String, LeaseEvent.Kind)])
  func plain(name: String, kind: LeaseEvent.Kind) { #expect(event(name, ["interface": "eth0"])?.kind == kind) }

  @Test("an unknown event, no card, and no usable address are refused")
  func refused() {
    #expect(event("reboot", whole) == nil)
    #expect(event("bound", whole.filter { $0.key != "interface" }) == nil)
    for address in ["", "0.0.0.0", "127.0.0.1", "255.255.255.255", "192.168.1.21 ", "192.168.1.21;reboot"] {
      #expect(event("bound", whole.merging(["ip": address]) { $1 }) == nil)
    }
  }

  @Test(
    "values that are not what they should be count as not given",
    arguments: [
      "mask": "33", "router": "0.0.0.0 127.0.0.1", "dns": "one,two", "ntpsrv": "224.0.1.1", "mtu": "60",
      "staticroutes": "10.0.0.0/33 192.168.1.1 10.0.0.0 1.2.3.4 10.0.0.0/8",
    ])
  func hostile(name: String, value: String) throws {
    var variables = whole.filter { $0.key != "subnet" }
    variables[name] = value
    let read = try #require(configuration(event("bound", variables)))
    variables[name] = nil
    #expect(read == configuration(event("bound", variables)))
  }

  @Test("a record gives the same event", arguments: ["bound", "deconfig", "leasefail", "nak"])
  func record(name: String) throws {
    let first = try #require(event(name, whole))
    #expect(LeaseEvent(record: first.record) == first)
    #expect(first.record.count < 4096)
  }

  @Test("a name may be any bytes: whoever uses it decides", arguments: ["Lab PC 7", "-x", "a%20b", "é\n", "%"])
  func anyName(name: String) throws {
    let first = try #require(event("bound", whole.merging(["hostname": name, "domain": name]) { $1 }))
    #expect(configuration(first)?.hostName == [UInt8](name.utf8))
    #expect(!first.record.dropLast().contains { !(0x20...0x7E).contains($0) })
    #expect(LeaseEvent(record: first.record) == first)
  }

  @Test(
    "a lease's MTU counts from 576 on",
    arguments: [("1400", 1400), ("576", 576), ("575", nil), ("60", nil), ("x", nil)])
  func mtu(text: String, value: UInt16?) throws {
    #expect(try #require(configuration(event("bound", whole.merging(["mtu": text]) { $1 }))).mtu == value)
  }

  /// Option 121 and 249 as udhcpc shows them, and the routes that come of them.
  static let routes: [(variables: [String: String], gateway: IPv4Address?, routes: [StaticRoute])] = [
    (["staticroutes": "0.0.0.0/0 192.168.1.254"], IPv4Address(192, 168, 1, 254), []),
    (
      ["staticroutes": "192.168.77.1/32 0.0.0.0 0.0.0.0/0 192.168.77.1"], IPv4Address(192, 168, 77, 1),
      [StaticRoute(network: IPv4Address(192, 168, 77, 1), mask: .host, gateway: nil)]
    ),
    (
      ["staticroutes": "10.0.0.0/8 192.168.1.9"], nil,
      [
        StaticRoute(
          network: IPv4Address(10, 0, 0, 0), mask: Netmask(prefixLength: 8) ?? .host,
          gateway: IPv4Address(192, 168, 1, 9))
      ]
    ),
    (["msstaticroutes": "0.0.0.0/0 192.168.1.254"], IPv4Address(192, 168, 1, 254), []),
    (["staticroutes": ""], gateway, []),
  ]

  @Test("classless routes take the place of the routers, as RFC 3442 says", arguments: routes.indices)
  func classless(_ index: Int) throws {
    let (variables, gateway, routes) = Self.routes[index]
    let lease = try #require(event("bound", whole.merging(variables) { $1 }))
    #expect(configuration(lease)?.gateway == gateway)
    #expect(configuration(lease)?.routes == routes)
    #expect(LeaseEvent(record: lease.record) == lease)
  }

  @Test("routes are asked for before routers")
  func order() throws {
    let asked = LeaseEvent.askedOptions.map(\.number)
    #expect(asked == [1, 121, 3, 6, 12, 15, 26, 42, 249])
  }

  @Test("a client's own chatter is no record", arguments: ["", "udhcpc: started, v1.35.0", "lease", "lease bound"])
  func chatter(line: String) { #expect(LeaseEvent(record: line.utf8) == nil) }

  @Test("the longest record fits into a pipe whole")
  func longest() throws {
    let long = String(repeating: " ", count: 255)
    let many = String(repeating: "192.168.100.200 ", count: 50)
    let read = try #require(
      event(
        "bound",
        whole.merging([
          "hostname": long, "domain": long, "dns": many, "ntpsrv": many, "mtu": "65535",
          "staticroutes": String(repeating: "192.168.100.200/32 192.168.100.200 ", count: 50),
        ]) { $1 }))
    #expect(read.record.count < 4096)
    #expect(LeaseEvent(record: read.record) == read)
  }
}
