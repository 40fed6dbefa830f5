import Bytes

/// Whether a PCI device's class (`0x020000`, /sys/bus/pci/devices/*/class) is that of a network card.
public func isNetworkClass(_ text: [UInt8]) -> Bool { text.starts(with: [UInt8]("0x02")) }

/// A network card with the place where it is plugged in.
public struct PluggedCard: Equatable, Sendable {
  /// The kernel's number for it.
  public let index: Int32
  /// `eth0`
  public let name: [UInt8]
  /// Where /sys/class/net/NAME leads to: `../../devices/pci0000:00/0000:00:03.0/net/eth0`.
  public let path: [UInt8]

  public init(index: Int32, name: [UInt8], path: [UInt8]) {
    (self.index, self.name, self.path) = (index, name, path)
  }

  /// `0000:02:00.0`: the last address on PCI in the path, which is the card's own or that of the controller it hangs on. Nil where no
  /// PCI leads to it.
  var address: [UInt8]? {
    path.split(separator: UInt8(ascii: "/")).last { isPCIAddress($0) }.map { [UInt8]($0) }
  }

  /// N of `ethN`; nil for any other name.
  fileprivate var number: UInt64? {
    let prefix = [UInt8]("eth")
    return name.starts(with: prefix) ? decimal(name.dropFirst(prefix.count)) : nil
  }

  fileprivate func precedes(_ other: PluggedCard) -> Bool {
    switch (address, other.address) {
    case (let own?, let others?) where own != others: return own.lexicographicallyPrecedes(others)
    case (.some, nil): return true
    case (nil, .some): return false
    default: return path.lexicographicallyPrecedes(other.path)
    }
  }
}

/// The names that the cards called `ethN` get so that their numbers follow their addresses on PCI (domain, bus, device, function), whichever
/// module was loaded first: these cards share out the names that they have. Cards without PCI come last. Only those are listed whose
/// name changes.
public func namesInOrder(_ cards: [PluggedCard]) -> [(card: PluggedCard, name: [UInt8])] {
  let numbered = cards.filter { $0.number != nil }
  let names = numbered.sorted { ($0.number ?? 0) < ($1.number ?? 0) }.map { $0.name }
  let ordered = numbered.sorted { $0.precedes($1) }
  return zip(ordered, names).filter { $0.name != $1 }.map { ($0, $1) }
}

/// `0000:00:1f.2`: domain, bus, device and function in hexadecimal digits (Documentation/PCI/sysfs-pci.rst); a domain may have more
/// than four.
private func isPCIAddress(_ text: ArraySlice<UInt8>) -> Bool {
  let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
  guard parts.count == 3, parts[0].count >= 4, parts[1].count == 2, let slot = parts.last, slot.count == 4 else {
    return false
  }
  return (parts[0] + parts[1] + slot.prefix(2) + slot.suffix(1)).allSatisfy { hexadecimalDigit($0) != nil }
    && slot.dropFirst(2).first == UInt8(ascii: ".")
}
