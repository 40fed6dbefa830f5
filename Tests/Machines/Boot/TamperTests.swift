import Testing
import VirtualMachine

/// A drone whose root was changed restarts itself, and says which path and why.
@Suite struct TamperTests {
  @Test(
    "every kind of change restarts the drone, with its reason on the console and in the kernel's log",
    arguments: Tamper.all)
  func restarts(_ tamper: Tamper) async throws {
    // The kernel's log is printed here as well, since it does not outlive the restart.
    try await withShell(.watched) { machine async throws in
      machine.type(tamper.command + "\n")
      #expect(try await machine.waitForEnd(within: .seconds(40)) == .reset)
      for (place, lines) in [("kernel log", machine.alarms.kernel), ("console", machine.alarms.console)] {
        #expect(lines.contains { tamper.isNamed(in: $0) }, "\(place): \(lines)")
      }
      #expect(machine.transcript.contains("restarting (SIGTERM)"), "not in order: \(machine.transcript.suffix(2000))")
    }
  }

  @Test(
    "as it boots by itself: a change in the first 30 s and one later are found, and the drone is whole again after each"
  )
  func byItself() async throws {
    var configuration = try Image.cd()
    configuration.restarts = true
    try await withVirtualMachine(configuration) { machine in
      try await machine.bootByEnter()
      let early = Tamper.all[0]
      try await machine.run(early.command)
      #expect(try await machine.run("certaintyd --status").status == 0)
      #expect(early.isNamed(in: try await machine.expect(VirtualMachine.alarm)))

      try await machine.bootByEnter()
      #expect(try await machine.run("grep intruder /etc/passwd").status == 1)
      try await machine.waitForPass(2)
      machine.type("rm /bin/wget\n")
      let alarm = try await machine.expect(VirtualMachine.alarm, within: .seconds(20))
      #expect(alarm.contains("/bin/wget: is gone"))
      try await machine.bootByEnter()
      #expect(try await machine.run("ls /bin/wget").status == 0)
    }
  }

  @Test("--once prints every difference of a changed root and ends with 1, and with 0 before the change")
  func once() async throws {
    try await withShell(.unwatched) { machine in
      #expect(try await machine.run("pidof certaintyd").status != 0)
      let before = try await machine.run("certaintyd --once")
      #expect(before.status == 0, "\(before.output)")
      // What only the past of a root can show, and what would hide the rest, is not among them.
      let hidden = ["mount ", "cp ", "chmod 644 "]
      let tampers = Tamper.all.filter { tamper in !hidden.contains { tamper.command.hasPrefix($0) } }
      for tamper in tampers.reversed() { try await machine.run(tamper.command) }
      let after = try await machine.run("certaintyd --once")
      #expect(after.status == 1)
      for tamper in tampers where !tamper.words.contains("content changed") {
        #expect(tamper.isNamed(in: after.output), "\(tamper.command): \(after.output)")
      }
      // And nothing watches: certaintyd=off.
      try await machine.run("sleep 3")
      #expect(try await machine.run("[ -e /sbin/backdoor ]").status == 0)
    }
  }

  @Test("--once finds bytes that were changed and times that were set back")
  func content() async throws {
    try await withShell(.unwatched) { machine in
      try await machine.run("printf R | dd of=/etc/passwd conv=notrunc; touch -r /etc/group /etc/passwd")
      let after = try await machine.run("certaintyd --once")
      #expect(after.output.contains("/etc/passwd: content changed"), "\(after.output)")
      #expect(after.status == 1)
    }
  }
}
