import Addresses
import Addressing
import BootLine
import Testing

/// Words and forms of other boot systems that stand on kernel lines which a drone reads, too.
@Suite("Lines that were written for other systems")
struct DracutWordTests {
  @Test(
    "a line that others wrote gives what is right for a drone, and says what is not",
    arguments: [
      // The card of the boot, in the device field: klibc's and Canonical's convention beside PXELINUX's IPAPPEND 2.
      ("ip=::::bibarel:BOOTIF:dhcp BOOTIF=01-ec-b1-d7-7f-2a-6c", ["* dhcp name=bibarel"], []),
      ("ip=::::bibarel:BOOTIF BOOTIF=01-ec-b1-d7-7f-2a-6c", ["* any name=bibarel"], []),
      ("BOOTIF=01-ec-b1-d7-7f-2a-6c ip=BOOTIF:dhcp", ["* dhcp"], []),
      ("ip=10.0.0.5:::8::BOOTIF:off BOOTIF=ec-b1-d7-7f-2a-6c", ["* static 10.0.0.5 /8"], []),
      (
        "ip=BOOTIF:dhcp", ["* dhcp"],
        [#""ip=BOOTIF:dhcp", field 1 (device): no word BOOTIF= says which card booted; any card is used."#]
      ),
      (
        "ip=:::::BOOTIF:rarp", ["* rarp"],
        [#""ip=:::::BOOTIF:rarp", field 6 (device): no word BOOTIF= says which card booted; any card is used."#]
      ),
      // IPv6.
      ("ip=dhcp6", ["* off"], [noIPv6("ip=dhcp6", 1, "autoconf", "dhcp6 asks", "no address is set")]),
      (
        "ip=:::::eth0:dhcp6", ["eth0 off"],
        [noIPv6("ip=:::::eth0:dhcp6", 7, "autoconf", "dhcp6 asks", "no address is set")]
      ),
      (
        "ip=eth0:auto6", ["eth0 off"],
        [noIPv6("ip=eth0:auto6", 2, "autoconf", "auto6 asks", "no address is set")]
      ),
      ("ip=either6", ["* off"], [noIPv6("ip=either6", 1, "autoconf", "either6 asks", "no address is set")]),
      ("ip=eth1:link6", ["eth1 off"], [noIPv6("ip=eth1:link6", 2, "autoconf", "link6 asks", "no address is set")]),
      (
        "ip=ens7:dhcp,dhcp6", ["ens7 dhcp"],
        [noIPv6("ip=ens7:dhcp,dhcp6", 2, "autoconf", "dhcp6 asks", "only dhcp is used")]
      ),
      ("ip=dhcp,dhcp6", ["* dhcp"], [noIPv6("ip=dhcp,dhcp6", 1, "autoconf", "dhcp6 asks", "only dhcp is used")]),
      ("ip=auto6,dhcp", ["* dhcp"], [noIPv6("ip=auto6,dhcp", 1, "autoconf", "auto6 asks", "only dhcp is used")]),
      ("ip=dhcp6,auto6", ["* off"], [noIPv6("ip=dhcp6,auto6", 1, "autoconf", "dhcp6 asks", "no address is set")]),
      // An identifier may look like anything.
      ("ip=dhcp,0,dhcp6", ["* dhcp id=0,dhcp6"], []),
      (
        "ip=10.0.0.5:::::eth0:dhcp6", ["eth0 static 10.0.0.5 /8"],
        [noIPv6("ip=10.0.0.5:::::eth0:dhcp6", 7, "autoconf", "dhcp6 asks", "it is ignored")]
      ),
      (
        "ip=[2a10:db8::12]::[2a10:db8::1]:64:drone7:eth0:off", ["eth0 off name=drone7"],
        [
          noIPv6(
            "ip=[2a10:db8::12]::[2a10:db8::1]:64:drone7:eth0:off", 1, "address", "[2a10:db8::12] is",
            "no address is set")
        ]
      ),
      (
        "ip=[2001:db8::7]", ["* off"],
        [noIPv6("ip=[2001:db8::7]", 1, "address", "[2001:db8::7] is", "no address is set")]
      ),
      (
        "ip=10.0.0.5::[2001:db8::1]:8::eth0:off:[2001:db8::53]:10.0.0.3", ["eth0 static 10.0.0.5 /8 dns=10.0.0.3"],
        [
          noIPv6(
            "ip=10.0.0.5::[2001:db8::1]:8::eth0:off:[2001:db8::53]:10.0.0.3", 3, "gateway", "[2001:db8::1] is",
            "no gateway is set"),
          noIPv6(
            "ip=10.0.0.5::[2001:db8::1]:8::eth0:off:[2001:db8::53]:10.0.0.3", 8, "dns", "[2001:db8::53] is",
            "it is ignored"),
        ]
      ),
      // dracut's other words of the autoconf field.
      (
        "ip=enp6s0f0:static", ["enp6s0f0 off"],
        [
          #""ip=enp6s0f0:static", field 2 (autoconf): "static" needs an address in the first field; no address is set."#
        ]
      ),
      ("ip=10.0.0.5:::::eth0:static", ["eth0 static 10.0.0.5 /8"], []),
      ("ip=single-dhcp", ["* dhcp"], []),
      // Two addresses for one card.
      (
        "ip=192.0.2.10::192.0.2.1:255.255.255.0:a:eth1:off:192.0.2.53 ip=192.0.2.11:::255.255.255.0::eth1:off",
        ["eth1 static 192.0.2.11 /24 name=a"],
        [
          #""ip=192.0.2.11:::255.255.255.0::eth1:off", field 6 (device): "eth1" is configured by "ip=192.0.2.10::192.0.2.1:"#
            + #"255.255.255.0:a:eth1:off:192.0.2.53" too; the later word counts, without the earlier one's address "#
            + "192.0.2.10, gateway 192.0.2.1, DNS server 192.0.2.53."
        ]
      ),
      // Cards that a drone does not make.
      (
        "vlan=eth0.5:eth0 ip=eth0.5:dhcp", ["* off"],
        [
          #""vlan=eth0.5:eth0": a drone makes no VLANs; there is no card "eth0.5"."#,
          #""ip=eth0.5:dhcp", field 1 (device): "eth0.5" is a VLAN's name, and a drone makes no VLANs; no card is configured."#,
        ]
      ),
      (
        "ip=10.0.0.5:::::eth0.4094", ["* off"],
        [
          #""ip=10.0.0.5:::::eth0.4094", field 6 (device): "eth0.4094" is a VLAN's name, and a drone makes no VLANs; no "#
            + "card is configured."
        ]
      ),
      ("ip=a.b:dhcp", ["a.b dhcp"], []),
      ("ip=eth0.4095:dhcp", ["eth0.4095 dhcp"], []),
      (
        "ifname=bootnet:52:54:00:12:34:56 ip=bootnet:dhcp", ["bootnet dhcp"],
        [
          #""ifname=bootnet:52:54:00:12:34:56": a drone renames no cards: the first is eth0; there is no card "bootnet"."#
        ]
      ),
      ("bond", ["* any"], [#""bond": a drone bonds no cards."#]),
      (
        "bond=bond0:eth0,eth1", ["* any"],
        [#""bond=bond0:eth0,eth1": a drone bonds no cards; there is no card "bond0"."#]
      ),
      ("bridge=br0:eth0", ["* any"], [#""bridge=br0:eth0": a drone bridges no cards; there is no card "br0"."#]),
      ("team=team0:eth0", ["* any"], [#""team=team0:eth0": a drone teams no cards; there is no card "team0"."#]),
      // A gateway that the mask does not reach.
      (
        "ip=10.1.2.3::10.1.2.1:255.255.255.255::eth0:off", ["eth0 static 10.1.2.3 /32 gw=10.1.2.1"], []
      ),
    ] as [(String, [String], [String])])
  func lines(line: String, network: [String], errors: [String]) {
    let read = BootLine(line)
    #expect(read.network == network)
    #expect(read.sentences == errors)
  }

  @Test(
    "DNS servers are kept in their order, each once, three at most",
    arguments: [
      ("", [], 0), ("nameserver=10.0.0.3", ["10.0.0.3"], 0),
      ("nameserver=10.0.0.3 nameserver=10.0.0.2 nameserver=10.0.0.3", ["10.0.0.3", "10.0.0.2"], 0),
      (
        "nameserver=1.1.1.1 nameserver=1.1.1.2 nameserver=1.1.1.3 nameserver=1.1.1.4",
        ["1.1.1.1", "1.1.1.2", "1.1.1.3"], 1
      ),
      ("nameserver=", [], 1), ("nameserver", [], 1), ("nameserver=0.0.0.0", [], 1), ("nameserver=dns.example", [], 1),
      ("nameserver=[2001:db8::53]", [], 1),
    ] as [(String, [String], Int)])
  func nameServers(line: String, expected: [String], errors: Int) {
    let read = BootLine(line)
    #expect(read.networkSettings.nameServers.map { text($0.text) } == expected)
    #expect(read.errors.count == errors)
  }

  @Test(
    "a route has a network, and a gateway or a card",
    arguments: [
      ("192.168.200.0/24:192.168.100.222:eth1", "192.168.200.0/24 by 192.168.100.222 on eth1"),
      ("192.168.200.0/255.255.255.0:192.168.100.222", "192.168.200.0/24 by 192.168.100.222"),
      ("192.168.200.0/24::eth0", "192.168.200.0/24 on eth0"), ("0.0.0.0/0:10.0.0.1", "0.0.0.0/0 by 10.0.0.1"),
      ("10.1.2.3/32:10.0.0.1:", "10.1.2.3/32 by 10.0.0.1"),
      ("", nil), ("192.168.200.0/24", nil), ("192.168.200.0/24:", nil), ("192.168.200.0/24::", nil),
      ("192.168.200.1/24:10.0.0.1", nil), ("192.168.200.0:10.0.0.1", nil), ("192.168.200.0/33:10.0.0.1", nil),
      ("192.168.200.0/255.0.255.0:10.0.0.1", nil), ("192.168.200.0/24:gateway", nil),
      ("192.168.200.0/24:10.0.0.1:eth0:1", nil), ("192.168.200.0/24:10.0.0.1:et/h0", nil),
      ("192.168.200.0/24:10.0.0.1:eth0.5", nil), ("[2001:DB8:3::/8]:[2001:DB8:2::1]:eth0", nil),
    ] as [(String, String?)])
  func routes(value: String, expected: String?) {
    let read = BootLine("rd.route=\(value) rd.route=\(value)")
    let routes = read.networkSettings.routes.map { route in
      text(route.text) + (route.device.map { " on \(text($0))" } ?? "")
    }
    #expect(routes == (expected.map { [$0] } ?? []))
    #expect(read.errors.count == (expected == nil ? 2 : 0))
  }

  @Test(
    "a route goes to its card, or to the one in whose network its gateway lies, before what a lease says of that network"
  )
  func routesOfCards() throws {
    let read = BootLine(
      "rd.route=10.1.0.0/16:192.168.1.1 rd.route=10.2.0.0/16:192.168.1.2:eth1 rd.route=10.3.0.0/16::eth0")
    let lan = try #require(Netmask(prefixLength: 16))
    let request = try #require(read.interfaces.first)
    var leased = try #require(AddressConfiguration(address: IPv4Address(192, 168, 1, 21)))
    leased.routes = [
      StaticRoute(network: IPv4Address(10, 3, 0, 0), mask: lan, gateway: IPv4Address(192, 168, 1, 9)),
      StaticRoute(network: IPv4Address(10, 4, 0, 0), mask: lan, gateway: IPv4Address(192, 168, 1, 9)),
    ]
    let eth0 = request.completed(leased, read.networkSettings, on: Array("eth0".utf8)).routes
    #expect(
      eth0 == [
        leased.routes[1],
        StaticRoute(network: IPv4Address(10, 1, 0, 0), mask: lan, gateway: IPv4Address(192, 168, 1, 1)),
        StaticRoute(network: IPv4Address(10, 3, 0, 0), mask: lan, gateway: nil),
      ])
    leased = try #require(AddressConfiguration(address: IPv4Address(172, 16, 0, 1)))
    let eth1 = request.completed(leased, read.networkSettings, on: Array("eth1".utf8)).routes
    #expect(eth1 == [StaticRoute(network: IPv4Address(10, 2, 0, 0), mask: lan, gateway: IPv4Address(192, 168, 1, 2))])
  }

  @Test(
    "dracut's switches have its values",
    arguments: [
      ("", true, 0), ("rd.peerdns", true, 0), ("rd.peerdns=1", true, 0), ("rd.peerdns=yes", true, 0),
      ("rd.peerdns=0", false, 0), ("rd.peerdns=no", false, 0), ("rd.peerdns=off", false, 0), ("rd.peerdns=2", true, 1),
      ("rd.neednet=1", true, 0), ("rd.neednet=0", true, 0), ("rd.neednet=x", true, 1),
    ])
  func switches(line: String, takesLeasedDNS: Bool, errors: Int) {
    let read = BootLine(line)
    #expect(read.networkSettings.takesLeasedDNS == takesLeasedDNS)
    #expect(read.errors.count == errors)
    #expect(read.network == ["* any"])
  }
}

private func noIPv6(_ word: String, _ position: Int, _ field: String, _ what: String, _ consequence: String) -> String {
  let parts = what.split(separator: " ")
  let verb = parts[1] == "asks" ? "asks for IPv6, which" : "is for IPv6, which"
  return "\"\(word)\", field \(position) (\(field)): \"\(parts[0])\" \(verb) a drone does not have; \(consequence)."
}
