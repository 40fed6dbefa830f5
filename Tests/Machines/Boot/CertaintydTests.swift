import Testing
import VirtualMachine

/// How certaintyd is switched off, asked, and locked; and what happens when process 1 or the kernel no longer answers.
@Suite struct CertaintydTests {
  @Test("whoever kills it may change the root; it can be started again, but not twice")
  func killed() async throws {
    try await withShell { machine in
      #expect(try await machine.run("certaintyd --status").status == 0)
      try await machine.startCertaintyd()
      let second = try await machine.run("certaintyd --delay 0")
      #expect(second.status != 0)
      #expect(second.output.contains("certaintyd: "))
      try await machine.endCertaintyd()
      #expect(try await machine.run("certaintyd --status").status != 0)
      try await machine.run("rm /bin/wget")
      try await machine.run("sleep 6")
      let found = try await machine.run("certaintyd --once")
      #expect(found.status == 1)
      #expect(found.output.contains("/bin/wget: is gone"))
      #expect(machine.alarms.console.isEmpty)
    }
  }

  @Test("it goes on when nobody waits any longer to hear that it is ready")
  func unheard() async throws {
    try await withShell(.unwatched) { machine in
      machine.type("{ READY=3 certaintyd --delay 0 >/dev/null 2>&1; } 3>&1 | true &\n")
      try await machine.expectShell()
      try await machine.succeeds(
        "n=0; until certaintyd --status || [ $n = 30 ]; do sleep 1; n=$((n+1)); done; sleep 3; certaintyd --status")
    }
  }

  @Test("locked: killing it is a loss of integrity", arguments: ["TERM", "KILL"])
  func locked(_ signal: String) async throws {
    try await withVirtualMachine(try Image.direct("ip=off certaintyd=locked")) { machine in
      try await machine.expectShell()
      machine.type("kill -\(signal) $(cat /run/certaintyd/pid)\n")
      #expect(try await machine.waitForEnd(within: .seconds(30)) == .reset)
      #expect(machine.transcript.contains("certaintyd"))
    }
  }

  @Test("an option or value that it does not know is named, with exit status 2")
  func options() async throws {
    try await withShell(.unwatched) { machine in
      #expect(try await machine.run("certaintyd --help").status == 0)
      for words in ["--nonsense", "--interval 0", "--delay x", "extra"] {
        let answer = try await machine.run("certaintyd \(words)")
        #expect(answer.status == 2, "\(words)")
        #expect(answer.output.contains("certaintyd: "), "\(answer.output)")
      }
    }
  }

  /// Stops process 1 for good without ending it: the freezer of a control group, mounted where the operator may mount.
  static let freeze =
    "mkdir /mnt/cg && mount -t cgroup2 none /mnt/cg && mkdir /mnt/cg/ice && echo 1 > /mnt/cg/ice/cgroup.procs && "
    + "echo 1 > /mnt/cg/ice/cgroup.freeze"

  @Test("a process 1 that does not go down: the drone restarts at once after 10 s")
  func stuck() async throws {
    try await withVirtualMachine(try Image.direct("ip=off watchdog=off")) { machine in
      try await machine.expectShell()
      try await machine.startCertaintyd()
      #expect(try await machine.run("mount -t tmpfs none /mnt && \(Self.freeze)").status == 0)
      machine.type("rm /bin/wget\n")
      try await machine.expect(VirtualMachine.alarm)
      let start = ContinuousClock.now
      #expect(try await machine.waitForEnd(within: .seconds(40)) == .reset)
      #expect(ContinuousClock.now - start > .seconds(8))
      #expect(!machine.transcript.contains("restarting (SIGTERM)"))
    }
  }

  @Test("a process 1 that hangs no longer feeds the watchdog, and the drone restarts", arguments: [true, false])
  func watchdog(hardware: Bool) async throws {
    var configuration = try Image.direct("ip=off certaintyd=off")
    if hardware { configuration.extraArguments = ["-device", "i6300esb", "-watchdog-action", "reset"] }
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      try await machine.run("sleep 3")
      #expect(try await machine.run("mount -t tmpfs none /mnt && \(Self.freeze)").status == 0)
      #expect(try await machine.waitForEnd(within: .seconds(100)) == .reset)
    }
  }

  @Test("a kernel that hangs as a whole is ended by a watchdog in hardware")
  func hungKernel() async throws {
    var configuration = try Image.direct("ip=off certaintyd=off")
    configuration.extraArguments = ["-device", "i6300esb", "-watchdog-action", "reset"]
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      // Without it the kernel would restart by itself.
      try await machine.run("echo 0 > /proc/sys/kernel/panic; echo 1 > /proc/sys/kernel/sysrq")
      machine.type("echo c > /proc/sysrq-trigger\n")
      #expect(try await machine.waitForEnd(within: .seconds(100)) == .reset)
    }
  }
}
