import Testing
import VirtualMachine

/// How a drone starts on other hardware, and how it ends.
@Suite struct ProcessOneTests {
  @Test(
    "what ends a drone, and how",
    arguments: [
      ("reboot", MachineEnd.reset), ("poweroff", .powerOff), ("kill -USR2 1", .powerOff), ("kill -TERM 1", .reset),
    ])
  func ends(_ command: String, _ expected: MachineEnd) async throws {
    try await withShell { machine async throws in
      machine.type(command + "\n")
      #expect(try await machine.waitForEnd() == expected)
    }
  }

  @Test("halt stops the machine and leaves it on", arguments: ["halt", "kill -USR1 1"])
  func halts(_ command: String) async throws {
    try await withShell { machine in
      machine.type(command + "\n")
      try await machine.expect("System halted")
    }
  }

  @Test("Ctrl-Alt-Del reboots")
  func keys() async throws {
    try await withShell { machine in
      try await machine.press(["ctrl", "alt", "delete"])
      #expect(try await machine.waitForEnd() == .reset)
    }
  }

  @Test("of four processors all four are used")
  func processors() async throws {
    var configuration = try Image.direct("ip=off")
    configuration.processors = 4
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      #expect(try await machine.output("nproc") == "4")
    }
  }

  @Test("a shell that ends comes back, and process 1 stays")
  func respawn() async throws {
    try await withShell { machine in
      machine.type("exit\n")
      try await machine.expectShell()
      #expect(try await machine.run("kill -0 1").status == 0)
      // Nobody's children are init's, and it collects them.
      try await machine.run("(sleep 0 &) ; (true &) ; sleep 1")
      #expect(try await machine.output("ps -o stat | grep -c Z") == "0")
    }
  }

  @Test("the shell comes in less memory than promised, too", arguments: [24, 16])
  func memory(_ size: Int) async throws {
    var configuration = try Image.direct("ip=off")
    configuration.memory = size
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      let free = try await machine.output("awk '/^MemAvailable/ { print $2 }' /proc/meminfo")
      print("With \(size) MB a drone has \(free) kB to spare.")
    }
  }
}
