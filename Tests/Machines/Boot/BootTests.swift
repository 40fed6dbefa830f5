import Foundation
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// Every medium and every way to address a drone, as a person does it at the boot prompt.
@Suite struct BootTests {
  static let howToLine =
    "/chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw boot=/dev/cdrom:iso9660 ip=192.168.1.21::192.168.1.1:255.255.255.0:::"

  @Test("from CD with Enter: DHCP gives the address, and 12 MB of 32 are free at the shell")
  func enter() async throws {
    try await withVirtualMachine(try Image.cd(cards: [.init(on: .user())])) { machine in
      try await machine.bootByEnter()
      #expect(try await machine.address() == "10.0.2.15/24")
      #expect(try await machine.output("route -n").contains("10.0.2.2"))
      #expect(try await machine.output("cat /etc/resolv.conf").contains("10.0.2.3"))
      #expect(try await machine.output("hostname") == "chaos-0a00020f")
      #expect(try await machine.output("grep chaos-0a00020f /etc/hosts").hasPrefix("10.0.2.15"))
      #expect(try await machine.output("grep localhost /etc/hosts").hasPrefix("127.0.0.1"))
      let available = try await machine.output("awk '/^MemAvailable/ { print $2 }' /proc/meminfo")
      #expect((Int(available) ?? 0) >= 12 * 1024, "\(available) kB are available")
      // What `kill -TERM 1` does is what a changed root will do to a drone.
      machine.type("kill -TERM 1\n")
      #expect(try await machine.waitForEnd() == .reset)
    }
  }

  @Test("from CD, typing the HowTo's line on the serial port: address, route, name and hosts without any server")
  func howTo() async throws {
    try await withVirtualMachine(try Image.cd(cards: [.init(on: .silent)])) { machine in
      try await machine.expect("boot:")
      machine.type(Self.howToLine + "\n")
      // Without console= the kernel says nothing here; the shell comes all the same.
      try await machine.expectShell()
      #expect(try await machine.address() == "192.168.1.21/24")
      #expect(try await machine.output("route -n | grep '^0.0.0.0'").contains("192.168.1.1"))
      #expect(try await machine.output("hostname") == "chaos-c0a80115")
      #expect(try await machine.output("grep chaos-c0a80115 /etc/hosts").hasPrefix("192.168.1.21"))
      #expect(try await machine.output("mount | grep /mnt/boot").contains("iso9660"))
      #expect(try await machine.run("ls /mnt/boot/chaos/chaos.rdz").status == 0)
      // The prompt follows the name.
      machine.type("\n")
      #expect(try await machine.expectShell() == "chaos-c0a80115")
      #expect(try await machine.run("umount /mnt/boot && eject").status == 0)
    }
  }

  @Test(
    "by hand with no server on the wire: ifconfig, route and fix_hosts as the HowTo types them, and DHCP stays away")
  func byHand() async throws {
    let capture = FilePath(NSTemporaryDirectory()).appending("by-hand-\(UUID()).pcap")
    defer { try? FileManager.default.removeItem(atPath: capture.string) }
    let card = NetworkCard(on: .silent, capture: capture)
    try await withVirtualMachine(try Image.cd(cards: [card])) { machine in
      try await machine.bootByEnter()
      #expect(try await machine.run("fix_hosts").status == 1)
      let before = try await machine.output("cat /etc/hosts")
      try await machine.enter("ifconfig eth0 192.168.1.21")
      try await machine.enter("route add -net 0.0.0.0 gw 192.168.1.1")
      try await machine.enter("fix_hosts")
      #expect(try await machine.address() == "192.168.1.21/24")
      #expect(try await machine.output("route -n | grep '^0.0.0.0'").contains("192.168.1.1"))
      #expect(try await machine.output("hostname") == "chaos-c0a80115")
      let after = try await machine.output("cat /etc/hosts")
      #expect(after.contains("192.168.1.21") && after != before)
      #expect(try await machine.run("fix_hosts").status == 0)
      #expect(try await machine.output("cat /etc/hosts") == after)
      let asked = try await Self.questions(in: capture)
      #expect(asked > 0, "DHCP was asked before the address was set by hand")
      try await machine.run("sleep 12")
      #expect(try await Self.questions(in: capture) <= asked + 1)
      #expect(try await machine.address() == "192.168.1.21/24")
    }
  }

