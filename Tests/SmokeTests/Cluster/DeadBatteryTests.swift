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
}
