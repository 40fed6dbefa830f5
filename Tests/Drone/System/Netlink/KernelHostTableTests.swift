import Addresses
import Glibc
import Linux
import Netlink
import PacketFilter
import TestSupport
import Testing

/// What a cluster adds to the filter of a full Linux, in a kernel: as nft(8) shows it, and as packets find it.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"), .serialized)
struct KernelHostTableTests {
  private let member = IPv4Address(10, 0, 0, 2)

  @Test("on a full Linux the machine's own filter stays as it was, and goes back to it")
  func host() throws {
    let network = try NetworkThread()
    try network.command("nft", "add table inet own; add chain inet own in { type filter hook input priority 0; }")
    let before = try network.command("nft", "list", "ruleset")
    try perform(.hostFilter(), in: network)
    let with = lines(try network.command("nft", "--stateless", "list", "table", "inet", "tyd"))
    for (index, pair) in zip(with, lines(expectedHost)).enumerated() where pair.0 != pair.1 {
      Issue.record("line \(index): \(pair.0) is not \(pair.1)")
    }
    #expect(with.count == lines(expectedHost).count)
    let six = try #require(IPv6Address(octets: [0xFD] + [UInt8](repeating: 0, count: 14) + [2]))
    var join = FilterBatch(family: FilterTable.hostFamily)
    join.addMember(member, to: FilterTable.hostTable)
    join.addOther(.ipv4(IPv4Address(172, 16, 0, 2)))
    join.addOther(.ipv6(six))
    try perform(join, in: network)
    try perform(.hostFilter(), in: network)
    let text = lines(try network.command("nft", "list", "ruleset"))
    for line in ["elements = { 10.0.0.2 }", "elements = { 172.16.0.2 }", "elements = { fd00::2 }"] {
      #expect(text.contains(line), "\(line)")
    }
    var leave = FilterBatch(family: FilterTable.hostFamily)
    leave.removeOther(.ipv6(six))
    try perform(leave, in: network)
    for _ in 0..<2 {
      try perform(.removeHostFilter(), in: network)
      #expect(try network.command("nft", "list", "ruleset") == before)
    }
  }

  @Test("on a full Linux strangers meet the machine's own rules, members only ESP and the control port")
  func hostPackets() throws {
    let machine = try NetworkThread()
    let other = try NetworkThread()
    try NetworkThread.join(machine, "10.0.0.1/24", other, "10.0.0.2/24")
    for (side, address) in [(machine, "fd00::1/64"), (other, "fd00::2/64")] {
      try side.command("ip", "address", "add", address, "dev", "eth0", "nodad")
    }
    try other.command("ip", "address", "add", "10.0.0.3/24", "dev", "eth0")
    try perform(.hostFilter(), in: machine)
    let here = try machine.run { try Datagrams(port: 4000) }
    let there = try other.run { try Datagrams(port: 5000) }
    func passes() throws -> (inward: Bool, outward: Bool) {
      _ = try there.send([1], to: [10, 0, 0, 1], port: 4000)
      let inward = here.receive(within: 200) != nil
      _ = try here.send([2], to: [10, 0, 0, 2], port: 5000)
      return (inward, there.receive(within: 200) != nil)
    }
    #expect(try passes() == (true, true))
    // What members say to each other of the cluster comes from members, in ESP, and from nobody else.
    let membership = try machine.run { try Datagrams(port: 3278) }
    #expect(try there.send([1], to: [10, 0, 0, 1], port: 3278))
    #expect(membership.receive(within: 200) == nil)
    let own = IPv4Address(10, 0, 0, 1)
    let service = try machine.run { Held(try listenStream(on: SocketAddress(own, port: 80))) }
    #expect(try connects(other, SocketAddress(own, port: 80), from: 3278))
    var join = FilterBatch(family: FilterTable.hostFamily)
    join.addMember(member, to: FilterTable.hostTable)
    try perform(join, in: machine)
    #expect(try passes() == (false, false))
    let listener = try machine.run { Held(try listenStream(on: SocketAddress(own, port: 3278))) }
    #expect(try connects(other, SocketAddress(own, port: 3278)))
    // From this port, which IPsec lets pass, nobody begins a connection in a member's name.
    #expect(try !connects(other, SocketAddress(own, port: 80), from: 3278))
    _ = (listener, service)
    // Another address of the member is cut off, in both versions.
    #expect(try here.send([2], to: [10, 0, 0, 3], port: 5000))
    #expect(there.receive(within: 2000) != nil)
    #expect(try sends6(machine))
    let six = try #require(IPv6Address(octets: [0xFD] + [UInt8](repeating: 0, count: 14) + [2]))
    var others = FilterBatch(family: FilterTable.hostFamily)
    others.addOther(.ipv4(IPv4Address(10, 0, 0, 3)))
    others.addOther(.ipv6(six))
    try perform(others, in: machine)
    #expect(try !here.send([2], to: [10, 0, 0, 3], port: 5000))
    #expect(try !sends6(machine))
  }

