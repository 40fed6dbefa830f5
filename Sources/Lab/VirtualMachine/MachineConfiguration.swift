import SystemPackage
import Target

/// A computer to be emulated: what is in it and what it starts from.
///
///     MachineConfiguration(boot: .cd("build/drone.iso"), cards: [NetworkCard(.e1000, on: .user())])
///
/// Emulator, processor and memory are the target's: the oldest machine that the image must boot on.
public struct MachineConfiguration: Sendable {
  public var target: DroneTarget
  public let firmware: Firmware
  /// In MiB.
  public var memory: Int
  public var processors = 1
  public var boot: Boot
  public var cards: [NetworkCard]
  /// Without it the machine has a screen and a keyboard only.
  public var hasSerialPort = true
  /// Without it the machine has no screen and no keyboard, and the emulator does not hold its 16 MB.
  public var hasScreen = true
  /// MiB that the emulator keeps of translated code at most; nil for as much as it likes, which may be hundreds.
  public var translationCache: Int?
  /// A reboot starts the machine again from the beginning. Otherwise it ends the emulator, so that a reboot is seen and a
  /// boot loop is not.
  public var restarts = false
  /// The emulator is ended after this time, even when nobody waits for it any more.
  public var lifetime: Duration = .seconds(600)
  /// Further arguments to the emulator, one option and its value after the other.
  public var extraArguments: [String] = []

  public init(
    target: DroneTarget = .standard, firmware: Firmware = .bios, memory: Int? = nil, boot: Boot,
    cards: [NetworkCard] = []
  ) {
    self.target = target
    self.firmware = firmware
    self.memory = memory ?? max(target.emulator.memory, firmware.smallestMemory)
    self.boot = boot
    self.cards = cards
  }

  /// What a kernel that the emulator loads must be told: where to speak, and to believe its timer. It would count on ten of its
  /// ticks within as many of its own loops, which an emulator that waits for a processor does not deliver, and panic.
  public static let kernelWords = "console=ttyS0,115200 no_timer_check"

  /// What the machine starts from. Images are never written to.
  public enum Boot: Sendable {
    case cd(FilePath)
    /// The first disk.
    case disk(FilePath)
    /// A USB stick.
    case usb(FilePath)
    /// The boot ROM of the first network card, or UEFI by PXE.
    case network
    /// The first network card, by UEFI's HTTP boot.
    case http
    /// The emulator's own loader puts a kernel into memory.
    case kernel(FilePath, initramfs: FilePath?, commandLine: String)
    /// Nothing at all: the firmware says so and waits.
    case nothing
  }

  /// Where the machine's serial port and the emulator's monitor end.
  enum Consoles {
    /// On sockets that the emulator inherits as standard input (serial port) and standard output (monitor).
    case inheritedSockets
    /// Both on the terminal that the emulator is started from; Ctrl-A X leaves.
    case terminal
    /// The screen as text on the terminal, the serial port and the monitor one key away (Alt-3, Alt-2).
    case screen
    /// The serial ports on stream sockets that the emulator inherits under these numbers; no monitor.
    case numbered([Int32])
  }

  /// A command that starts the machine for a program that holds the other ends of its wires: each serial port is on a
  /// stream socket that the emulator inherits under that number.
  public func emulatorCommand(serialPorts: [Int32]) -> [String] {
    [target.emulator.program] + arguments(.numbered(serialPorts))
  }

