import Foundation
import SystemPackage
import Testing
import Workshop

import VirtualMachine

/// The harness itself, on machines that boot nothing: the firmware is enough.
@Suite struct MachineTests {
  let nothing = MachineConfiguration(boot: .nothing)

  @Test("the screen's text and its picture can be looked at")
  func screen() async throws {
    let picture = FilePath(NSTemporaryDirectory()).appending("screen-\(UUID()).png")
    defer { try? FileManager.default.removeItem(atPath: picture.string) }
    try await withVirtualMachine(nothing) { machine in
      try await machine.expectOnScreen("No bootable device")
      try await machine.screenshot(to: picture)
    }
    // PNG signature, ISO/IEC 15948 §5.2.
    #expect(try contents(of: picture).starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
  }

  @Test("a text that does not come is an error with the screen and the line to run by hand")
  func notSeen() async throws {
    let failure = await #expect(throws: MachineFailure.self) {
      try await withVirtualMachine(nothing) { machine in
        try await machine.expectOnScreen("No bootable device")
        try await machine.expect("login:", within: .milliseconds(200))
      }
    }
    let text = try #require(failure.map { "\($0)" })
    #expect(failure?.reason == .notSeen("login:", within: .milliseconds(200)))
    #expect(text.contains("No bootable device"))
    #expect(text.contains("qemu-system-i386 -accel tcg"))
  }

  @Test("an emulator that refuses its arguments fails at once, with its own words")
  func refused() async throws {
    var configuration = nothing
    configuration.extraArguments = ["-no-such-option"]
    let failure = await #expect(throws: MachineFailure.self) {
      // The machine may first have waited for its turn.
      try await withVirtualMachine(configuration) { machine in
        let start = ContinuousClock.now
        defer { #expect(ContinuousClock.now - start < .seconds(20)) }
        try await machine.expect("boot:")
      }
    }
    #expect(failure.map { "\($0)".contains("no-such-option") } == true)
  }

  @Test("an image that is not there is named")
  func missing() async throws {
    let failure = await #expect(throws: MachineFailure.self) {
      try await withVirtualMachine(MachineConfiguration(boot: .cd("/no/such.iso"))) { try await $0.expect("boot:") }
    }
    #expect(failure.map { "\($0)".contains("/no/such.iso") } == true)
  }

  @Test("no process is left behind, however a test ends", arguments: ["return", "error", "cancel"])
  func nothingLeft(_ way: String) async throws {
    struct Stop: Error {}
    // A name of its own, so that this test's emulator is told from others'.
    let name = "machine-\(UUID())"
    var configuration = nothing
    configuration.extraArguments = ["-name", name]
    let task = Task { [configuration] in
      try await withVirtualMachine(configuration) { machine in
        try await machine.expectOnScreen("SeaBIOS")
        #expect(try Self.processes(naming: name) > 0)
        switch way {
        case "error": throw Stop()
        case "cancel":
          withUnsafeCurrentTask { $0?.cancel() }
          try await machine.expect("never")
        default: break
        }
      }
    }
    _ = await task.result
    #expect(try Self.processes(naming: name) == 0)
  }

  @Test("droneforge run ends when it is told to, and the machine with it")
  func told() async throws {
    let program = try Image.file("bin/droneforge").string
    // 124 says that the time was over, 137 that SIGTERM was not enough. Nobody needs to see the image boot.
    let line = "timeout --kill-after=20 3 \"$0\" run \"$1\" </dev/null >/dev/null 2>&1; echo $?"
    let status = try await Command("/bin/sh", ["-c", line, program, try Image.iso.string]).output()
    #expect(String(decoding: status, as: UTF8.self) == "124\n")
  }

  /// How many processes have `name` in their command line.
  static func processes(naming name: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }.filter { process in
      guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
      return String(decoding: line, as: UTF8.self).contains(name)
    }.count
  }
}

@Suite struct NetworkNamespaceTests {
  @Test("a network of its own, with servers that end with it")
  func network() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let tap = try await network.tap()
      #expect(try await network.run("ip", ["-o", "link"]).contains(" \(tap): "))
      #expect(try await network.run("ip", ["-o", "address"]).contains("192.168.1.1/24"))
      #expect(!(try await network.run("ip", ["-o", "link"]).contains("eth0")))
      #expect(try await network.succeeds("busybox", ["ping", "-c1", "-W1", "192.168.1.1"]))
      #expect(!(try await network.succeeds("busybox", ["ping", "-c1", "-W1", "192.168.1.2"])))
    }
  }

  @Test("its servers read their own /etc")
  func etc() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.configure("ethers", "52:54:00:12:34:56 192.168.1.30\n")
      #expect(try await network.run("cat", ["/etc/ethers"]).hasPrefix("52:54:00"))
    }
  }

  @Test("what was started in it is gone when it is")
  func nothingLeft() async throws {
    let name = "300.\(UInt32.random(in: 0..<1_000_000))"
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.run("setsid", ["--fork", "sleep", name])
      #expect(try MachineTests.processes(naming: name) == 1)
    }
    try await Task.sleep(for: .milliseconds(100))
    #expect(try MachineTests.processes(naming: name) == 0)
  }
}