  @Test(
    "a full Linux that routes, or hides its drones behind its own address, forwards to members as before; what it sends itself does not leave in clear"
  )
  func routing() throws {
    let machine = try NetworkThread()
    let drone = try NetworkThread()
    let outsider = try NetworkThread()
    try NetworkThread.join(machine, "10.0.0.1/24", drone, "10.0.0.2/24")
    try machine.command("ip", "link", "set", "eth0", "name", "eth1")
    try NetworkThread.join(machine, "10.0.1.1/24", outsider, "10.0.1.2/24")
    try machine.command("ip", "link", "set", "eth1", "up")
    try machine.command("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    try drone.command("ip", "route", "add", "default", "via", "10.0.0.1")
    try outsider.command("ip", "route", "add", "default", "via", "10.0.1.1")
    let here = try machine.run { try Datagrams(port: 4000) }
    let there = try drone.run { try Datagrams(port: 5000) }
    let beyond = try outsider.run { try Datagrams(port: 6000) }
    // From an address that is none of this machine's.
    let foreign = try machine.run { try Datagrams(port: 4001, from: [10, 0, 0, 77]) }
    // Another program's tunnel to the member; what leaves through it came by the tunnel's interface.
    try machine.command(
      "ip", "link", "add", "tunnel", "type", "vxlan", "id", "1", "remote", "10.0.0.2", "dstport", "5000", "noudpcsum")
    try machine.command("ip", "address", "add", "10.0.9.1/24", "dev", "tunnel")
    // Without IPv6, whose own questions would go through it at any time.
    try machine.command("sysctl", "-q", "-w", "net.ipv6.conf.tunnel.disable_ipv6=1")
    try machine.command("ip", "link", "set", "tunnel", "up")
    try machine.command(
      "ip", "neighbour", "add", "10.0.9.2", "lladdr", "02:00:00:00:00:01", "nud", "permanent", "dev", "tunnel")
    /// What reaches the member of one datagram each.
    func arrive() throws -> [Bool] {
      var came: [Bool] = []
      for (sender, target) in [(here, [10, 0, 0, 2]), (foreign, [10, 0, 0, 2]), (here, [10, 0, 9, 2])]
        as [(Datagrams, [UInt8])]
      {
        _ = try sender.send([1], to: target, port: 5000)
        came.append(there.receive(within: 300) != nil)
      }
      return came
    }
    while there.receive(within: 300) != nil {}
    #expect(try arrive() == [true, true, true], "without a cluster")
    try perform(.hostFilter(), in: machine)
    var join = FilterBatch(family: FilterTable.hostFamily)
    join.addMember(member, to: FilterTable.hostTable)
    try perform(join, in: machine)
    for hides in [false, true] {
      if hides {
        try machine.command(
          "nft",
          "table ip own { chain out { type nat hook postrouting priority srcnat; oif \"eth0\" masquerade; }; }")
      }
      #expect(try there.send([1], to: [10, 0, 1, 2], port: 6000))
      #expect(beyond.receive(within: 2000)?.bytes == [1], "hides: \(hides)")
      #expect(try beyond.send([2], to: hides ? [10, 0, 1, 1] : [10, 0, 0, 2], port: 5000))
      #expect(there.receive(within: 2000)?.bytes == [2], "hides: \(hides)")
      #expect(try arrive() == [false, false, false], "hides: \(hides)")
    }
    // What speaks of the cluster is this machine's alone, whatever is behind it.
    let memberPort = try drone.run { try Datagrams(port: 3278) }
    let guest = try outsider.run { try Datagrams(port: 3278) }
    #expect(try guest.send([4], to: [10, 0, 0, 2], port: 5000))
    #expect(there.receive(within: 300) == nil)
    for sender in [guest, beyond] {
      #expect(try sender.send([4], to: [10, 0, 0, 2], port: 3278))
      #expect(memberPort.receive(within: 300) == nil)
    }
    // What it forwards under its own address is the machine's own for the wire, and for policies.
    try machine.command("nft", "add rule ip own out oif \"eth1\" masquerade")
    let another = try drone.run { try Datagrams(port: 5002) }
    #expect(try beyond.send([3], to: [10, 0, 0, 2], port: 5002))
    #expect(another.receive(within: 300) == nil)
  }

  /// Whether the filter lets a datagram go to fd00::2.
  private func sends6(_ network: NetworkThread) throws -> Bool {
    try network.run {
      let socket = Glibc.socket(AF_INET6, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      defer { close(socket) }
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = UInt16(5000).bigEndian
      guard inet_pton(AF_INET6, "fd00::2", &address.sin6_addr) == 1 else { return false }
      let went = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(socket, [1], 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
      return went == 1
    }
  }
}
