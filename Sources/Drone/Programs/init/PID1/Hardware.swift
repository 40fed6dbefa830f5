import Bytes
import Linux
import MachineReadings
import Reporting

/// Says what machine this is, and names network cards that will not work: those without a driver in this kernel.
/// - Parameter isComplete: whether the modules for the devices that are there are loaded.
func reportHardware(isComplete: Bool) {
  var machine = MachineReadings()
  machine.read(meminfo: (try? readFile("/proc/meminfo")) ?? [])
  machine.read(cpuinfo: (try? readFile("/proc/cpuinfo")) ?? [])
  var text: [UInt8] = []
  appendDecimal(machine.memoryTotal / 1024, to: &text)
  text += [UInt8](" MB, ")
  appendDecimal(UInt64(machine.processors), to: &text)
  text += machine.processors == 1 ? [UInt8](" processor") : [UInt8](" processors")
  let cards = networkCards()
  for card in cards {
    text += [UInt8](", ") + card.interface
    if let driver = card.driver { text += [UInt8](" (") + driver + [UInt8](")") }
  }
  if cards.isEmpty { text += isComplete ? [UInt8](", no network card") : [UInt8](", no network card yet") }
  report(cards.isEmpty ? .degraded : .ok, "hardware", text)
  // One whose module is still to be loaded has none yet.
  guard isComplete else { return }
  for card in driverlessCards() { report(.degraded, "hardware", card + [UInt8](": this kernel has no driver for it")) }
}

/// Names each card whose firmware is missing: one line each. Some drivers ask for theirs only when the card is brought up.
func reportMissingFirmware() {
  let cards = networkCards()
  for missing in missingFirmware(kernelLog: kernelLog()) {
    var text: [UInt8] = []
    for card in cards where card.device == missing.device { text += card.interface + [UInt8](", ") }
    text += missing.driver + [UInt8](" ") + missing.device
    report(.degraded, "hardware", text + [UInt8](": its firmware ") + missing.file + [UInt8](" is not in this image"))
  }
}

/// Says once more that there is no card, where one could still have come until now.
func reportNoCard() {
  if networkCards().isEmpty { report(.degraded, "hardware", "no network card") }
}

/// Says that the root is not whole: the kernel starts what it could unpack of it, in silence.
func reportCutRoot() {
  guard let reason = rootUnpackingFailure(kernelLog: kernelLog()) else { return }
  report(
    .failed, "root",
    [UInt8]("this computer's memory does not hold the image, and files are missing (")
      + reason + [UInt8]("): boot the drone of 32 bits, or add memory"))
}

private struct NetworkCard {
  let interface: [UInt8]
  /// Its name on the bus.
  let device: [UInt8]
  let driver: [UInt8]?
}

private func networkCards() -> [NetworkCard] {
  let folder: Path = "/sys/class/net"
  var cards: [NetworkCard] = []
  for name in directoryEntries(folder) {
    // Only hardware has a device behind it: not the loopback or a tunnel.
    guard let device = try? symbolicLink(folder / name / "device") else { continue }
    let driver = try? symbolicLink(folder / name / "device/driver")
    cards.append(NetworkCard(interface: name, device: lastPart(device), driver: driver.map(lastPart)))
  }
  return cards
}

/// `10ec:8168 at 0000:02:00.0` for each network card on the PCI bus that no driver has taken.
private func driverlessCards() -> [[UInt8]] {
  let folder: Path = "/sys/bus/pci/devices"
  var cards: [[UInt8]] = []
  for name in directoryEntries(folder) {
    guard let type = try? readFile(folder / name / "class"), isNetworkClass(type), !exists(folder / name / "driver")
    else { continue }
    cards.append(
      identifier(folder / name / "vendor") + [UInt8](":") + identifier(folder / name / "device")
        + [UInt8](" at ") + name)
  }
  return cards
}

/// `10ec` from a file that holds `0x10ec` and a line feed.
private func identifier(_ file: Path) -> [UInt8] {
  [UInt8](((try? readFile(file)) ?? []).dropFirst(2).prefix { $0 > 0x20 })
}

private func lastPart(_ path: [UInt8]) -> [UInt8] {
  [UInt8](path.split(separator: UInt8(ascii: "/")).last ?? [])
}
