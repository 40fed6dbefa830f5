import Addresses
import Linux
import Netlink
import PacketFilter
import TestSupport
import Testing

/// What a cluster adds to a drone's filter, in a kernel: as nft(8) shows it, and as packets find it.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"), .serialized)
struct KernelClusterTests {
  private let member = IPv4Address(10, 0, 0, 2)

  @Test("nft(8) reads the drone's table with a cluster as it is meant, whether init made the table or not")
  func listing() throws {
    for initFirst in [true, false] {
      let network = try NetworkThread()
      if initFirst { try perform(droneAtBoot, in: network) }
      try perform(.droneFilter(.initial, tableExists: initFirst), in: network)
      let text = try network.command("nft", "--stateless", "list", "ruleset")
      for (index, pair) in zip(lines(text), lines(expectedDrone)).enumerated() where pair.0 != pair.1 {
        Issue.record("line \(index): \(pair.0) is not \(pair.1)")
      }
      #expect(lines(text).count == lines(expectedDrone).count)
      try perform(.droneFilter(.initial, tableExists: true), in: network)
      #expect(try network.command("nft", "--stateless", "list", "ruleset") == text)
    }
  }

  @Test("members stay when the filter is closed again; allowed ports stay only when it is not as at boot")
  func states() throws {
    let network = try NetworkThread()
    try perform(.droneFilter(.initial, tableExists: false), in: network)
    // Where the log goes was said at boot and stays.
    try perform(.droneLog(to: IPv4Address(10, 0, 0, 9)), in: network)
    let closed = try network.command("nft", "--stateless", "list", "ruleset")
    var join = FilterBatch()
    join.addMember(member, to: FilterTable.droneTable)
    try perform(join, in: network)
    try allow(80, in: network)
    try perform(.droneSearch(true), in: network)
    try perform(.droneFilter(.open, tableExists: true), in: network)
    let open = lines(try network.command("nft", "--stateless", "list", "ruleset"))
    #expect(open.filter { $0 == "accept comment \"tyd -f off\"" }.count == 2)
    try perform(.droneFilter(.closed, tableExists: true), in: network)
    let again = lines(try network.command("nft", "--stateless", "list", "ruleset"))
    for line in [
      "elements = { 10.0.0.2 }", "tcp dport 80 accept comment \"tyd -f allow\"",
      "udp sport 2727 udp dport 2728 accept comment \"discovery\"",
    ] { #expect(again.contains(line), "\(line)") }
    let members = try network.run { () throws -> [[UInt8]] in
      var socket = try NetlinkSocket(.netfilter)
      var found: [[UInt8]] = []
      for message in try socket.list(.listMembers(of: FilterTable.droneTable, family: FilterTable.droneFamily)) {
        if case .elements(let elements, _, _) = try FilterMessage(message) { found += elements }
      }
      return found
    }
    #expect(members == [member.octets])
    var leave = FilterBatch()
    leave.removeMember(member, from: FilterTable.droneTable)
    try perform(leave, in: network)
    try perform(.droneSearch(false), in: network)
    try perform(.droneFilter(.initial, tableExists: true), in: network)
    #expect(try network.command("nft", "--stateless", "list", "ruleset") == closed)
  }

  @Test("when tyd ends, the filter is as at boot, and the log still goes to its host")
  func end() throws {
    let network = try NetworkThread()
    try perform(droneAtBoot, in: network)
    try perform(.droneLog(to: IPv4Address(10, 0, 0, 9)), in: network)
    let before = try network.command("nft", "--stateless", "list", "ruleset")
    #expect(before.contains("ip daddr 10.0.0.9 udp dport 514 accept comment \"syslog\""))
    try perform(.droneFilter(.initial, tableExists: true), in: network)
    try allow(80, in: network)
    let rules = try network.run { () throws -> [NetlinkMessage] in
      var socket = try NetlinkSocket(.netfilter)
      return try socket.list(.listFilterRules)
    }
    try perform(.droneAsAtBoot(keepingLogOf: rules), in: network)
    #expect(try network.command("nft", "--stateless", "list", "ruleset") == before)
  }

  @Test("a stranger reaches the control port, as often as one may, and nothing else; DNS still works")
  func strangers() throws {
    let drone = try NetworkThread()
    let stranger = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", stranger, "10.0.0.2/24")
    try perform(droneAtBoot, in: drone)
    try perform(.droneFilter(.initial, tableExists: true), in: drone)
    let own = IPv4Address(10, 0, 0, 1)
    let listeners = try drone.run {
      try [3278, 22].map { Held(try listenStream(on: SocketAddress(own, port: $0))) }
    }
    #expect(try connects(stranger, SocketAddress(own, port: 3278)))
    #expect(try !connects(stranger, SocketAddress(own, port: 22)))
    // Nineteen more are within the burst, then one comes a second; a slow machine misses some.
    var came = 1
    for _ in 0..<30 where try connects(stranger, SocketAddress(own, port: 3278), within: 30) { came += 1 }
    #expect((15...27).contains(came), "\(came) connections came")
    // The drone itself may connect to others' control ports, and to nothing else.
    let there = IPv4Address(10, 0, 0, 2)
    let others = try stranger.run {
      try [3278, 22].map { Held(try listenStream(on: SocketAddress(there, port: $0))) }
    }
    #expect(try connects(drone, SocketAddress(there, port: 3278)))
    #expect(try !connects(drone, SocketAddress(there, port: 22)))
    _ = (listeners, others)
    let here = try drone.run { try Datagrams(port: 4000) }
    let server = try stranger.run { try Datagrams(port: 53) }
    #expect(try here.send([1], to: [10, 0, 0, 2], port: 53))
    #expect(server.receive(within: 2000)?.bytes == [1])
    #expect(try server.send([2], to: [10, 0, 0, 1], port: 4000))
    #expect(here.receive(within: 2000)?.bytes == [2])
    // A port that is allowed opens.
    try allow(22, in: drone)
    #expect(try connects(stranger, SocketAddress(own, port: 22)))
  }

  @Test(
    "a port can be opened on a drone that no tyd has run on, opens once however often that is said, and stays open when one starts"
  )
  func allowing() throws {
    let drone = try NetworkThread()
    let stranger = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", stranger, "10.0.0.2/24")
    let own = IPv4Address(10, 0, 0, 1)
    let listener = try drone.run { Held(try listenStream(on: SocketAddress(own, port: 80))) }
    func rules() throws -> Int {
      lines(try listing(drone)).count { $0 == "tcp dport 80 accept comment \"tyd -f allow\"" }
    }
    try perform(droneAtBoot, in: drone)
    #expect(try !connects(stranger, SocketAddress(own, port: 80)))
    for state in [nil, .closed, .open, .closed] as [DroneFilterState?] {
      if let state { try perform(.droneFilter(state, tableExists: true), in: drone) }
      for _ in 0..<2 {
        try allow(80, in: drone)
        #expect(try rules() == 1)
      }
      #expect(try connects(stranger, SocketAddress(own, port: 80)))
    }
    try perform(.droneFilter(.initial, tableExists: true), in: drone)
    #expect(try rules() == 0)
    #expect(try !connects(stranger, SocketAddress(own, port: 80)))
    _ = listener
  }

  private func listing(_ thread: NetworkThread) throws -> String {
    try thread.command("nft", "--stateless", "list", "ruleset")
  }

  /// As `tyd -f allow-tcp-PORT`.
  private func allow(_ port: UInt16, in network: NetworkThread) throws {
    try network.run {
      var socket = try NetlinkSocket(.netfilter)
      let rules = try socket.list(.listFilterRules)
      if let batch = FilterBatch.droneAllow(.tcp, port: port, beside: rules) { try socket.perform(batch) }
    }
  }

  @Test(
    "to a member nothing leaves in the clear, from a member nothing comes in the clear, and open does not change that")
  func members() throws {
    let drone = try NetworkThread()
    let other = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", other, "10.0.0.2/24")
    try perform(.droneFilter(.initial, tableExists: false), in: drone)
    var join = FilterBatch()
    join.addMember(member, to: FilterTable.droneTable)
    try perform(join, in: drone)
    let here = try drone.run { try Datagrams(port: 4000) }
    let there = try other.run { try Datagrams(port: 5000) }
    for state in [DroneFilterState.initial, .open] {
      try perform(.droneFilter(state, tableExists: true), in: drone)
      // No policy demands ESP here: the guard alone stands between.
      _ = try here.send([1], to: [10, 0, 0, 2], port: 5000)
      #expect(there.receive(within: 200) == nil)
      #expect(try there.send([1], to: [10, 0, 0, 1], port: 4000))
      if state == .initial { #expect(here.receive(within: 200) == nil) }
    }
    let own = IPv4Address(10, 0, 0, 1)
    let listener = try drone.run { Held(try listenStream(on: SocketAddress(own, port: 3278))) }
    try perform(.droneFilter(.closed, tableExists: true), in: drone)
    // A member calls as often as it likes, but not without end.
    func calls(within milliseconds: Int) throws -> Bool {
      defer { _ = try? acceptStream(listener.descriptor) }
      return try connects(other, SocketAddress(own, port: 3278), within: milliseconds)
    }
    for _ in 0..<40 { #expect(try calls(within: 300)) }
    var came = 40
    while came < 1000, try calls(within: 30) { came += 1 }
    #expect((190..<1000).contains(came), "\(came) connections came")
    // From this port, which IPsec lets pass, nobody begins a connection in a member's name, also where a port is open.
    let service = try drone.run { Held(try listenStream(on: SocketAddress(own, port: 80))) }
    try allow(80, in: drone)
    try perform(.droneMetrics((own, 9639)), in: drone)
    let metrics = try drone.run { Held(try listenStream(on: SocketAddress(own, port: 9639))) }
    for port in [80, 9639] as [UInt16] { #expect(try !connects(other, SocketAddress(own, port: port), from: 3278)) }
    _ = (listener, service, metrics)
  }

  @Test("anybody may say that ESP to a member, or TLS, was too large for its way; no other error comes in, no redirect")
  func pathMTU() throws {
    let drone = try NetworkThread()
    let router = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", router, "10.0.0.3/24")
    try perform(.droneFilter(.initial, tableExists: false), in: drone)
    var join = FilterBatch()
    join.addMember(member, to: FilterTable.droneTable)
    try perform(join, in: drone)
    let here = try drone.run { try Datagrams(icmp: ()) }
    let there = try router.run { try Datagrams(icmp: ()) }
    let stranger = IPv4Address(10, 0, 0, 4)
    let (esp, tcp, udp) = (TransportProtocol.esp, TransportProtocol.tcp, TransportProtocol.udp)
    for (type, code, transport, destination, source, comes) in [
      (3, 4, esp, member, 22, true), (3, 4, esp, stranger, 22, false), (3, 4, tcp, stranger, 3278, true),
      (3, 4, tcp, member, 22, false), (3, 4, udp, member, 3278, false), (3, 1, esp, member, 22, false),
      (5, 1, esp, member, 22, false), (11, 0, tcp, member, 3278, false),
    ] as [(UInt8, UInt8, TransportProtocol, IPv4Address, UInt16, Bool)] {
      // 1500 bytes, not to be cut (RFC 791 §3.1), and 8 bytes of what was in them.
      var quoted: [UInt8] = [0x45, 0, 5, 0xDC, 0, 0, 0x40, 0, 64, transport.rawValue, 0, 0]
      quoted += IPv4Address(10, 0, 0, 1).octets + destination.octets
      quoted += [UInt8(source >> 8), UInt8(source & 0xFF), 0, 0, 0, 0, 0, 9]
      // The next wire takes 1280 (RFC 1191 §4).
      let message: [UInt8] = [type, code, 0, 0, 0, 0, 5, 0] + quoted
      #expect(try there.send(checksummed(message), to: [10, 0, 0, 1]))
      let came = here.receive(within: comes ? 2000 : 100) != nil
      #expect(came == comes, "type \(type), code \(code): \(transport) to \(destination) from \(source)")
    }
  }

  @Test("questions for a cluster come in, a bounded number; answers only while this node searches")
  func discovery() throws {
    let drone = try NetworkThread()
    let other = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", other, "10.0.0.2/24")
    try perform(.droneFilter(.initial, tableExists: false), in: drone)
    let group = IPv4Address(239, 192, 0, 1)
    let here = try drone.run { try Questions(port: 2727, group: group) }
    let there = try other.run { try Questions(port: 2727, group: group) }
    for _ in 0..<100 { try there.socket.send([1], to: SocketAddress(group, port: 2727)) }
    pause(milliseconds: 200)
    var heard = 0
    while try here.socket.receive(upTo: 9) != nil { heard += 1 }
    #expect((40...80).contains(heard), "\(heard) questions came")
    // The drone's own question, and its answer.
    let asking = try drone.run { try Questions(port: 2728, group: group) }
    try asking.socket.send([2], to: SocketAddress(group, port: 2727))
    #expect(waitReady([Interest(there.socket.descriptor)], milliseconds: 2000) == [.readable])
    let question = try #require(try there.socket.receive(upTo: 9))
    for searching in [false, true, false] {
      try perform(.droneSearch(searching), in: drone)
      // A fresh conversation: what was answered once is a connection for the filter.
      try there.socket.send([3], to: question.sender)
      let came = waitReady([Interest(asking.socket.descriptor)], milliseconds: searching ? 2000 : 200) == [.readable]
      #expect(came == searching)
      while try asking.socket.receive(upTo: 9) != nil {}
    }
  }

  @Test("who asks for metrics comes in where they are served, and nowhere else; -f init does not end that")
  func metrics() throws {
    let drone = try NetworkThread()
    let other = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", other, "10.0.0.2/24")
    try perform(.droneFilter(.initial, tableExists: false), in: drone)
    let own = IPv4Address(10, 0, 0, 1)
    let listeners = try drone.run {
      try [9639, 9640].map { Held(try listenStream(on: SocketAddress(.unspecified, port: $0))) }
    }
    func reached(_ port: UInt16) throws -> Bool { try connects(other, SocketAddress(own, port: port)) }
    #expect(try !reached(9639))
    try perform(.droneMetrics((own, 9639)), in: drone)
    #expect(try reached(9639) && !reached(9640))
    try perform(.droneFilter(.initial, tableExists: true), in: drone)
    #expect(try reached(9639))
    try perform(.droneMetrics((IPv4Address(10, 0, 0, 9), 9640)), in: drone)
    #expect(try !reached(9639) && !reached(9640), "that is another address")
    try perform(.droneMetrics((.unspecified, 9640)), in: drone)
    #expect(try !reached(9639) && reached(9640))
    try perform(.droneMetrics(nil), in: drone)
    #expect(try !reached(9640))
    _ = listeners
  }

  @Test(
    "who boots from a drone comes in while it boots others, by HTTP too; port 4011 is open beside another server alone")
  func serving() throws {
    let drone = try NetworkThread()
    let other = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", other, "10.0.0.2/24")
    try perform(.droneFilter(.initial, tableExists: false), in: drone)
    // A member that boots again: what it says in clear comes in, and the answer goes out, past the guard.
    var join = FilterBatch()
    join.addMember(member, to: FilterTable.droneTable)
    try perform(join, in: drone)
    // Once each: a child that another test starts may hold a closed port for a moment.
    let there = try other.run { try Datagrams(port: 68) }
    let sockets = try ([67, 69, 2730, 4011, 4012] as [UInt16]).map { port in
      (port, try drone.run { try Datagrams(port: port) })
    }
    for (serving, open) in [
      (.nobody, []), (.alone, [67, 69, 2730]), (.besideServer, [67, 69, 2730, 4011]), (.alone, [67, 69, 2730]),
      (.nobody, []),
    ] as [(DroneServing, [UInt16])] {
      try perform(.droneServing(serving), in: drone)
      for (port, here) in sockets {
        #expect(try there.send([1], to: [10, 0, 0, 1], port: port))
        let came = here.receive(within: open.contains(port) ? 2000 : 100) != nil
        #expect(came == open.contains(port), "to \(port), \(serving)")
        _ = try? here.send([2], to: [10, 0, 0, 2], port: 68)
        let went = there.receive(within: open.contains(port) ? 2000 : 100) != nil
        #expect(went == open.contains(port), "from \(port), \(serving)")
      }
    }
    // By HTTP as well.
    let own = IPv4Address(10, 0, 0, 1)
    let web = try drone.run { Held(try listenStream(on: SocketAddress(own, port: 80))) }
    #expect(try !connects(other, SocketAddress(own, port: 80)))
    try perform(.droneServing(.alone), in: drone)
    #expect(try connects(other, SocketAddress(own, port: 80)))
    _ = web
    // A filter that is closed again stays open for them, as it was.
    try perform(.droneServing(.besideServer), in: drone)
    try perform(.droneFilter(.initial, tableExists: true), in: drone)
    let rules = lines(try listing(drone)).filter { $0.hasSuffix("comment \"ProxyDHCP\"") }
    #expect(rules == ["udp dport 4011 accept comment \"ProxyDHCP\"", "udp sport 4011 accept comment \"ProxyDHCP\""])
  }

  private var droneAtBoot: FilterBatch {
    var batch = FilterBatch()
    batch.replace(.drone)
    return batch
  }
}

private final class Questions: @unchecked Sendable {
  let socket: DatagramSocket

  init(port: UInt16, group: IPv4Address) throws {
    socket = try DatagramSocket(SocketAddress(.unspecified, port: port))
    var route = try NetlinkSocket(.route)
    let interface = try route.links().first { $0.name == Array("eth0".utf8) }?.index ?? 0
    try socket.setMulticast(interface: interface, hops: 1, heardHere: false)
    try socket.join(group, interface: interface)
  }
}
