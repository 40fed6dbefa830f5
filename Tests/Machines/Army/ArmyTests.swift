import Foundation
import Linux
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// `droneforge army` as people use it.
@Suite(.serialized) struct ArmyTests {
  @Test("an army of three from start to Ctrl-C: one is killed, boots again as itself, and another's cable is pulled")
  func fromStartToEnd() async throws {
    try await RunningArmy.withRuntime { army in
      try await withMachineGroup(of: 3) {
        let terminal = try PseudoTerminal(
          [RunningArmy.program.string, "army", "--nodes", "3", "--tree", try Image.file("pxe").string],
          environment: army.environment, directory: army.runtime.string)
        try terminal.expect("All 3 drones are in after ", within: .seconds(240))
        let look = { terminal.look(milliseconds: 20) }
        let start = try await army.waits(for: "all alive", meanwhile: look) { standing in
          standing.drones.allSatisfy { $0.cluster == "alive" && $0.power == "on" }
        }
        #expect(Set(start.drones.map(\.id)).count == 3)

        terminal.type("\u{1}k2")
        try await army.waits(for: "drone 2 dead", within: .seconds(30), meanwhile: look) {
          $0[2].power == "off" && $0[2].cluster == "dead"
        }
        terminal.type("\u{1}r2")
        let again = try await army.waits(for: "drone 2 back", meanwhile: look) {
          $0[2].power == "on" && $0[2].cluster == "alive"
        }
        #expect(again[2].id == start[2].id && again[2].starts == 2)

        terminal.type("\u{1}u3")
        try await army.waits(for: "drone 3 dead", within: .seconds(30), meanwhile: look) {
          !$0[3].plugged && $0[3].cluster == "dead"
        }
        terminal.type("\u{1}p3")
        let healed = try await army.waits(for: "drone 3 back", meanwhile: look) { $0[3].cluster == "alive" }
        #expect(healed[3].starts == 1)

        // A drone's own console, and the line that stays below it.
        terminal.type("\u{1}c2")
        try terminal.expect("drone2:/# ", within: .seconds(10))
        terminal.type("echo $(hostname) says $((6 * 7))\r")
        try terminal.expectOnConsole("drone2 says 42", within: .seconds(20))
        try terminal.expect("\u{1B}[24;1H", within: .seconds(10))

        let processes = healed.drones.compactMap(\.process)
        #expect(RunningArmy.alive(processes).count == 3)
        terminal.type("\u{3}")
        #expect(try terminal.end(within: .seconds(20)) == .exited(0))
        #expect(terminal.tail.contains("The army has ended; nothing of it is left."))
        #expect(terminal.isRestored)
        #expect(RunningArmy.alive(processes) == [] && army.leftovers == [])
      }
    }
  }

  @Test("without a terminal there are lines; what crosses the switch between members is ESP; SIGTERM ends all")
  func lines() async throws {
    try await RunningArmy.withRuntime { army in
      try await withMachineGroup(of: 2) {
        let capture = army.runtime.appending("frames.pcap")
        let log = army.runtime.appending("log")
        let process = try army.start(["--nodes", "2", "--capture", capture.string], log: log)
        defer { sendSignal(.kill, to: process) }
        let standing = try await army.waits(for: "both alive", within: .seconds(240)) {
          $0.drones.allSatisfy { $0.cluster == "alive" }
        }
        // Members ask each other every second whether they live, within the tunnel.
        try await Task.sleep(for: .seconds(10))
        sendSignal(.terminate, to: process)
        #expect(try await army.ending(of: process) == .exited(128 + 15))
        #expect(RunningArmy.alive(standing.drones.compactMap(\.process)) == [])

        let text = String(decoding: try contents(of: log), as: UTF8.self)
        for line in [
          "drone 1  192.168.1.11  started\n", "drone 2  192.168.1.12  shell after ",
          "drone 2  192.168.1.12  in the cluster after ", "All 2 drones are in after ", "Memory: ",
          "The army has ended; nothing of it is left.\n",
        ] { #expect(text.contains(line), "\(line)") }
        #expect(!text.contains("\u{1B}"), "no control sequences in a file")

        #expect(try await !frames(in: capture, "esp").isEmpty)
        #expect(
          try await frames(in: capture, "ip and not esp and not tcp port 3278 and not udp port 2727 and not igmp") == []
        )
        try FileManager.default.removeItem(atPath: capture.string)
        try FileManager.default.removeItem(atPath: log.string)
        #expect(army.leftovers == [])
      }
    }
  }

