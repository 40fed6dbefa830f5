import Testing
import VirtualMachine

/// Nodes that come, go, die and are thrown out.
@Suite struct MembershipInMachinesTests {
  @Test("a pulled cable, a leave, a removal: each does what it says within its bound")
  func comingAndGoing() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21", "192.168.1.22"], in: network) { drones in
        try await formCluster(drones)
        let (first, second, third) = (drones[0], drones[1], drones[2])

        // Dead within 5 s of the guest's time; the host's clock may run ahead of an emulated one.
        try await third.machine.setLink(up: false)
        try await first.waits(for: "192.168.1.22 dead", within: .seconds(12)) {
          $0.state(of: "192.168.1.22") == .dead
        }
        try await third.machine.setLink(up: true)
        for drone in drones {
          try await drone.waits(for: "all three alive again", within: .seconds(60)) { $0.alive.count == 3 }
        }
        #expect(try await first.reaches(third.address))

        try await second.machine.succeeds("tyd --leave")
        try await first.waits(for: "192.168.1.21 gone", within: .seconds(5)) {
          !$0.alive.contains("192.168.1.21")
        }
        // Without a policy it is a stranger again, to whom nobody answers.
        #expect(try await second.machine.run("ping -c1 -W2 192.168.1.11").status != 0)
        try await second.machine.succeeds("tyd -m 192.168.1.22")
        try await first.waits(for: "192.168.1.21 alive") { $0.alive.count == 3 }

        let id = try await second.status().name
        try await first.machine.succeeds("tyd --remove \(id)")
        try await third.waits(for: "192.168.1.21 removed", within: .seconds(10)) {
          $0.state(of: "192.168.1.21") == .removed
        }
        #expect(try await second.machine.run("ping -c1 -W2 192.168.1.22").status != 0)
        _ = try await second.machine.run("tyd --stop")
        #expect(try await second.machine.run("tyd -m 192.168.1.22").status != 0)
        try await third.machine.succeeds("tyd --allow \(id)")
        try await second.machine.succeeds("tyd -m 192.168.1.22")
        try await first.waits(for: "192.168.1.21 allowed and alive") { $0.alive.count == 3 }
      }
    }
  }

  @Test(
    "a tyd that is killed is started again by process 1, finds its tunnels, and nothing is sent in clear meanwhile; removed then, it stays out"
  )
  func crash() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        try await formCluster(drones)
        #expect(try await drones[1].reaches("192.168.1.11"))
        try await drones[0].machine.succeeds("kill -9 $(cat /run/tyd/pid)")
        _ = try await drones[1].machine.run("ping -c3 -W1 192.168.1.11")
        try await drones[0].waits(for: "both alive") { $0.alive.count == 2 }
        #expect(try await drones[1].reaches("192.168.1.11"))
        #expect(try await drones[1].clearFrames(with: "192.168.1.11") == [])

        // What process 1 has started once it does not start again against the cluster's will.
        let id = try await drones[0].status().name
        try await drones[1].machine.succeeds("tyd --remove \(id)")
        try await drones[0].machine.succeeds(
          "n=0; while ps | grep -q '[ /][t]yd' && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done; sleep 3; ! ps | grep '[ /][t]yd'"
        )
        #expect(try await drones[0].machine.output("grep -c 'it is started again' /run/boot.log") == "1")
      }
    }
  }
}
