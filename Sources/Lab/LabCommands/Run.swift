import DroneLayout
import ArgumentParser
import Foundation
import Image
import SystemPackage
import Target
import VirtualMachine
import Workshop

/// `droneforge run`.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Boot an image in QEMU and show its console.",
    discussion: """
      The machine is the oldest one that the image supports, emulated without KVM: a Pentium with 32 MB, or the first PC of \
      64 bits with 256 MB, as the image's manifest says. It has one network card on QEMU's own network. QEMU does not write \
      to the image.

      On a terminal you see the machine's screen as text. Alt-1 shows the screen, Alt-3 the serial console, Alt-2 QEMU's \
      monitor, where "quit" leaves. With --serial the terminal is the serial console, and Ctrl-A X leaves. A reboot of \
      the machine leaves too.

      With --boot uefi the machine is a PC of 2009 with \(Firmware.uefi.smallestMemory) MB and UEFI of 64 bits; uefi32 is UEFI of 32 bits before the same \
      processor, secureboot is UEFI that starts only what is signed with Microsoft's keys, ownkey one that knows Debian's key for tests \
      alone (/usr/share/ovmf/PkKek-1-snakeoil.key). UEFI draws its screen, which a \
      terminal cannot show: you see the serial console. What the firmware stores is forgotten when the machine ends.
      """)

  @Argument(help: "The image: an ISO file.")
  var image = "\(BuiltFile.folder)/\(BuiltFile.image)"

  @Option(help: "What the machine starts the image by.")
  var boot = Firmware.bios

  @Flag(
    help:
      "Show the serial console instead of the screen. This is the default with UEFI, and when the output is not a terminal."
  )
  var serial = false

  @Flag(help: "Boot the image as a hard disk instead of a CD.")
  var disk = false

  @Option(help: "Memory in MiB. (default: the smallest that such a drone needs)")
  var memory: Int?

  @Option(help: "How many processors.")
  var processors = 1

  @Option(help: "The network card: \(NetworkCard.Model.allCases.map(\.rawValue).joined(separator: ", ")).")
  var card = NetworkCard.Model.e1000.rawValue

  func validate() throws {
    guard NetworkCard.Model(rawValue: card) != nil else {
      throw ValidationError(
        "\"\(card)\" is not a network card that QEMU emulates and a drone knows; --help lists them.")
    }
    guard (1...255).contains(processors), (8...4096).contains(memory ?? 8) else {
      throw ValidationError("A drone has 1 to 255 processors and 8 to 4096 MiB of memory.")
    }
    guard (memory ?? boot.smallestMemory) >= boot.smallestMemory else {
      throw ValidationError("With UEFI a drone needs \(boot.smallestMemory) MiB of memory.")
    }
  }

  func run() throws {
    guard FileManager.default.isReadableFile(atPath: image) else {
      throw BuildError.input("\(image) cannot be read. `make iso` builds build/drone.iso.")
    }
    guard isVolume(FilePath(image)) else {
      throw BuildError.input(
        "\(image) is no image of a CD: its 17th sector has no ISO 9660 volume. `make iso` builds one.")
    }
    let target = try target(ofImageAt: FilePath(image)).map(computer) ?? .standard
    try requireFirmware()
    var machine = MachineConfiguration(
      target: target, firmware: boot, memory: memory,
      boot: disk ? .disk(FilePath(image)) : .cd(FilePath(image)),
      cards: [NetworkCard(NetworkCard.Model(rawValue: card) ?? .e1000, on: .user())])
    machine.processors = processors
    let view: MachineConfiguration.View = serial || boot.isUEFI || isatty(STDOUT_FILENO) == 0 ? .serial : .screen
    FileHandle.standardError.write(Data((MachineConfiguration.directions(view) + "\n").utf8))
    if view == .screen { sleep(2) }
    let reason = machine.become(view)
    throw BuildError.notStarted(command: machine.target.emulator.program, reason: reason)
  }

  /// The oldest computer that starts the image by the firmware asked for. Throws a sentence when none does.
  private func computer(_ target: ImageTarget) throws -> DroneTarget {
    guard let computer = boot.isUEFI ? target.wide : target.drones.first else {
      throw BuildError.input(
        "\(image) is for \(target.name), which starts by a BIOS. `make run BOOT=\(boot.rawValue)` takes one for every PC."
      )
    }
    return computer
  }

  /// Throws a sentence when the firmware is not on this computer.
  private func requireFirmware() throws {
    if let flash = boot.flash {
      for file in [flash.code, flash.variables] where !FileManager.default.isReadableFile(atPath: file.string) {
        throw BuildError.input(
          "\(file) is missing: Debian's package \(flash.package) has it. `sysroot/install-packages run` installs it.")
      }
    }
  }
}

extension Firmware: ExpressibleByArgument {}

/// Whether a file begins as a CD does: the first volume descriptor is in its 17th sector of 2048 bytes (ECMA-119, 8.1).
func isVolume(_ file: FilePath) -> Bool {
  guard let handle = FileHandle(forReadingAtPath: file.string), (try? handle.seek(toOffset: 16 * 2048 + 1)) != nil
  else {
    return false
  }
  defer { try? handle.close() }
  return (try? handle.read(upToCount: 5)) == Data("CD001".utf8)
}

/// What an image is for, as the manifest beside it says; nil where there is none.
private func target(ofImageAt path: FilePath) -> ImageTarget? {
  let bill = (try? contents(of: Medium.bill(beside: path))).flatMap { try? BillOfMaterials(json: $0) }
  return bill.flatMap { ImageTarget(named: $0.target) }
}

/// The computer that an image boots where nothing else is asked for; the standard one where no manifest says so.
func targetOfImage(at path: FilePath) -> DroneTarget { target(ofImageAt: path)?.drones.first ?? .standard }
