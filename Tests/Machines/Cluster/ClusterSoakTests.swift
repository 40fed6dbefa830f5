import TestCluster
import Testing
import VirtualMachine

/// A cluster at work, for a minute or as long as `DRONEFORGE_SOAK_SECONDS` says.
@Suite struct ClusterSoakTests {
  static let seconds = SoakTests.wanted ?? 60

  @Test("three drones in a cluster with traffic between all of them: no node is called dead, and no root changed")
  func cluster() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      var army = try DroneArmy()
      army.lifetime = .seconds(Self.seconds + 900)
      try await army.run(["192.168.1.11", "192.168.1.21", "192.168.1.22"], in: network) { drones in
        // New keys every half minute, tunnels that nobody uses gone after as long: both happen many times.
        try await formCluster(drones, options: "--rekey 30 --idle 30")
        for drone in drones {
          try await drone.machine.waitForPass()
          try await drone.machine.succeeds(
            "{ while :; do timeout 60 nc -l -p 6000 </dev/null | md5sum >>/tmp/got; done & }")
          try await drone.machine.succeeds("dd if=/dev/urandom of=/tmp/sent bs=1024 count=512 2>/dev/null")
        }
        var before: [Int] = []
        for drone in drones { before.append(try await drone.machine.passes()) }
        let start = ContinuousClock.now
        var rounds = 0
        while ContinuousClock.now - start < .seconds(Self.seconds) {
          let from = drones[rounds % 3]
          let to = drones[(rounds + 1 + rounds / 3 % 2) % 3]
          #expect(try await from.reaches(to.address), "\(from.address) to \(to.address), round \(rounds)")
          let sum = try await from.machine.output("md5sum </tmp/sent")
          try await from.machine.succeeds("timeout 30 nc \(to.address) 6000 </tmp/sent")
          #expect(try await to.machine.output("sleep 1; cat /tmp/got; : >/tmp/got").contains(sum), "round \(rounds)")
          for drone in drones {
            #expect(try await drone.status().alive.count == 3, "\(drone.address), round \(rounds)")
          }
          rounds += 1
        }
        let ran = (ContinuousClock.now - start).components.seconds
        var report = "\(rounds) rounds in \(ran) s:"
        for (index, drone) in drones.enumerated() {
          let passes = try await drone.machine.passes() - before[index]
          let log = try await drone.machine.output("cat /run/tyd/log.old /run/tyd/log 2>/dev/null")
          #expect(!log.contains("is dead"), "\(drone.address):\n\(log)")
          #expect(passes >= Int(ran) / 4, "certaintyd looked on")
          #expect(drone.machine.alarms.console.isEmpty && drone.machine.alarms.kernel.isEmpty)
          #expect(try await drone.machine.run("certaintyd --once").status == 0)
          let suspicions = log.split(separator: "\n").count { $0.contains("does not answer") }
          let rekeys = try await drone.status().tunnels.reduce(0) { $0 + $1.rekeys }
          let memory = try await drone.machine.output("grep VmRSS /proc/$(cat /run/tyd/pid)/status")
          report += " \(drone.address) \(passes) passes, \(suspicions) suspicions, \(rekeys) new keys, \(memory);"
        }
        print(report)
        for drone in drones {
          for other in drones where other.address != drone.address {
            #expect(try await drone.clearFrames(with: other.address) == [])
          }
        }
      }
    }
  }
}
