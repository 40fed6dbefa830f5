import Addresses
import Linux
import Netlink
import PacketFilter
import TestSupport
import Testing

/// The drone's filter in a kernel: as nft(8) shows it, and as packets find it.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"), .serialized)
struct KernelFilterTests {
  @Test("nft(8) reads the drone's table as it is meant, and loading it twice changes nothing")
  func listing() throws {
    let network = try NetworkThread()
    try close(network)
    let first = try network.command("nft", "--stateless", "list", "ruleset")
    #expect(lines(first) == lines(expected))
    try close(network)
    #expect(try network.command("nft", "--stateless", "list", "ruleset") == first)
  }

  @Test("the table that the kernel lists is the one that was loaded")
  func dump() throws {
    let network = try NetworkThread()
    try close(network)
    let found = try network.run { () throws -> FilterTable in
      var socket = try NetlinkSocket(.netfilter)
      var found = FilterTable(name: "")
      var messages = try socket.list(.listFilterTables) + socket.list(.listFilterSets) + socket.list(.listFilterHelpers)
      messages += try socket.list(.listElements(of: "icmp_errors", in: "drone"))
      messages += try socket.list(.listFilterChains) + socket.list(.listFilterRules)
      for message in messages {
        switch try FilterMessage(message) {
        case .table(let name): found.name = name
        case .set(let set, _): found.sets.append(set)
        case .elements(let elements, _, _): found.sets[0].elements += elements
        case .helper(let helper, _): found.helpers.append(helper)
        case .chain(let chain, _): found.chains.append(chain)
        case .rule(let rule, let chain, _):
          for index in found.chains.indices where found.chains[index].name == chain {
            found.chains[index].rules.append(rule)
          }
        case .other: break
        }
      }
      // The kernel keeps a set's elements in an order of its own.
      found.sets[0].elements.sort { $0.lexicographicallyPrecedes($1) }
      return found
    }
    #expect(found == .drone)
  }

  @Test("a table that others made stays, a batch with one wrong change does nothing")
  func atomic() throws {
    let network = try NetworkThread()
    try network.command("nft", "add", "table", "ip", "mine")
    try close(network)
    let before = try network.command("nft", "list", "ruleset")
    #expect(before.contains("table ip mine"))
    try network.run {
      var batch = FilterBatch()
      batch.deleteTable("drone")
      batch.deleteTable("missing")
      batch.addTable("new")
      var socket = try NetlinkSocket(.netfilter)
      do {
        try socket.perform(batch)
        Issue.record("not refused")
      } catch NetlinkSocketError.refused(let failure, let change) {
        #expect(failure.number == 2)  // ENOENT
        #expect(change == 1)
      }
    }
    #expect(try network.command("nft", "list", "ruleset") == before)
  }

