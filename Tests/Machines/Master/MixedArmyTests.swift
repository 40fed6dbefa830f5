import Foundation
import SystemPackage
import Target
import Testing
import VirtualMachine

/// Computers of different kinds in one cluster.
@Suite struct MixedArmyTests {
  @Test(
    "two drones of 32 bits, two of 64 and a full Linux are one cluster: each shows all, and all they say to each other is ESP"
  )
  func mixed() async throws {
    let capture = FilePath(NSTemporaryDirectory()).appending("mixed-\(UUID()).pcap")
    defer { try? FileManager.default.removeItem(atPath: capture.string) }
    let drones = ["192.168.1.21", "192.168.1.22", "192.168.1.23", "192.168.1.24"]
    let targets = [DroneTarget.i586, .x86_64, .i586, .x86_64]
    try await withMasterOfDrones(drones, targets: targets, capture: capture) { network, master, configurations in
      func start(_ running: [VirtualMachine]) async throws {
        if running.count < configurations.count {
          return try await withVirtualMachine(configurations[running.count], in: network) {
            try await start(running + [$0])
          }
        }
        try await master.beginCluster()
        for (machine, target) in zip(running, targets) {
          try await machine.expectShell()
          #expect(try await machine.output("uname -m") == (target.name == "i586" ? "i586" : "x86_64"))
          // A driver that is a module may come after the shell.
          #expect(try await machine.address(seconds: 50) != "")
          try await machine.succeeds("tyd -m 192.168.1.11")
        }
        let all = ["192.168.1.11"] + drones
        for machine in [master] + running {
          try await machine.succeeds(
            "n=0; until [ $(tyd --status | grep -c ' alive') = \(all.count) ] || [ $n = 30 ]; do sleep 1; n=$((n+1)); done; "
              + "[ $n -lt 30 ]")
          // As people see it, those with ids that follow each other are one line with their number.
          #expect(try await machine.succeeds("showmap").contains("192.168.1.21     4"))
          let map = try await machine.succeeds("showmap --json")
          for address in all { #expect(map.contains("\"address\":\"\(address)\",\"state\":\"alive\""), "\(map)") }
        }
        for machine in [master, running[0], running[1]] {
          let processes = try await machine.succeeds("mtop --once | cat")
          #expect(processes.contains("5 nodes"), "\(processes)")
        }
        // Each kind with its own and with the other.
        for (from, to) in [(0, 1), (0, 2), (1, 3), (3, 2)] {
          #expect(try await running[from].reaches("\(drones[to])"), "\(from) to \(to)")
        }
        for drone in drones { #expect(try await master.reaches(drone), "\(drone)") }
      }
      try await start([])
    }
    #expect(!(try await frames(in: capture, "esp").isEmpty))
    let clear = try await frames(
      in: capture,
      "ip src net 192.168.1.0/24 and ip dst net 192.168.1.0/24 and not src host 192.168.1.1 and not dst host 192.168.1.1 "
        + "and not dst host 192.168.1.255 and not esp and not tcp port 3278 and not udp port 2727 and not udp port 2728"
    )
    #expect(clear == [])
  }
}
