import Addresses
import TestCluster
import Testing
import VirtualMachine

/// What stays the same node, whatever happens to it.
@Suite struct SameNodeTests {
  @Test(
    "an address that changes is followed before the node is called dead, and nothing goes in clear; a drone that crashes and boots again is the same node, not a second one"
  )
  func identity() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      var army = try DroneArmy()
      army.restarts = true
      try await army.run(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        try await formCluster(drones)
        let (first, second) = (drones[0], drones[1])
        #expect(try await first.reaches("192.168.1.21"))
        let id = try await second.status().id

        // Guest time until the other is reached again; a ping may go before the change was noticed.
        let outage = try await second.machine.output(
          "s() { cut -d. -f1 /proc/uptime; }; a=$(s); ifconfig eth0 192.168.1.33; n=0; "
            + "until ping -c1 -W3 192.168.1.11 >/dev/null 2>&1 || [ $n = 9 ]; do n=$((n+1)); sleep 1; done; echo $n $(( $(s) - a ))"
        )
        print("pings lost, seconds until an answer: \(outage)")
        #expect(
          outage.split(separator: " ").first.flatMap { Int($0) }.map { $0 <= 1 } == true, "lost, seconds: \(outage)")
        let moved = try await first.waits(for: "192.168.1.33 alive", within: .seconds(30)) {
          $0.alive == ["192.168.1.11", "192.168.1.33"]
        }
        try await second.waits(for: "192.168.1.11 alive") { $0.alive == ["192.168.1.11", "192.168.1.33"] }
        for drone in [first, second] {
          let log = try await drone.machine.output("cat /run/tyd/log")
          #expect(!log.contains("is dead"), "\(drone.address):\n\(log)")
        }
        #expect(
          moved.nodes.count == 2 && moved.nodes.contains { $0.id == id && $0.address == IPv4Address(192, 168, 1, 33) })
        #expect(try await first.reaches("192.168.1.33"))
        #expect(try await second.reaches("192.168.1.11"))
        #expect(try await !first.frames("esp and host 192.168.1.33").isEmpty)
        for other in ["192.168.1.21", "192.168.1.33"] {
          let clear = try await first.clearFrames(with: other)
          #expect(clear == [], "\(clear)")
        }

        // No farewell; the boot takes its address from the command line again.
        second.machine.type("reboot -f\n")
        try await second.machine.expectShell()
        try await second.machine.succeeds("tyd -m 192.168.1.11")
        let back = try await first.waits(for: "192.168.1.21 alive again", within: .seconds(30)) {
          $0.alive == ["192.168.1.11", "192.168.1.21"]
        }
        #expect(
          back.nodes.count == 2 && back.nodes.contains { $0.id == id && $0.address == IPv4Address(192, 168, 1, 21) })
        #expect(try await first.reaches("192.168.1.21"))
        #expect(try await first.clearFrames(with: "192.168.1.21") == [])
      }
    }
  }
}
