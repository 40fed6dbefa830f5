import DroneMachines
import Testing
import VirtualMachine

/// What stays the same node, whatever happens to it.
@Suite struct SameNodeTests {
  @Test(
    "an address that changes is followed and nothing goes in clear; a drone that crashes and boots again is the same node, not a second one"
  )
  func identity() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      var army = try DroneArmy()
      army.restarts = true
      try await army.run(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        try await formCluster(drones)
        let (first, second) = (drones[0], drones[1])
        #expect(try await first.reaches("192.168.1.21"))
        let id = try await second.status().node

        try await second.machine.succeeds("ifconfig eth0 192.168.1.33")
        let moved = try await first.waits(for: "192.168.1.33 alive", within: .seconds(30)) {
          $0.alive == ["192.168.1.11", "192.168.1.33"]
        }
        #expect(moved.nodes.count == 2 && moved.nodes.contains { $0.id == id && $0.address == "192.168.1.33" })
        #expect(try await first.reaches("192.168.1.33"))
        #expect(try await second.reaches("192.168.1.11"))
        #expect(try await !first.frames("esp and host 192.168.1.33").isEmpty)
        for other in ["192.168.1.21", "192.168.1.33"] {
          #expect(try await first.clearFrames(with: other) == [])
        }

        // No farewell; the boot takes its address from the command line again.
        second.machine.type("reboot -f\n")
        try await second.machine.expectShell()
        try await second.machine.succeeds("tyd -m 192.168.1.11")
        let back = try await first.waits(for: "192.168.1.21 alive again", within: .seconds(30)) {
          $0.alive == ["192.168.1.11", "192.168.1.21"]
        }
        #expect(back.nodes.count == 2 && back.nodes.contains { $0.id == id && $0.address == "192.168.1.21" })
        #expect(try await first.reaches("192.168.1.21"))
        #expect(try await first.clearFrames(with: "192.168.1.21") == [])
      }
    }
  }
}
