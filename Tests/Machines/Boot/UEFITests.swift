import Foundation
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// PCs without a BIOS: the firmware starts GRUB, GRUB Debian's kernel.
@Suite struct UEFITests {
  static let cards: [(model: NetworkCard.Model, driver: String)] = [
    (.e1000e, "e1000e"), (.vmxnet3, "vmxnet3"), (.virtio, "virtio_net"), (.e1000e, "e1000e"), (.usb, "cdc_ether"),
  ]

  @Test(
    "from CD with a line typed at GRUB's prompt: each card has its driver and its place's number, the drone an address and a cluster, and a disk stays as it was"
  )
  func cd() async throws {
    let disk = FilePath(NSTemporaryDirectory()).appending("disk-\(UUID())")
    defer { try? FileManager.default.removeItem(atPath: disk.string) }
    let content = Self.disk
    try await write(content, to: disk)
    let networks = [NetworkCard.Network.user()] + Self.cards.dropFirst().map { _ in .silent }
    var configuration = try Image.cd64(.uefi, cards: zip(Self.cards, networks).map { NetworkCard($0.model, on: $1) })
    configuration.extraArguments = [
      "-drive", "if=none,id=other,format=raw,file=\(disk)", "-device", "ide-hd,bus=ide.0,drive=other",
    ]
    try await withVirtualMachine(configuration) { machine in
      try await machine.bootByGRUB("first keymap=de")
      #expect(try await machine.output("cat /proc/cmdline").contains("tyd=first keymap=de"))
      #expect(try await machine.output("cat /sys/firmware/efi/fw_platform_size") == "64")
      let links = try await machine.output("ls -l /sys/class/net/*/device/driver").split(separator: "\n")
      #expect(links.count == Self.cards.count)
      for (_, driver) in Self.cards { #expect(links.contains { $0.hasSuffix("/\(driver)") }, "\(driver)") }
      // The two of one driver were there first, and the others between them.
      let order = try await machine.output(
        "for n in 0 1 2 3; do basename $(readlink /sys/class/net/eth$n/device/driver); done")
      #expect(order.split(separator: "\n").map(String.init) == Self.cards.prefix(4).map(\.driver))
      #expect(try await machine.address() == "10.0.2.15/24")
      try await machine.isWholeNode()
      // Else its content proves nothing.
      #expect(try await machine.output("cat /proc/partitions").contains(" \(content.count / 1024) sda"))
    }
    #expect(try contents(of: disk) == content)
  }

  /// With the mark of a swap area (mkswap(8): at the end of the first page), which other systems in memory make use of.
  private static let disk: [UInt8] = {
    var content = [UInt8](repeating: 0xE5, count: 4 << 20)
    let mark = [UInt8]("SWAPSPACE2".utf8)
    content.replaceSubrange((4096 - mark.count)..<4096, with: mark)
    return content
  }()

  @Test(
    "from a stick by firmware of 64 and of 32 bits, and the drone finds the stick",
    arguments: [(Firmware.uefi, "64"), (.uefi32, "32")])
  func stick(_ firmware: Firmware, _ width: String) async throws {
    try await withVirtualMachine(try Image.stick64(firmware)) { machine in
      // On a busy computer ten of the machine's seconds are over before it has found its stick.
      try await machine.bootByGRUB("drone boot=/dev/cdrom:iso9660 modules=open")
      #expect(try await machine.output("cat /sys/firmware/efi/fw_platform_size") == width)
      try await machine.succeeds(
        "n=0; until [ -e /mnt/boot/chaos/chaos.rdz ] || [ $n = 90 ]; do sleep 1; n=$((n+1)); done; [ $n -lt 90 ]")
    }
  }

  @Test("with Secure Boot and Microsoft's keys the kernel is locked down, and a drone lacks nothing")
  func secureBoot() async throws {
    let configuration = try Image.cd64(.secureBoot, cards: [NetworkCard(.e1000e, on: .user())])
    try await withVirtualMachine(configuration) { machine in
      try await machine.bootByGRUB("first")
      let log = try await machine.output("dmesg | grep -E 'secureboot:|locked down'")
      #expect(log.contains("secureboot: Secure boot enabled"), "\(log)")
      #expect(log.contains("Kernel is locked down from EFI Secure Boot"), "\(log)")
      let loaded = try await machine.output("cut -d' ' -f1 /proc/modules").split(separator: "\n")
      for module in ["e1000e", "nf_tables", "esp4"] { #expect(loaded.contains { $0 == module }, "\(module)") }
      #expect(try await machine.output("grep 'filter ' /run/boot.log").contains("closed"))
      #expect(try await machine.address() == "10.0.2.15/24")
      try await machine.isWholeNode()
    }
  }

  @Test("with Secure Boot a medium whose first program nobody signed is refused")
  func unsigned() async throws {
    let image = FilePath(NSTemporaryDirectory()).appending("unsigned-\(UUID()).iso")
    defer { try? FileManager.default.removeItem(atPath: image.string) }
    try FileManager.default.copyItem(atPath: try Image.iso.string, toPath: image.string)
    let start = try await Self.startOfEFIPartition(in: image)
    let program = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"
    _ = try await Command("mcopy", ["-o", "-i", "\(image)@@\(start)", program, "::/EFI/BOOT/BOOTX64.EFI"]).output()
    var configuration = try Image.cd64(.secureBoot)
    configuration.boot = .cd(image)
    try await withVirtualMachine(configuration) { machine in
      try await machine.expect("BdsDxe: failed to load")
      #expect(try await machine.expect("\n").contains("Access Denied"))
    }
  }

  /// In bytes, as sfdisk reads the partition table.
  private static func startOfEFIPartition(in image: FilePath) async throws -> Int {
    struct Answer: Decodable {
      struct Table: Decodable { let partitions: [Partition] }
      struct Partition: Decodable {
        let start: Int
        let type: String
      }
      let partitiontable: Table
    }
    let text = try await Command("sfdisk", ["--json", image.string]).output()
    let partitions = try JSONDecoder().decode(Answer.self, from: Data(text)).partitiontable.partitions
    let type = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
    return 512 * (try #require(partitions.first { $0.type == "ef" || $0.type == type })).start
  }
}

extension VirtualMachine {
  /// The first node of a cluster, whose root is as it was made.
  func isWholeNode() async throws {
    try await succeeds(
      "n=0; until tyd --status | grep alive || [ $n = 60 ]; do sleep 1; n=$((n+1)); done; [ $n -lt 60 ]")
    try await succeeds("certaintyd --once")
  }
}
