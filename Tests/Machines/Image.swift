import DroneLayout
import Foundation
import Image
import SystemPackage
import Target
import TestSupport
import Testing
import VirtualMachine
import Workshop

/// The image under test, as `make iso pxe` leaves it. `DRONEFORGE_BUILD` names another folder than `build`.
enum Image {
  static let build: FilePath = {
    if let folder = ProcessInfo.processInfo.environment["DRONEFORGE_BUILD"] { return FilePath(folder) }
    return checkout.appending("build")
  }()

  /// The end of the shell's prompt `HOSTNAME:CWD# ` in the root directory. Less of it is found in kernel messages, too.
  static let prompt = ":/# "

  /// Stands in GRUB's menu.
  static let menu = "Type a line"

  /// Throws a sentence when the file is not there: a missing image is a failure, never a reason to skip.
  static func file(_ path: String) throws -> FilePath {
    let file = build.appending(path)
    guard FileManager.default.isReadableFile(atPath: file.string) else {
      throw BuildError.input("\(file) is missing: run `make iso pxe others` first.")
    }
    return file
  }

  /// The image for every PC.
  static var iso: FilePath { get throws { try file("drone.iso") } }

  /// The images for one kind of computer, as `make iso TARGET=…` leaves them.
  static var smallISO: FilePath { get throws { try file("drone-i586.iso") } }
  static var wideISO: FilePath { get throws { try file("drone-x86_64.iso") } }
  /// With a kernel of our own, which `make others` leaves in a folder of its own.
  static var ownISO: FilePath { get throws { try file("\(BuiltFile.own)/drone-x86_64.iso") } }

  /// Where the screenshots are kept for a person to look at.
  static func screenshot(_ name: String) throws -> FilePath {
    let folder = build.appending("screens")
    try makeFolder(folder)
    return folder.appending(name + ".png")
  }

  /// A PC of 64 bits.
  static func cd64(_ firmware: Firmware = .bios, cards: [NetworkCard] = []) throws -> MachineConfiguration {
    MachineConfiguration(target: .x86_64, firmware: firmware, boot: .cd(try iso), cards: cards)
  }

  static func stick64(_ firmware: Firmware) throws -> MachineConfiguration {
    MachineConfiguration(target: .x86_64, firmware: firmware, boot: .usb(try iso))
  }

  static func cd(cards: [NetworkCard] = []) throws -> MachineConfiguration {
    MachineConfiguration(boot: .cd(try iso), cards: cards)
  }

  /// Kernel and root straight into memory, which saves the seconds that firmware and boot loader take.
  static func direct(
    _ words: String, for target: DroneTarget = .standard, cards: [NetworkCard] = []
  ) throws -> MachineConfiguration {
    let place = ImageTarget.any.place(of: target)
    return MachineConfiguration(
      target: target,
      boot: .kernel(
        try file("pxe\(place.kernel)"), initramfs: try file("pxe\(place.root)"),
        commandLine: "\(MachineConfiguration.kernelWords) \(words)"),
      cards: cards)
  }
}

extension VirtualMachine {
  /// Waits for the shell's prompt `HOSTNAME:CWD# ` and gives the host name in it.
  @discardableResult
  func expectShell(within bound: Duration = patience) async throws -> String {
    let before = try await expect(Image.prompt, within: bound)
    let line = before.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
    return String(line)
  }

  /// Enter at the boot prompt, then the shell.
  func bootByEnter() async throws {
    try await expect("boot:")
    type("\n")
    try await expectShell()
  }

  /// GRUB's menu, then its prompt, where the line is typed key by key: the firmware reads the serial port as well, and keys
  /// that come at once reach GRUB in any order. Both echo: of two equal keys the second one's echo would be seen too early. The
  /// kernel is told to believe its timer (see `MachineConfiguration.kernelWords`).
  func bootByGRUB(_ words: String) async throws {
    try await expect(Image.menu)
    type("c")
    try await expect("grub> ")
    var last: Character?
    for key in words + " no_timer_check" {
      if key == last {
        try await Task.sleep(for: .seconds(2))
        passOver()
      }
      last = key
      type(String(key))
      try await expect(String(key))
    }
    type("\n")
    try await expectShell()
  }

  /// Types a command exactly as it stands and gives what is printed up to the next prompt, the echo included.
  @discardableResult
  func enter(_ command: String, within bound: Duration = patience) async throws -> String {
    type(command + "\n")
    return try await expect(Image.prompt, within: bound)
  }

  /// The card's IPv4 address and prefix length; waits up to `seconds` of the guest's time for one. Empty if none comes.
  func address(of device: String = "eth0", seconds: Int = 25) async throws -> String {
    let command =
      "n=0; until ip -o -4 addr show \(device) | grep inet || [ $n = \(seconds) ]; do sleep 1; n=$((n+1)); done"
    let words = try await run(command).output.split { $0 == " " || $0 == "\n" }
    guard let index = words.firstIndex(of: "inet"), index + 1 < words.count else { return "" }
    return String(words[index + 1])
  }
}

extension NetworkNamespace {
  /// dnsmasq: DHCP, and BOOTP for anybody, on 192.168.1.0/24 with this namespace as gateway and name server.
  func serveDHCP(_ more: [String] = []) async throws {
    try await run(
      "dnsmasq",
      [
        "--conf-file=/dev/null", "--pid-file=/etc/dnsmasq.pid", "--dhcp-leasefile=/etc/leases",
        "--user=root", "--group=root",
        "--port=0", "--interface=\(Self.bridge)", "--bind-interfaces", "--no-ping",
        "--dhcp-authoritative", "--dhcp-range=192.168.1.100,192.168.1.150,255.255.255.0,10m",
      ] + more)
  }

  /// rarpd: the first card of a machine is 192.168.1.30.
  func serveRARP() async throws {
    try await configure("ethers", "52:54:00:12:34:56 192.168.1.30\n")
    try await run("rarpd", ["-e", Self.bridge])
  }

  func answersPing(_ address: String) async throws -> Bool {
    try await succeeds("busybox", ["ping", "-c2", "-W1", address])
  }

  /// Whether whoever listens on the TCP port says hello within three seconds.
  func hears(_ address: String, _ port: Int) async throws -> Bool {
    do {
      return try await run("timeout", ["3", "busybox", "nc", address, "\(port)"]).contains("hello")
    } catch BuildError.commandFailed {
      return false
    }
  }
}
