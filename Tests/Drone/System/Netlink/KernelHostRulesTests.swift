import Linux
import Netlink
import PacketFilter
import TestSupport
import Testing

/// Filters that machines have, made by nft(8), and whether a control connection, ESP and what is in it would come in and leave.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"), .serialized)
struct KernelHostRulesTests {
  @Test(
    "a filter that lets in what a cluster needs, or might, is no obstacle",
    arguments: [
      "",
      "tcp dport 3278 accept; meta l4proto esp accept; meta secpath exists accept",
      "tcp dport 3278 accept; meta l4proto esp accept; ct state established,related accept",
      "tcp dport { 22, 3278 } accept; ip protocol { esp, ah } accept; udp sport 3278 accept",
      "ct state established accept; tcp dport 3000-4000 accept; ip protocol esp accept",
      "ct state new tcp flags & (syn|ack) == syn tcp dport 3278 accept; meta l4proto { esp, udp } accept",
      "ip saddr 192.168.0.0/16 accept",
      "iifname \"eth0\" accept",
      "iif != \"lo\" accept",
      "meta mark 7 accept",
      "limit rate 5/second accept",
      "tcp dport 3278 jump more; meta l4proto esp jump more; udp dport 3278 jump more",
      "tcp dport != 22 accept; meta l4proto != tcp accept",
      "ip saddr 10.9.9.9 drop; accept",
    ])
  func open(rules: String) throws {
    #expect(try obstacles(policy: rules.isEmpty ? "accept" : "drop", rules) == [])
  }

  @Test(
    "a filter that keeps out one or both is named by table and chain",
    arguments: [
      ("drop", "ct state established accept; tcp dport 22 accept", [.control, .esp]),
      ("drop", "iif \"lo\" accept; ct state established,related accept; tcp dport 22 accept", [.control, .esp]),
      ("drop", "iifname \"lo\" accept; tcp dport 3278 accept", [.esp, .membership]),
      ("drop", "tcp dport 3278 accept; meta secpath exists accept", [.esp]),
      ("drop", "meta l4proto esp accept; meta secpath exists accept", [.control]),
      ("drop", "tcp dport 3278 accept; meta l4proto esp accept", [.membership]),
      ("drop", "meta secpath missing accept", [.membership]),
      ("drop", "tcp dport { 22, 80 } accept; ip6 nexthdr esp accept", [.control, .esp, .membership]),
      ("accept", "tcp dport 3278 drop", [.control]),
      ("accept", "meta l4proto 50 drop", [.esp]),
      ("accept", "tcp dport 22 accept; drop", [.control, .esp, .membership]),
      ("accept", "udp dport 3278 drop", [.membership]),
      ("accept", "tcp dport 3278 jump less", [.control]),
      ("accept", "ip saddr 10.9.9.9 drop; tcp dport 3278 counter log drop", [.control]),
    ] as [(String, String, [FilterObstacle.Traffic])])
  func closed(policy: String, rules: String, kept: [FilterObstacle.Traffic]) throws {
    let found = try obstacles(policy: policy, rules)
    #expect(found.map(\.traffic) == kept)
    for obstacle in found {
      let words = String(decoding: obstacle.text, as: UTF8.self)
      #expect(words.hasPrefix("table inet own, chain in drops "), "\(words)")
    }
  }

  @Test(
    "a filter that lets nothing, or not all, of it leave is named as well",
    arguments: [
      ("accept", "", []),
      ("accept", "tcp dport 22 drop", []),
      ("drop", "oif \"lo\" accept; tcp dport 3278 accept; meta l4proto esp accept; udp dport 3278 accept", []),
      ("drop", "oifname \"eth0\" accept", []),
      ("drop", "meta skuid 0 accept", []),
      ("drop", "oif \"lo\" accept; ct state established accept; tcp dport 3278 accept", [.espOut]),
      ("drop", "oifname \"lo\" accept; udp dport 53 accept", [.controlOut, .espOut, .membershipOut]),
      ("drop", "tcp dport 3278 accept; meta l4proto esp accept", [.membershipOut]),
      ("accept", "meta l4proto esp drop; tcp dport 3278 drop", [.controlOut, .espOut]),
    ] as [(String, String, [FilterObstacle.Traffic])])
  func outward(policy: String, rules: String, kept: [FilterObstacle.Traffic]) throws {
    #expect(try obstacles(policy: policy, rules, hook: "output").map(\.traffic) == kept)
  }

  @Test("a jump to a chain that returns goes on, and iptables' rules are not held against a machine")
  func others() throws {
    #expect(try obstacles(policy: "drop", "jump back; tcp dport 3278 accept").map(\.traffic) == [.esp, .membership])
    #expect(try obstacles(policy: "drop", "goto back").map(\.traffic) == [.control, .esp, .membership])
  }

  private func obstacles(policy: String, _ rules: String, hook: String = "input") throws -> [FilterObstacle] {
    let network = try NetworkThread()
    var script = "add table inet own\nadd chain inet own more\nadd chain inet own less\nadd chain inet own back\n"
    script += "add rule inet own more accept\nadd rule inet own less drop\nadd rule inet own back return\n"
    script += "add chain inet own in { type filter hook \(hook) priority 0; policy \(policy); }\n"
    for rule in rules.split(separator: ";") { script += "add rule inet own in \(rule)\n" }
    try network.command("nft", script)
    return try network.run {
      var socket = try NetlinkSocket(.netfilter)
      let rules = try HostRules.read { request throws(NetlinkSocketError) in try socket.list(request) }
      return rules.obstacles()
    }
  }
}