  @Test("the word eject frees the CD once it was looked at")
  func eject() async throws {
    try await withVirtualMachine(try Image.cd()) { machine in
      try await machine.expect("boot:")
      machine.type("drone ip=off boot=/dev/cdrom:iso9660 eject\n")
      try await machine.expectShell()
      // The drive may take longer than the shell.
      let wait = "n=0; until grep ejected /run/boot.log || [ $n = 20 ]; do sleep 1; n=$((n+1)); done"
      #expect(try await machine.run(wait).output.contains("ejected"))
      #expect(try await machine.output("mount | grep -c /mnt/boot") == "0")
    }
  }

  /// How many DHCP or BOOTP questions a capture holds.
  static func questions(in capture: FilePath) async throws -> Int {
    let text = try await Command("tcpdump", ["-n", "-r", capture.string, "udp dst port 67"]).output()
    return text.count { $0 == 10 }
  }

  @Test(
    "one CD starts the drone for the processor; a typed label takes the one that it names", arguments: [false, true])
  func processor(is64Bit: Bool) async throws {
    let configuration = is64Bit ? try Image.cd64() : try Image.cd()
    try await withVirtualMachine(configuration) { machine in
      try await machine.bootByEnter()
      #expect(try await machine.output("uname -m") == (is64Bit ? "x86_64" : "i586"))
    }
    guard is64Bit else { return }
    try await withVirtualMachine(configuration) { machine in
      try await machine.expect("boot:")
      machine.type("drone keymap=de\n")
      try await machine.expectShell()
      #expect(try await machine.output("uname -m") == "i686")
      #expect(try await machine.output("cat /proc/cmdline").contains("keymap=de"))
    }
  }

  @Test("the CD for the Pentium alone boots as ever")
  func small() async throws {
    var configuration = try Image.cd()
    configuration.boot = .cd(try Image.smallISO)
    try await withVirtualMachine(configuration) { machine in try await machine.bootByEnter() }
  }

  enum Medium: String, CaseIterable { case disk, usb }

  @Test("the same file boots as a disk and as a USB stick", arguments: Medium.allCases)
  func hybrid(_ medium: Medium) async throws {
    var configuration = try Image.cd(cards: [.init(on: .user())])
    configuration.boot = medium == .disk ? .disk(try Image.iso) : .usb(try Image.iso)
    try await withVirtualMachine(configuration) { machine in
      try await machine.expect("boot:")
      machine.type("drone boot=/dev/cdrom:iso9660\n")
      try await machine.expectShell()
      #expect(try await machine.address() == "10.0.2.15/24")
      #expect(try await machine.run("ls /mnt/boot/chaos/chaos.rdz").status == 0)
    }
  }

  @Test("from the network: PXELINUX by TFTP, then the drone's own DHCP on the card it came from")
  func pxe() async throws {
    _ = try Image.file("pxe/pxelinux.0")
    let network = NetworkCard.Network.user(tftp: Image.build.appending("pxe"), bootFile: "pxelinux.0")
    let configuration = MachineConfiguration(boot: .network, cards: [.init(on: network)])
    try await withVirtualMachine(configuration) { machine in
      try await machine.expect("boot:")
      machine.type("\n")
      try await machine.expectShell()
      #expect(try await machine.address() == "10.0.2.15/24")
      #expect(try await machine.output("cat /proc/cmdline").contains("BOOTIF=01-52-54-00-12-34-56"))
    }
  }

  @Test("the screen shows the welcome, F4 the HowTo's line, and a shell; what is typed on the keyboard boots")
  func screens() async throws {
    var configuration = try Image.cd(cards: [.init(on: .user())])
    configuration.hasSerialPort = false
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectOnScreen("boot:")
      try await machine.screenshot(to: try Image.screenshot("boot"))
      try await machine.press(["f4"])
      let help = try await machine.expectOnScreen(
        "boot=/dev/cdrom:iso9660 ip=192.168.1.21::192.168.1.1:255.255.255.0:::")
      #expect(help.contains("/chaos/bzImage root=/dev/ram0 initrd=/chaos/chaos.rdz rw"))
      try await machine.expectOnScreen("F6 Rights")
      try await machine.screenshot(to: try Image.screenshot("f4"))
      try await machine.typeOnKeyboard(Self.howToLine + "\n")
      try await machine.expectOnScreen(Image.prompt)
      try await machine.typeOnKeyboard("\nhostname; tty\n")
      try await machine.expectOnScreen("/dev/tty1")
      try await machine.expectOnScreen("chaos-c0a80115")
      try await machine.screenshot(to: try Image.screenshot("shell"))
    }
  }
}
