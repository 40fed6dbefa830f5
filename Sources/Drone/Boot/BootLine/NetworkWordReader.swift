import Addresses
import Bytes

/// Reads `ip=`, `nfsaddrs=` and `BOOTIF=` one after the other and settles what several words say about one card.
struct NetworkWordReader {
  private(set) var bootInterface: MACAddress?
  private(set) var errors: [BootLineError] = []
  private var entries: [IPWord] = []

  var interfaces: [InterfaceRequest] { entries.map { $0.request } }

  /// Reads a word; ignores one that is not about the network.
  mutating func read(_ word: BootWord) {
    if word.name.spells("ip") || word.name.spells("nfsaddrs") {
      var entry = IPWord(word)
      settle(&entry)
      errors += entry.errors
      entries.append(entry)
    } else if word.name.spells("BOOTIF") {
      readBootInterface(word)
    }
  }

  private mutating func settle(_ entry: inout IPWord) {
    if let device = entry.request.device {
      if let index = entries.firstIndex(where: { $0.request.device == device }) {
        entry.reportDevice(takenBy: entries[index])
        entries.remove(at: index)
      }
    } else if !entry.namesDevice {
      if let earlier = entries.first(where: { !$0.namesDevice }) { entry.keepHostName(of: earlier) }
      entries.removeAll { !$0.namesDevice }
    }
    if let address = entry.request.address, let other = entries.first(where: { $0.request.address == address }) {
      entry.refuseAddress(takenBy: other)
    }
  }

  /// PXELINUX writes the hardware type in front, 01 for Ethernet; other boot loaders leave it out.
  private mutating func readBootInterface(_ word: BootWord) {
    let value = word.value ?? []
    let isTyped = value.count == 20 && (value.prefix(3).spells("01-") || value.prefix(3).spells("01:"))
    if let mac = MACAddress(text: isTyped ? value.dropFirst(3) : value[...]), mac.isCardAddress {
      bootInterface = mac
    } else {
      let rule: StaticString =
        " is not the hardware address of an Ethernet card as in 01-52-54-00-12-34-56; it is ignored"
      errors.append(
        BootLineError(word: word.text, field: nil, position: nil, reason: quoted(value) + [UInt8](rule)))
    }
  }
}

extension MACAddress {
  /// Can belong to one card: neither all zero nor a group address (IEEE 802, lowest bit of the first byte).
  var isCardAddress: Bool { self != .zero && bits >> 40 & 1 == 0 }
}
