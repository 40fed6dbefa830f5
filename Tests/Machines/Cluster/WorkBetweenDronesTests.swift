import Testing
import VirtualMachine

/// Drones of 32 bits that run each other's work.
@Suite struct WorkBetweenDronesTests {
  @Test(
    "a Pentium drone's command runs on another with its home node's files; certaintyd and boot words have their say")
  func pentium() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        try await formCluster(drones)
        let (first, second) = (drones[0].machine, drones[1].machine)
        try await first.succeeds(
          "mkdir /tmp/work; cd /tmp/work; echo 'echo from $(hostname)' > script; cp /bin/busybox busybox-copy")
        // Until a mosd that has only been started answers, which on a busy emulator takes its time.
        try await first.succeeds("n=0; until mosrun -n 192.168.1.21 true || [ $n = 20 ]; do sleep 1; n=$((n+1)); done")
        let name = try await second.output("hostname")
        #expect(try await first.output("cd /tmp/work; mosrun -n 192.168.1.21 sh ./script") == "from \(name)")
        // A program that exists on the home node alone, and what it writes.
        #expect(
          try await first.output("cd /tmp/work; mosrun -n 192.168.1.21 ./busybox-copy echo ran > out; cat out") == "ran"
        )
        #expect(try await second.run("ls /tmp/work").status != 0)
        #expect(try await first.output("cd /tmp/work; mosrun -a sh -c 'echo here $MOSRUN_HOME'").contains("(2)"))
        // Nothing of it counts as a change of the drone's own root.
        for machine in [first, second] {
          #expect(try await machine.output("cat /run/certaintyd").contains("lost") == false)
          #expect(try await machine.run("grep -q ' nfs ' /proc/mounts").status != 0)
        }
        // All of its own traffic was ESP.
        #expect(try await drones[0].clearFrames(with: "192.168.1.21") == [])
        // Nobody's work any longer.
        try await second.succeeds("kill $(cat /run/mosd/pid); sleep 1; rm -f /run/services/mosd; mosd --work off")
        let refused = try await first.run("cd /; mosrun -n 192.168.1.21 true")
        #expect(refused.status == 255 && refused.output.contains("takes no work (mosd --work off)"), "\(refused)")
      }
    }
  }
}