  @Test(
    "a second army is refused; machines end with an army that is killed; a drone that switches itself off stays off")
  func killed() async throws {
    try await RunningArmy.withRuntime { army in
      try await withMachineGroup(of: 1) {
        let process = try army.start(["--nodes", "1"], log: army.runtime.appending("log"))
        defer { sendSignal(.kill, to: process) }
        let standing = try await army.waits(for: "the drone is in", within: .seconds(240)) { $0[1].cluster == "alive" }
        let refusal = await #expect(throws: BuildError.self) {
          try await army.command(["--nodes", "1", "--tree", Image.file("pxe").string])
        }
        #expect(refusal.map { "\($0)".contains("An army is running already") } == true)
        let machines = standing.drones.compactMap(\.process)
        #expect(RunningArmy.alive(machines).count == 1)
        sendSignal(.kill, to: process)
        #expect(try await army.ending(of: process) == .killed(signal: 9))
        let deadline = ContinuousClock.now + .seconds(10)
        while !RunningArmy.alive(machines).isEmpty, ContinuousClock.now < deadline {
          try await Task.sleep(for: .milliseconds(50))
        }
        #expect(RunningArmy.alive(machines) == [])
        await #expect(throws: BuildError.self) { try await army.command(["status"]) }

        // What it left is no obstacle.
        let next = try army.start(["--nodes", "1"], log: army.runtime.appending("log"))
        defer { sendSignal(.kill, to: next) }
        try await army.waits(for: "the drone is in", within: .seconds(240)) { $0[1].cluster == "alive" }
        try await army.onConsole(1, "poweroff\r")
        try await army.waits(for: "the drone is off") { $0[1].power == "off" }
        sendSignal(.hangUp, to: next)
        #expect(try await army.ending(of: next) == .exited(128 + 1))
        try FileManager.default.removeItem(atPath: army.runtime.appending("log").string)
        #expect(army.leftovers == [])
      }
    }
  }
}

extension RunningArmy {
  /// Starts an army whose output is a file; gives the process.
  func start(_ words: [String], log: FilePath) throws -> Int32 {
    let command = [try Self.program.string, "army", "--tree", try Image.file("pxe").string] + words
    do throws(SystemError) {
      let output = try Descriptor(Path([UInt8](log.string.utf8)), .create)
      let input = try Descriptor("/dev/null", .read)
      var program = Program(
        Path([UInt8](command[0].utf8)), arguments: command.map { [UInt8]($0.utf8) },
        environment: environment.map { [UInt8]("\($0.key)=\($0.value)".utf8) })
      (program.input, program.output, program.error) = (input.number, output.number, output.number)
      return try program.start()
    } catch {
      throw BuildError.notStarted(command: command[0], reason: String(decoding: error.text, as: UTF8.self))
    }
  }

  /// Types on a drone's console as from a second terminal, and leaves it.
  func onConsole(_ number: Int, _ keys: String) async throws {
    let terminal = try PseudoTerminal(
      [Self.program.string, "army", "console", "\(number)"], environment: environment, directory: runtime.string)
    try terminal.expect("Ctrl-A x leaves it", within: .seconds(10))
    try terminal.expect("/# ", within: .seconds(20))
    terminal.type(keys)
    terminal.look(milliseconds: 500)
    terminal.type("\u{1}x")
    _ = try terminal.end(within: .seconds(10))
  }
}