  @Test("a set that rules fill, jumps, ranges and counters are what nft(8) shows")
  func otherExpressions() throws {
    let network = try NetworkThread()
    try network.run {
      var table = FilterTable(name: "t")
      table.sets = [
        FilterSet(name: "seen", kind: .address, flags: [.timeout, .dynamic], timeout: 60000, capacity: 100),
        FilterSet(name: "members", kind: .address, elements: [[10, 0, 0, 1], [10, 0, 0, 2]]),
      ]
      table.chains = [
        FilterChain(
          name: "other",
          rules: [
            FilterRule([
              .payload(.network, offset: 12, count: 4), .lookup(set: "members", inverted: true),
              .update(set: "seen", timeout: 5000), .counter(), .verdict(.return),
            ])
          ]),
        FilterChain(
          name: "in", at: .input, policy: .accept,
          rules: [
            FilterRule(
              .transport(.tcp) + [
                .payload(.transport, offset: 2, count: 2), .range(from: [0, 1], to: [3, 255]), .verdict(.jump("other")),
              ]),
            FilterRule([.meta(.secured), .compare(.equal, [1]), .verdict(.goto("other"))]),
            FilterRule([.verdict(.drop)]),
          ]),
      ]
      var batch = FilterBatch()
      batch.replace(table)
      batch.add([[10, 0, 0, 3]], to: "members", of: "t")
      batch.remove([[10, 0, 0, 1]], from: "members", of: "t")
      batch.flush(chain: "in", of: "t")
      for rule in table.chains[1].rules.reversed() { batch.prepend(rule, to: "in", of: "t") }
      var socket = try NetlinkSocket(.netfilter)
      try socket.perform(batch)
    }
    let text = lines(try network.command("nft", "list", "ruleset"))
    for line in [
      "elements = { 10.0.0.2, 10.0.0.3 }", "size 100", "timeout 1m",
      "ip saddr != @members update @seen { ip saddr timeout 5s } counter packets 0 bytes 0 return",
      "tcp dport 1-1023 jump other", "meta ipsec exists goto other", "drop",
    ] { #expect(text.contains(line), "\(line) is missing in \(text.joined(separator: "\n"))") }
  }

  @Test("what a drone asks is answered: DNS, NTP, TFTP from a new port, echo; DHCP comes in unasked")
  func answers() throws {
    let drone = try NetworkThread()
    let server = try NetworkThread()
    try close(drone)
    try NetworkThread.join(drone, "10.0.0.1/24", server, "10.0.0.2/24")
    for port in [53, 123, 69] as [UInt16] {
      let here = try drone.run { try Datagrams(port: 0x9000 + port) }
      let there = try server.run { try Datagrams(port: port) }
      // Opcode 1, a read request (RFC 1350 §5): for TFTP the tracker looks at it; DNS and NTP servers here do not.
      let request: [UInt8] = [0, 1] + Array("file\0octet\0".utf8)
      #expect(try here.send(request, to: [10, 0, 0, 2], port: port))
      let asked = try #require(there.receive(within: 2000), "port \(port): no question")
      #expect(try there.send([1, 2], to: [10, 0, 0, 1], port: asked.port))
      #expect(here.receive(within: 2000)?.bytes == [1, 2], "port \(port): no answer")

      // From a port that was never asked: only TFTP's server may do that.
      let transfer = try server.run { try Datagrams(port: 40000 + port) }
      #expect(try transfer.send([3, 4], to: [10, 0, 0, 1], port: asked.port))
      let block = here.receive(within: port == 69 ? 2000 : 200)
      #expect((block?.bytes == [3, 4]) == (port == 69), "port \(port)")
      #expect(try here.send([0, 4, 0, 1], to: [10, 0, 0, 2], port: 40000 + port) == (port == 69))
      if port == 69 { #expect(transfer.receive(within: 2000)?.bytes == [0, 4, 0, 1]) }
    }

    let offer = try server.run { try Datagrams(port: 67) }
    let client = try drone.run { try Datagrams(port: 68) }
    #expect(try offer.send([9], to: [10, 0, 0, 1], port: 68))
    #expect(client.receive(within: 2000)?.bytes == [9])
    #expect(try client.send([8], to: [10, 0, 0, 2], port: 67))
    #expect(offer.receive(within: 2000)?.bytes == [8])

    let ping = try drone.run { try Datagrams(icmp: ()) }
    #expect(try ping.send(echoRequest, to: [10, 0, 0, 2]))
    #expect(ping.receive(within: 2000)?.bytes.dropFirst(20).first == 0)  // echo reply
  }

  @Test("the log goes to its host alone, and to the port of logs")
  func log() throws {
    let drone = try NetworkThread()
    let server = try NetworkThread()
    try close(drone)
    try NetworkThread.join(drone, "10.0.0.1/24", server, "10.0.0.2/24")
    let there = try server.run { try Datagrams(port: 514) }
    let here = try drone.run { try Datagrams(port: 4000) }
    #expect(try !here.send([1], to: [10, 0, 0, 2], port: 514))
    // The host that counts is the last one.
    for host in [IPv4Address(10, 0, 0, 3), IPv4Address(10, 0, 0, 2)] {
      try drone.run {
        var socket = try NetlinkSocket(.netfilter)
        try socket.perform(.droneLog(to: host))
      }
    }
    #expect(try here.send([2], to: [10, 0, 0, 2], port: 514))
    #expect(there.receive(within: 2000)?.bytes == [2])
    #expect(try !here.send([3], to: [10, 0, 0, 2], port: 515))
    #expect(try !here.send([4], to: [10, 0, 0, 3], port: 514))
  }

  @Test("what a drone was not asked for stays out, and what it must not say stays in")
  func strangers() throws {
    let drone = try NetworkThread()
    let stranger = try NetworkThread()
    try close(drone)
    try NetworkThread.join(drone, "10.0.0.1/24", stranger, "10.0.0.2/24")
    let there = try stranger.run { try Datagrams(port: 53) }
    for port in [53, 69, 123, 3278, 9999] as [UInt16] {
      let here = try drone.run { try Datagrams(port: port) }
      #expect(try there.send([1], to: [10, 0, 0, 1], port: port))
      #expect(here.receive(within: 100) == nil, "port \(port)")
      #expect(try !here.send([1], to: [10, 0, 0, 2], port: 9999), "port \(port)")
    }
    let ping = try stranger.run { try Datagrams(icmp: ()) }
    #expect(try ping.send(echoRequest, to: [10, 0, 0, 1]))
    // A raw socket hears its own host's requests too; an answer would be of type 0.
    while let heard = ping.receive(within: 200) { #expect(heard.bytes.dropFirst(20).first != 0) }
    // Also to itself, over the loopback, a drone may say anything.
    let inside = try drone.run { try Datagrams(port: 7777) }
    #expect(try inside.send([5], to: [127, 0, 0, 1], port: 7777))
    #expect(inside.receive(within: 1000)?.bytes == [5])
  }

  @Test("an ICMP error about what the drone asked comes in, any other does not")
  func errors() throws {
    let drone = try NetworkThread()
    let router = try NetworkThread()
    try close(drone)
    try NetworkThread.join(drone, "10.0.0.1/24", router, "10.0.0.2/24")
    let heard = try drone.run { try Datagrams(icmp: ()) }
    let asking = try drone.run { try Datagrams(port: 0x9999) }
    // Nobody listens there: the other side says so.
    #expect(try asking.send([1], to: [10, 0, 0, 2], port: 53))
    let answer = try #require(heard.receive(within: 2000))
    #expect(answer.bytes.dropFirst(20).prefix(2) == [3, 3])  // destination unreachable, port unreachable
    // The same words about a packet that was never sent: "fragmentation needed" with a forged header inside.
    let sender = try router.run { try Datagrams(icmp: ()) }
    let inner: [UInt8] =
      [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0x66, 0xCF, 10, 0, 0, 1, 10, 0, 0, 2] + [0x12, 0x34, 0, 53, 0, 8, 0, 0]
    #expect(try sender.send(checksummed([3, 4, 0, 0, 0, 0, 2, 0] + inner), to: [10, 0, 0, 1]))
    #expect(heard.receive(within: 300) == nil)
  }

  /// An echo request with identifier and number 0 (RFC 792).
  private let echoRequest = checksummed([8, 0, 0, 0, 0, 0, 0, 0])

  private func close(_ network: NetworkThread) throws {
    try network.run {
      var batch = FilterBatch()
      batch.replace(.drone)
      var socket = try NetlinkSocket(.netfilter)
      try socket.perform(batch)
    }
  }
}

/// An ICMP message with its checksum (RFC 1071) filled in.
func checksummed(_ message: [UInt8]) -> [UInt8] {
  var sum: UInt32 = 0
  for index in stride(from: 0, to: message.count - 1, by: 2) {
    sum += UInt32(message[index]) << 8 | UInt32(message[index + 1])
  }
  while sum > 0xFFFF { sum = sum >> 16 + sum & 0xFFFF }
  var out = message
  out[2] = UInt8(~sum >> 8 & 0xFF)
  out[3] = UInt8(~sum & 0xFF)
  return out
}

private let expected = """
  table ip drone {
  	ct helper tftp {
  		type "tftp" protocol udp
  		l3proto ip
  	}

  	set icmp_errors {
  		type icmp_type
  		flags constant
  		elements = { destination-unreachable,
  			     time-exceeded,
  			     parameter-problem }
  	}

  	chain input {
  		type filter hook input priority filter; policy drop;
  		iif "lo" accept
  		ct state established accept
  		ct state related icmp type @icmp_errors accept comment "path MTU and other errors"
  		ct state related ct helper "tftp" accept comment "TFTP transfer"
  		udp sport 67 udp dport 68 accept comment "DHCP, BOOTP"
  		jump allowed
  		limit rate 30/minute burst 10 packets log prefix "drop in " level info
  	}

  	chain output {
  		type filter hook output priority filter; policy drop;
  		oif "lo" accept
  		ct state established accept
  		ct state related icmp type @icmp_errors accept comment "errors"
  		udp sport 68 udp dport 67 accept comment "DHCP, BOOTP"
  		udp dport 53 accept comment "DNS"
  		tcp dport 53 accept comment "DNS"
  		udp dport 123 accept comment "NTP"
  		udp dport 69 ct helper set "tftp" accept comment "TFTP"
  		icmp type echo-request accept comment "ping"
  		jump log_out
  		limit rate 30/minute burst 10 packets log prefix "drop out " level info
  	}

  	chain forward {
  		type filter hook forward priority filter; policy drop;
  		limit rate 30/minute burst 10 packets log prefix "drop forward " level info
  	}

  	chain log_out {
  	}

  	chain allowed {
  	}
  }
  """
