import Testing
import Workshop

@testable import VirtualMachine

@Suite struct FirmwareTests {
  @Test("a BIOS is the emulator's own, on its own board, with nothing said about either")
  func bios() {
    #expect(Firmware.bios.arguments(for: .nothing) == [])
    #expect(MachineConfiguration(boot: .nothing).firmware == .bios)
  }

  static let withoutIPv6 = ["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]
  static let silent = withoutIPv6 + ["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"]
  static let guarded = ["-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"]

  @Test(
    "UEFI is two chips on a board of 2009: code that stays as it is, and a copy of what it stores",
    arguments: [
      (Firmware.uefi, ["-machine", "q35"], "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
      (.uefi32, guarded, "OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd"),
      (.secureBoot, guarded, "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd"),
      (.ownKey, guarded, "OVMF_CODE_4M.snakeoil.fd", "OVMF_VARS_4M.snakeoil.fd"),
    ])
  func uefi(_ firmware: Firmware, _ board: [String], _ code: String, _ variables: String) {
    let chips = [
      "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/\(code)",
      "-drive", "if=pflash,unit=1,format=raw,snapshot=on,file=/usr/share/OVMF/\(variables)",
    ]
    #expect(firmware.arguments(for: .nothing) == board + chips + Self.silent)
    #expect(firmware.arguments(for: .network) == board + chips + Self.withoutIPv6)
  }

  @Test(
    "a medium is on a bus that the board has, and is what the firmware starts",
    arguments: [
      (
        Firmware.bios, MachineConfiguration.Boot.cd("a.iso"),
        ["-drive", "if=ide,index=2,format=raw,media=cdrom,readonly=on,file=a.iso", "-boot", "order=d"]
      ),
      (
        .uefi, .cd("a.iso"),
        [
          "-drive", "if=none,id=drive,format=raw,media=cdrom,readonly=on,file=a.iso",
          "-device", "ide-cd,bus=ide.2,drive=drive,bootindex=0",
        ]
      ),
      (
        .bios, .disk("a.iso"),
        ["-drive", "if=ide,index=0,format=raw,media=disk,snapshot=on,file=a.iso", "-boot", "order=c"]
      ),
      (
        .secureBoot, .disk("a.iso"),
        [
          "-drive", "if=none,id=drive,format=raw,media=disk,snapshot=on,file=a.iso",
          "-device", "ide-hd,bus=ide.0,drive=drive,bootindex=0",
        ]
      ),
      (
        .bios, .usb("a.iso"),
        [
          "-device", "usb-ehci,id=usb", "-drive", "if=none,id=stick,format=raw,snapshot=on,file=a.iso",
          "-device", "usb-storage,bus=usb.0,drive=stick,bootindex=0",
        ]
      ),
      (
        .uefi32, .usb("a.iso"),
        [
          "-device", "qemu-xhci,id=usb", "-drive", "if=none,id=stick,format=raw,snapshot=on,file=a.iso",
          "-device", "usb-storage,bus=usb.0,drive=stick,bootindex=0",
        ]
      ),
      (.bios, .network, ["-boot", "order=n"]),
      (.uefi, .nothing, []),
    ])
  func medium(_ firmware: Firmware, _ boot: MachineConfiguration.Boot, _ expected: [String]) {
    let arguments = MachineConfiguration(firmware: firmware, boot: boot).arguments(.inheritedSockets)
    #expect(Array(arguments.suffix(expected.count)) == expected)
    #expect(arguments.count { $0.contains("a.iso") } == (expected.contains { $0.contains("a.iso") } ? 1 : 0))
  }

  @Test(
    "of a machine's cards the first is what UEFI boots from the network by, and has the only boot ROM; virtio has none, since firmware drives it",
    arguments: [([NetworkCard.Model.e1000e, .virtio], [false, true]), ([.virtio, .e1000e], [true, true])])
  func network(_ models: [NetworkCard.Model], _ lackROMs: [Bool]) {
    let cards = models.map { NetworkCard($0, on: .silent) }
    func devices(_ boot: MachineConfiguration.Boot) -> [String] {
      MachineConfiguration(firmware: .uefi, boot: boot, cards: cards).arguments(.inheritedSockets)
        .filter { $0.contains("netdev=") }
    }
    #expect(devices(.network).map { $0.contains("bootindex=0") } == [true, false])
    #expect(devices(.network).map { $0.contains("romfile=") } == lackROMs)
    #expect(devices(.nothing).allSatisfy { $0.contains("romfile=") && !$0.contains("bootindex") })
  }

  @Test(
    "a USB card shares its controller with a stick, whatever the firmware",
    arguments: [
      (Firmware.bios, MachineConfiguration.Boot.nothing), (.bios, .usb("a.iso")), (.uefi, .cd("a.iso")),
      (.uefi, .usb("a.iso")),
    ])
  func usbCard(_ firmware: Firmware, _ boot: MachineConfiguration.Boot) {
    let arguments = MachineConfiguration(firmware: firmware, boot: boot, cards: [.init(.usb, on: .silent)])
      .arguments(.inheritedSockets)
    #expect(arguments.filter { $0.contains(",id=usb") } == ["qemu-xhci,id=usb"])
    #expect(arguments.contains("usb-net,netdev=net0,mac=52:54:00:12:34:56,bus=usb.0"))
  }

  @Test("memory is the target's, or what GRUB needs under UEFI, unless a test says otherwise")
  func memory() {
    #expect(MachineConfiguration(target: .x86_64, boot: .nothing).memory == 256)
    #expect(MachineConfiguration(target: .x86_64, firmware: .uefi, boot: .nothing).memory == 384)
    #expect(MachineConfiguration(target: .x86_64, firmware: .uefi, memory: 512, boot: .nothing).memory == 512)
  }

  @Test("the line to run by hand needs no file that went with the machine")
  func byHand() {
    let words = MachineConfiguration(target: .x86_64, firmware: .secureBoot, boot: .cd("/images/a.iso")).byHand
      .split(separator: " ")
    let files = words.compactMap { $0.split(separator: ",").first { $0.hasPrefix("file=") } }
    #expect(
      files == [
        "file=/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "file=/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "file=/images/a.iso",
      ])
  }

  @Test("a machine with UEFI is not saved")
  func saved() async {
    await #expect(throws: BuildError.self) {
      _ = try await saveMachine(MachineConfiguration(firmware: .uefi, boot: .nothing)) { _ in }
    }
  }
}