  /// The emulator's arguments, after its name.
  func arguments(_ consoles: Consoles) -> [String] {
    var out = [
      // /dev/kvm may be there and hang a guest: emulation only, always.
      "-accel", "tcg" + (translationCache.map { ",tb-size=\($0)" } ?? ""),
      "-cpu", boot.isNetwork ? target.emulator.networkBootProcessor : target.emulator.processor,
      "-m", "\(memory)",
      "-smp", "\(processors)",
      "-nodefaults", "-no-user-config",
      "-vga", hasScreen ? "std" : "none",
    ]
    if !restarts { out.append("-no-reboot") }
    switch consoles {
    case .inheritedSockets:
      out += ["-display", "none", "-chardev", "socket,id=monitor,fd=1", "-mon", "chardev=monitor,mode=control"]
      if hasSerialPort { out += ["-chardev", "socket,id=serial,fd=0", "-serial", "chardev:serial"] }
    case .terminal:
      out += ["-display", "none", "-serial", "mon:stdio"]
    case .screen:
      out += ["-display", "curses", "-monitor", "vc", "-serial", "vc"]
    case .numbered(let ports):
      out += ["-display", "none"]
      for (index, port) in ports.enumerated() {
        out += ["-chardev", "socket,id=serial\(index),fd=\(port)", "-serial", "chardev:serial\(index)"]
      }
    }
    out += firmware.arguments(for: boot)
    if let controller = usbController { out += ["-device", "\(controller),id=usb"] }
    out += bootArguments
    for (index, card) in cards.enumerated() {
      out += card.arguments(index: index, bootsFromIt: boot.isNetwork && index == 0, byUEFI: firmware.isUEFI)
    }
    return out + extraArguments
  }

  /// QEMU's name for it; nil when nothing is plugged into it. What is full speed only, as its network card, needs USB 3's, which
  /// takes every speed.
  private var usbController: String? {
    let hasStick = if case .usb = boot { true } else { false }
    if cards.contains(where: { $0.model.isUSB }) || hasStick && firmware.isUEFI { return "qemu-xhci" }
    return hasStick ? "usb-ehci" : nil
  }

  private var bootArguments: [String] {
    switch boot {
    case .cd(let image):
      drive("ide-cd", port: 2, "media=cdrom,readonly=on", image, order: "d")
    case .disk(let image):
      // Disks cannot be read-only: what is written goes to a temporary file of the emulator's.
      drive("ide-hd", port: 0, "media=disk,snapshot=on", image, order: "c")
    case .usb(let image):
      [
        "-drive", "if=none,id=stick,format=raw,snapshot=on,file=\(escaped(image))",
        "-device", "usb-storage,bus=usb.0,drive=stick,bootindex=0",
      ]
    case .network, .http:
      // Without random numbers UEFI's network stack keeps silent.
      firmware.isUEFI ? ["-device", "virtio-rng-pci"] : ["-boot", "order=n"]
    case .kernel(let kernel, let initramfs, let commandLine):
      ["-kernel", kernel.string]
        + (initramfs.map { ["-initrd", $0.string] } ?? [])
        + (commandLine.isEmpty ? [] : ["-append", commandLine])
    case .nothing:
      []
    }
  }

  /// A drive that is booted from. A BIOS goes by kinds of drives (`order`), UEFI by the device.
  private func drive(
    _ device: String, port: Int, _ options: String, _ image: FilePath, order: String
  ) -> [String] {
    let file = "format=raw,\(options),file=\(escaped(image))"
    return firmware.isUEFI
      ? ["-drive", "if=none,id=drive,\(file)", "-device", "\(device),bus=ide.\(port),drive=drive,bootindex=0"]
      : ["-drive", "if=ide,index=\(port),\(file)", "-boot", "order=\(order)"]
  }

  /// One line for a shell that starts the same machine on a terminal.
  ///
  /// Leave it with Ctrl-A X. A card on a namespace's tap device needs that namespace, so the line may not run as it is.
  public var byHand: String {
    ([target.emulator.program] + arguments(.terminal)).map(quoted).joined(separator: " ")
  }
}

extension MachineConfiguration.Boot {
  var isNetwork: Bool {
    switch self {
    case .network, .http: true
    case .cd, .disk, .usb, .kernel, .nothing: false
    }
  }
}

/// A path as a value of an option with commas in it.
func escaped(_ path: FilePath) -> String {
  path.string.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
}

/// A word as a POSIX shell reads it back unchanged.
func quoted(_ word: String) -> String {
  let plain = word.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_=,.:/+@%".utf8.contains(byte)
    }
  }
  if plain, !word.isEmpty { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
