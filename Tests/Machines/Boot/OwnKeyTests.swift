import Foundation
import SystemPackage
import Target
import Testing
import VirtualMachine
import Workshop

/// A CD that the user's own key signed, before firmware that knows that key alone.
@Suite(.serialized) struct OwnKeyTests {
  /// The CD for 64 bits, made once as people make it, with folders of its own instead of theirs. The firmware's one key is
  /// the user's.
  private static let signed = Task {
    let folder = FilePath(NSTemporaryDirectory()).appending("ownkey-\(UUID())")
    try makeFolder(folder)
    let program = try Image.file("bin/droneforge").string
    let settings = ["XDG_CONFIG_HOME": folder.string]
    let key = folder.appending("test.key").string
    _ = try await Command(
      "openssl",
      [
        "rsa", "-in", Firmware.testKey.key.string, "-passin", "pass:\(Firmware.testKey.passphrase)", "-out", key,
      ]
    ).output()
    _ = try await Command(
      program,
      ["secureboot", "create", "mine", "--key", key, "--certificate", Firmware.testKey.certificate.string],
      environment: settings
    ).output()
    _ = try await Command(
      program,
      [
        "iso", "--checkout", Image.build.removingLastComponent().string, "--output", folder.string, "--target",
        "x86_64",
        "--credential", "none", "--secureboot", "mine", "--words", "tyd=first no_timer_check",
      ], environment: settings
    ).output()
    return folder.appending("drone-x86_64.iso")
  }

  private func machine(_ image: FilePath) -> MachineConfiguration {
    MachineConfiguration(target: .x86_64, firmware: .ownKey, memory: 512, boot: .cd(image))
  }

  @Test(
    "by firmware that knows one's own key alone a signed CD boots, and is refused with one byte of its root changed")
  func ownKey() async throws {
    let image = try await Self.signed.value
    defer { try? FileManager.default.removeItem(atPath: image.removingLastComponent().string) }
    try await withVirtualMachine(machine(image)) { machine in
      try await machine.expectShell()
      let log = try await machine.output("dmesg | grep -E 'secureboot:|locked down'")
      #expect(log.contains("secureboot: Secure boot enabled"), "\(log)")
      #expect(log.contains("Kernel is locked down from EFI Secure Boot"), "\(log)")
      #expect(try await machine.output("cat /proc/cmdline").hasSuffix("tyd=first no_timer_check"))
      try await machine.succeeds("certaintyd --once")
    }
    let changed = image.removingLastComponent().appending("changed.iso")
    try await change(image, to: changed)
    try await withVirtualMachine(machine(changed)) { machine in
      _ = try await machine.expect("Security Violation")
    }
  }

  /// Changes one byte in the middle of the root that is in the signed program: the only one on the CD with such a section.
  private func change(_ image: FilePath, to changed: FilePath) async throws {
    var bytes = try contents(of: image)
    func long(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
    let name = [UInt8](".initrd\0".utf8)
    var place: Int?
    for start in stride(from: 0, to: bytes.count - 1024, by: 512) where bytes[start] == 0x4D && bytes[start + 1] == 0x5A
    {
      guard let header = (start..<start + 984).first(where: { bytes[$0..<$0 + name.count].elementsEqual(name) }) else {
        continue
      }
      // Its file's place, and half of its bytes.
      place = start + long(header + 20) + long(header + 16) / 2
    }
    bytes[try #require(place)] ^= 1
    try await write(bytes, to: changed)
  }
}
