import Addresses
import Bytes

/// Reads `ip=`, `nfsaddrs=`, `BOOTIF=` and dracut's words about the network one after the other and settles what several words
/// say about one card; `finish` then settles what depends on words that may stand behind.
struct NetworkWordReader {
  private(set) var bootInterface: MACAddress?
  private(set) var settings = NetworkSettings()
  private(set) var errors: [BootLineError] = []
  private var entries: [IPWord] = []

  var interfaces: [InterfaceRequest] { entries.map { $0.request } }

  /// Reads a word; ignores one that is not about the network.
  mutating func read(_ word: BootWord) {
    guard let name = Name(word.name) else { return }
    switch name {
    case .ip:
      var entry = IPWord(word)
      settle(&entry)
      errors += entry.errors
      entries.append(entry)
    case .bootInterface: readBootInterface(word)
    case .nameServer: readNameServer(word)
    case .leasedDNS: settings.takesLeasedDNS = readSwitch(word) ?? settings.takesLeasedDNS
    case .route: readRoute(word)
    case .need: _ = readSwitch(word)
    case .vlan: refuseCard(word, "a drone makes no VLANs")
    case .bond: refuseCard(word, "a drone bonds no cards")
    case .team: refuseCard(word, "a drone teams no cards")
    case .bridge: refuseCard(word, "a drone bridges no cards")
    case .rename: refuseCard(word, "a drone renames no cards: the first is eth0")
    }
  }

  mutating func finish() {
    guard bootInterface == nil else { return }
    for var entry in entries {
      let known = entry.errors.count
      entry.reportMissingBootCard()
      errors += entry.errors[known...]
    }
  }

  /// The words by what they are about.
  enum Name {
    case ip, bootInterface, nameServer, leasedDNS, route, need, vlan, bond, team, bridge, rename

    init?(_ name: [UInt8]) {
      if name.spells("ip") || name.spells("nfsaddrs") {
        self = .ip
      } else if name.spells("BOOTIF") {
        self = .bootInterface
      } else if name.spells("nameserver") {
        self = .nameServer
      } else if name.spells("rd.peerdns") {
        self = .leasedDNS
      } else if name.spells("rd.route") {
        self = .route
      } else if name.spells("rd.neednet") {
        self = .need
      } else if name.spells("vlan") {
        self = .vlan
      } else if name.spells("bond") {
        self = .bond
      } else if name.spells("team") {
        self = .team
      } else if name.spells("bridge") {
        self = .bridge
      } else if name.spells("ifname") {
        self = .rename
      } else {
        return nil
      }
    }
  }

  private mutating func settle(_ entry: inout IPWord) {
    if let device = entry.request.device {
      if let index = entries.firstIndex(where: { $0.request.device == device }) {
        entry.keepHostName(of: entries[index])
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
      refuse(word, quoted(value) + [UInt8](rule))
    }
  }

  private mutating func readNameServer(_ word: BootWord) {
    let value = word.value ?? []
    if value.first == UInt8(ascii: "[") {
      return refuse(word, quoted(value) + [UInt8](" is for IPv6, which a drone does not have; it is ignored"))
    }
    guard let address = IPv4Address(text: value), address.isHostAddress else {
      return refuse(word, quoted(value) + [UInt8](" is not the IPv4 address of a host; it is ignored"))
    }
    guard !settings.nameServers.contains(address) else { return }
    guard settings.nameServers.count < 3 else {
      return refuse(word, [UInt8]("a drone asks three DNS servers at most; this one is ignored"))
    }
    settings.nameServers.append(address)
  }

  private mutating func readRoute(_ word: BootWord) {
    let value = word.value ?? []
    if let route = NetworkSettings.Route(value) {
      if !settings.routes.contains(route) { settings.routes.append(route) }
    } else if value.contains(UInt8(ascii: "[")) {
      refuse(word, quoted(value) + [UInt8](" is for IPv6, which a drone does not have; it is ignored"))
    } else {
      let rule: StaticString =
        " does not have the form NET/MASK:GATEWAY:CARD, as 10.2.0.0/16:192.168.1.1:eth0; it is ignored"
      refuse(word, quoted(value) + [UInt8](rule))
    }
  }

  /// dracut's switches; a word without a value means yes.
  private mutating func readSwitch(_ word: BootWord) -> Bool? {
    guard let value = word.value else { return true }
    if value.spells("1") || value.spells("yes") || value.spells("on") { return true }
    if value.spells("0") || value.spells("no") || value.spells("off") { return false }
    refuse(word, quoted(value) + [UInt8](" is not allowed, only 0 or 1; the word is ignored"))
    return nil
  }

  /// Refuses a word that would make a card: nothing else makes it.
  private mutating func refuseCard(_ word: BootWord, _ why: StaticString) {
    let name = (word.value ?? []).prefix { $0 != UInt8(ascii: ":") }
    refuse(word, [UInt8](why) + (name.isEmpty ? [] : [UInt8]("; there is no card ") + quoted(name)))
  }

  private mutating func refuse(_ word: BootWord, _ reason: [UInt8]) {
    errors.append(BootLineError(word: word.text, field: nil, position: nil, reason: reason))
  }
}

extension MACAddress {
  /// Can belong to one card: neither all zero nor a group address (IEEE 802, lowest bit of the first byte).
  var isCardAddress: Bool { self != .zero && bits >> 40 & 1 == 0 }
}
