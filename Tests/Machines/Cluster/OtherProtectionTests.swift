import NodeStatus
import TestCluster
import Testing
import VirtualMachine

/// A node that speaks in clear and one that demands IPsec, on real machines.
@Suite struct OtherProtectionTests {
  @Test(
    "a joiner with -c off is refused by an encrypted cluster, and an encrypted one by a cluster in clear: with a sentence, a status and a counter, and nothing else changes"
  )
  func refusals() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21", "192.168.1.22"], in: network) { drones in
        let (first, second, third) = (drones[0], drones[1], drones[2])
        try await formCluster([first, second])
        #expect(try await second.reaches(first.address))

        var before = try await first.status()
        var refused = try await third.machine.run("tyd -m 192.168.1.11 -c off")
        #expect(refused.status == 1, "\(refused.output)")
        #expect(
          refused.output.contains(
            "the node there demands IPsec and this one runs with -c off; start this one without it"),
          "\(refused.output)")
        try await first.expectOnlyCounted(since: before)
        // It is outside, its filter is as at boot, and the member says nothing to it in clear.
        #expect(try await third.machine.run("tyd --status").status != 0)
        #expect(try await third.machine.run("ping -c1 -W1 192.168.1.11").status != 0)
        #expect(try await !network.answersPing("192.168.1.22"))
        #expect(
          try await first.frames("ip src 192.168.1.11 and dst 192.168.1.22 and not tcp port 3278") == [])

        // The other way round.
        try await third.machine.succeeds("tyd -c off >/tmp/said")
        // Bold and red; the escape is shown as @.
        let said = try await third.machine.output("tr '\\033' '@' </tmp/said")
        let warning = said.split(separator: "\n").first { $0.contains("OFF as -c off asks: EVERYTHING GOES IN CLEAR") }
        #expect(warning?.contains("@[1;31m") == true, "\(said)")
        try await second.machine.succeeds("tyd --leave; while ps | grep -q '[ /][t]yd'; do sleep 0.1; done")
        before = try await third.status()
        refused = try await second.machine.run("tyd -m 192.168.1.22")
        #expect(refused.status == 1, "\(refused.output)")
        #expect(
          refused.output.contains(
            "the node there runs with -c off, in clear, and this one demands IPsec; start both alike"),
          "\(refused.output)")
        try await third.expectOnlyCounted(since: before)
        #expect(try await second.machine.run("tyd --status").status != 0)
        // Where it belongs it comes in as before.
        try await second.machine.succeeds("tyd -m 192.168.1.11")
        #expect(try await second.reaches(first.address))
        #expect(try await first.clearFrames(with: second.address) == [])
      }
    }
  }
}

extension Drone {
  /// Of this node's state only the counter of nodes with another protection has changed.
  fileprivate func expectOnlyCounted(since before: NodeStatus) async throws {
    let now = try await waits(for: "the refusal counted") {
      ($0.refusals["otherProtection"] ?? 0) == (before.refusals["otherProtection"] ?? 0) + 1
    }
    #expect(now.nodes.map(\.id) == before.nodes.map(\.id) && now.alive == before.alive, "\(now)")
    #expect(now.tunnels.map(\.address) == before.tunnels.map(\.address), "\(now)")
    var counters = now.refusals
    counters["otherProtection"] = before.refusals["otherProtection"]
    #expect(counters == before.refusals)
  }
}
