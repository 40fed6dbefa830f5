import Testing
import VirtualMachine

/// A drone of 64 bits with the project's own kernel, which has its drivers built in and is signed by nobody.
@Suite struct OwnKernelTests {
  static let cards: [(model: NetworkCard.Model, driver: String)] = [
    (.e1000e, "e1000e"), (.vmxnet3, "vmxnet3"), (.virtio, "virtio_net"), (.usb, "cdc_ether"),
  ]

  private func configuration(_ firmware: Firmware, memory: Int? = nil) throws -> MachineConfiguration {
    let networks = [NetworkCard.Network.user()] + Self.cards.dropFirst().map { _ in .silent }
    return MachineConfiguration(
      target: .x86_64, firmware: firmware, memory: memory, boot: .cd(try Image.ownISO),
      cards: zip(Self.cards, networks).map { NetworkCard($0.model, on: $1) })
  }

  /// The name of the card that has a network: built-in drivers name their cards one driver after the other.
  private static func connected(_ machine: VirtualMachine) async throws -> String {
    try await machine.output("ls /sys/bus/pci/drivers/e1000e/0*/net")
  }

  @Test("by a BIOS with 96 MB it has each card, an address, a cluster and certaintyd, and neither modules nor IPv6")
  func bios() async throws {
    try await withVirtualMachine(try configuration(.bios, memory: 96)) { machine in
      try await machine.expect("boot:")
      machine.type("first no_timer_check\n")
      try await machine.expectShell()
      #expect(try await machine.output("uname -m") == "x86_64")
      let links = try await machine.output("ls -l /sys/class/net/*/device/driver").split(separator: "\n")
      for (_, driver) in Self.cards { #expect(links.contains { $0.hasSuffix("/\(driver)") }, "\(driver)") }
      #expect(try await machine.address(of: Self.connected(machine)) == "10.0.2.15/24")
      try await machine.isWholeNode()
      #expect(try await machine.run("[ -e /proc/modules ] || ip -6 addr | grep .").status != 0)
      #expect(try await machine.output("certaintyd --once; echo $?") == "0")
    }
  }

  @Test(
    "by UEFI of 64 and of 32 bits the same, on a screen that GRUB left",
    arguments: [(Firmware.uefi, "64"), (.uefi32, "32")])
  func uefi(_ firmware: Firmware, _ width: String) async throws {
    try await withVirtualMachine(try configuration(firmware)) { machine in
      try await machine.bootByGRUB("first")
      #expect(try await machine.output("cat /sys/firmware/efi/fw_platform_size") == width)
      #expect(try await machine.output("cat /proc/fb").contains("EFI VGA"))
      #expect(try await machine.address(of: Self.connected(machine)) == "10.0.2.15/24")
      try await machine.isWholeNode()
    }
  }
}
