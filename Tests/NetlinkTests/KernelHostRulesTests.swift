import Linux
import Netlink
import PacketFilter
import TestSupport
import Testing

/// Filters that machines have, made by nft(8), and whether a stranger's control connection and ESP would come in.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"), .serialized)
struct KernelHostRulesTests {
  @Test(
    "a filter that lets in what a cluster needs, or might, is no obstacle",
    arguments: [
      "",
      "tcp dport 3278 accept; meta l4proto esp accept",
      "tcp dport { 22, 3278 } accept; ip protocol { esp, ah } accept",
      "ct state established accept; tcp dport 3000-4000 accept; ip protocol esp accept",
      "ct state new tcp flags & (syn|ack) == syn tcp dport 3278 accept; meta l4proto esp accept",
      "ip saddr 192.168.0.0/16 accept",
      "iifname \"eth0\" accept",
      "iif != \"lo\" accept",
      "meta mark 7 accept",
      "limit rate 5/second accept",
      "tcp dport 3278 jump more; meta l4proto esp jump more",
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
      ("drop", "iifname \"lo\" accept; tcp dport 3278 accept", [.esp]),
      ("drop", "tcp dport 3278 accept", [.esp]),
      ("drop", "meta l4proto esp accept", [.control]),
      ("drop", "tcp dport { 22, 80 } accept; ip6 nexthdr esp accept", [.control, .esp]),
      ("accept", "tcp dport 3278 drop", [.control]),
      ("accept", "meta l4proto 50 drop", [.esp]),
      ("accept", "tcp dport 22 accept; drop", [.control, .esp]),
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

  @Test("a jump to a chain that returns goes on, and iptables' rules are not held against a machine")
  func others() throws {
    #expect(try obstacles(policy: "drop", "jump back; tcp dport 3278 accept").map(\.traffic) == [.esp])
    #expect(try obstacles(policy: "drop", "goto back").map(\.traffic) == [.control, .esp])
  }

  private func obstacles(policy: String, _ rules: String) throws -> [FilterObstacle] {
    let network = try NetworkThread()
    var script = "add table inet own\nadd chain inet own more\nadd chain inet own less\nadd chain inet own back\n"
    script += "add rule inet own more accept\nadd rule inet own less drop\nadd rule inet own back return\n"
    script += "add chain inet own in { type filter hook input priority 0; policy \(policy); }\n"
    for rule in rules.split(separator: ";") { script += "add rule inet own in \(rule)\n" }
    try network.command("nft", script)
    return try network.run {
      var socket = try NetlinkSocket(.netfilter)
      let rules = try HostRules.read { request throws(NetlinkSocketError) in try socket.list(request) }
      return rules.obstacles()
    }
  }
}
