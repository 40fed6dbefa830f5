import Testing
import VirtualMachine

/// A Pentium whose clock stood still.
@Suite struct DeadBatteryTests {
  @Test("a drone that believes that it is 1980 starts a cluster all the same")
  func starts() async throws {
    var configuration = try Image.cd(cards: [NetworkCard(.rtl8139, on: .user())])
    configuration.extraArguments += ["-rtc", "base=1980-01-02T00:00:00"]
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      #expect(try await machine.run("date").output.contains("1980"))
      try await machine.succeeds("tyd")
      #expect(try await machine.run("tyd --status").output.contains("alone"))
    }
  }

  @Test("1980 and today join each other, whichever was first")
  func together() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      var configuration = try Image.cd(
        cards: [NetworkCard(.rtl8139, on: .tap(try await network.tap("old")), address: "52:54:00:00:00:80")])
      configuration.extraArguments += ["-rtc", "base=1980-01-02T00:00:00"]
      try await withDrones(["192.168.1.11"], in: network) { drones in
        let today = drones[0]
        try await withVirtualMachine(configuration, in: network) { old in
          try await old.bootByEnter()
          #expect(try await old.run("date").output.contains("1980"))
          try await old.succeeds("ifconfig eth0 192.168.1.21")
          for first in [today.machine, old] {
            try await first.succeeds("tyd")
            if first === old {
              try await today.machine.succeeds("tyd -m 192.168.1.21")
            } else {
              try await old.succeeds("tyd -m 192.168.1.11")
            }
            try await today.waits(for: "both alive") { $0.alive == ["192.168.1.11", "192.168.1.21"] }
            #expect(try await today.reaches("192.168.1.21"))
            #expect(try await old.reaches("192.168.1.11"))
            for machine in [today.machine, old] {
              try await machine.succeeds("tyd --stop; while ps | grep -q '[ /][t]yd'; do sleep 0.1; done")
            }
          }
          #expect(try await today.clearFrames(with: "192.168.1.21") == [])
        }
      }
    }
  }
}
