import Foundation
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// The tests above mean something only if a broken image makes them fail: quickly, and with the reason in sight.
@Suite struct BrokenImageTests {
  @Test(
    "an image whose first program is not there or ends makes the harness fail, with the kernel's last words",
    arguments: [
      (without: true, "", "VFS: Unable to mount root fs"),
      (without: false, "rdinit=/bin/false", "Attempted to kill init"),
    ])
  func panics(_ without: Bool, _ words: String, _ reason: String) async throws {
    var configuration = try Image.direct(words)
    if without, case .kernel(let kernel, _, let commandLine) = configuration.boot {
      configuration.boot = .kernel(kernel, initramfs: nil, commandLine: commandLine)
    }
    try await expectPanic(configuration, reason) { try await $0.expectShell(within: .seconds(200)) }
  }

  @Test("a CD with a damaged root makes the harness fail, with the kernel's last words")
  func damaged() async throws {
    let copy = FilePath(NSTemporaryDirectory()).appending("damaged-\(UUID()).iso")
    defer { try? FileManager.default.removeItem(atPath: copy.string) }
    var bytes = try contents(of: try Image.iso)
    let root = try contents(of: try Image.file("pxe/chaos/chaos.rdz"))
    let data = Data(bytes)
    let place = try #require(data.firstRange(of: Data(root.prefix(4096))), "The CD's root is not the network tree's")
    // Past the compressor's header, into the data.
    for index in (place.lowerBound + 20_000)..<(place.lowerBound + 24_000) { bytes[index] ^= 0x5A }
    try await write(bytes, to: copy)
    var configuration = try Image.cd()
    configuration.boot = .cd(copy)
    try await expectPanic(configuration, "Kernel panic") { machine in
      try await machine.expect("boot:")
      machine.type("\n")
      try await machine.expectShell(within: .seconds(200))
    }
  }

  private func expectPanic(
    _ configuration: MachineConfiguration, _ words: String,
    _ body: @Sendable (VirtualMachine) async throws -> Void
  ) async throws {
    let failure = await #expect(throws: MachineFailure.self) {
      try await withVirtualMachine(configuration) { machine in
        let start = ContinuousClock.now
        do { try await body(machine) } catch {
          // Not only when the time for the shell is over.
          #expect(ContinuousClock.now - start < .seconds(100))
          throw error
        }
      }
    }
    let report = try #require(failure.map { "\($0)" })
    guard case .kernelPanic = failure?.reason else {
      Issue.record("Not a panic: \(report)")
      return
    }
    #expect(report.contains(words))
    #expect(failure?.console.isEmpty == false)
    #expect(report.contains(configuration.target.emulator.program))
  }
}
