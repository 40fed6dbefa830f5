import Testing

@testable import VirtualMachine

@Suite struct MachineConfigurationTests {
  static let boots: [MachineConfiguration.Boot] = [
    .cd("a.iso"), .disk("a.iso"), .usb("a.iso"), .network, .http, .kernel("k", initramfs: "i", commandLine: "quiet"),
    .nothing,
  ]

  @Test(
    "no machine ever uses KVM, reboots on its own, or has a device nobody asked for", arguments: boots,
    Firmware.allCases)
  func always(_ boot: MachineConfiguration.Boot, _ firmware: Firmware) {
    let arguments = MachineConfiguration(firmware: firmware, boot: boot).arguments(.inheritedSockets)
    #expect(arguments.firstRange(of: ["-accel", "tcg"]) != nil)
    #expect(arguments.contains("-no-reboot"))
    #expect(arguments.contains("-nodefaults"))
    #expect(!arguments.contains { $0.contains("kvm") })
  }

  @Test("a machine reboots only when that is asked for")
  func restarts() {
    var configuration = MachineConfiguration(boot: .nothing)
    configuration.restarts = true
    #expect(!configuration.arguments(.inheritedSockets).contains("-no-reboot"))
  }

  @Test("processor and memory are the oldest the image must boot on")
  func oldest() {
    let arguments = MachineConfiguration(boot: .nothing).arguments(.inheritedSockets)
    #expect(arguments.firstRange(of: ["-cpu", "pentium"]) != nil)
    #expect(arguments.firstRange(of: ["-m", "32"]) != nil)
  }

  @Test("neither an image nor a firmware's file is ever written to", arguments: boots, Firmware.allCases)
  func readOnly(_ boot: MachineConfiguration.Boot, _ firmware: Firmware) {
    let arguments = MachineConfiguration(firmware: firmware, boot: boot).arguments(.inheritedSockets)
    let drives = arguments.filter { $0.contains("file=") }
    #expect(drives.allSatisfy { $0.contains("readonly=on") || $0.contains("snapshot=on") })
  }

  @Test("only the card that is booted from has a boot ROM")
  func rom() {
    var configuration = MachineConfiguration(boot: .network, cards: [.init(on: .user()), .init(on: .silent)])
    let booting = configuration.arguments(.inheritedSockets).filter { $0.contains("netdev=") }
    #expect(booting.map { $0.contains("romfile=") } == [false, true])
    configuration.boot = .nothing
    let others = configuration.arguments(.inheritedSockets).filter { $0.contains("netdev=") }
    #expect(others.map { $0.contains("romfile=") } == [true, true])
  }

  @Test("UEFI tries PXE where that is asked for alone, and has random numbers for a network")
  func network() {
    func words(_ boot: MachineConfiguration.Boot) -> [String] {
      MachineConfiguration(firmware: .uefi, boot: boot, cards: [.init(.virtio, on: .user())])
        .arguments(.inheritedSockets)
    }
    for (boot, hasPXE, isNetwork) in [
      (MachineConfiguration.Boot.network, true, true), (.http, false, true), (.cd("a.iso"), false, false),
    ] {
      let words = words(boot)
      #expect(words.contains("name=opt/org.tianocore/IPv4PXESupport,string=n") == !hasPXE)
      #expect(words.contains("name=opt/org.tianocore/IPv6PXESupport,string=n"))
      #expect(words.contains("virtio-rng-pci") == isNetwork)
      // Its own driver, and not a boot ROM's.
      #expect(words.contains { $0.contains("netdev=") && $0.contains("romfile=") })
    }
  }

  @Test("a comma in a path does not start an option")
  func comma() {
    let arguments = MachineConfiguration(boot: .cd("/a,b/c.iso")).arguments(.inheritedSockets)
    #expect(arguments.contains { $0.hasSuffix("file=/a,,b/c.iso") })
  }

  @Test(
    "the line to run by hand survives a shell",
    arguments: [("plain-word", "plain-word"), ("two words", "'two words'"), ("it's", "'it'\\''s'"), ("", "''")])
  func quoting(_ word: String, _ expected: String) {
    #expect(quoted(word) == expected)
  }

  @Test("every character of the HowTo's line has a key")
  func keys() {
    let line =
      "/chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw boot=/dev/cdrom:iso9660 ip=192.168.1.21::192.168.1.1:255.255.255.0:::\n"
    for character in line { #expect(Keys.chord(for: character) != nil) }
    #expect(Keys.chord(for: ":") == ["shift", "semicolon"])
    #expect(Keys.chord(for: "Z") == ["shift", "z"])
    #expect(Keys.chord(for: "é") == nil)
  }
}
