import Addresses
import Addressing
import Bytes

/// Reads the value of one `ip=` word; see `BootLine` for the forms and their meanings. Every field is judged, so that
/// the errors show all that is wrong at once.
struct IPWord {
  private(set) var request = InterfaceRequest(method: .any)
  private(set) var errors: [BootLineError] = []
  /// Whether the word is about a card of its own, be it a valid one or not.
  private(set) var namesDevice = false
  /// Where the word says `BOOTIF` for the card of the word `BOOTIF=`, counted from 0; nil when it does not.
  private var bootCardField: Int?
  private let word: BootWord
  private let fields: [ArraySlice<UInt8>]

  init(_ word: BootWord) {
    self.word = word
    fields = IPWord.fields(word.value ?? [])
    if isIPv6(0) {
      readIPv6Form()
    } else if let value = word.value, value.prefix(5).spells("dhcp,"), !IPWord.isListOfMethods(value[...]) {
      // Alone, the identifier extends to the end of the word and may hold colons.
      use(dhcpWithIdentifier(value[...], at: 0))
    } else if fields.count == 1 {
      readSingleField()
    } else if isDeviceForm {
      readDeviceForm()
    } else {
      readAddressForm()
    }
  }

  /// Cut at colons, of which those between brackets at a field's start, an IPv6 address's, separate nothing.
  private static func fields(_ value: [UInt8]) -> [ArraySlice<UInt8>] {
    var fields: [ArraySlice<UInt8>] = []
    var rest = value[...]
    while true {
      var searched = rest
      if rest.first == UInt8(ascii: "["), let bracket = rest.firstIndex(of: UInt8(ascii: "]")) {
        searched = rest[bracket...]
      }
      guard let colon = searched.firstIndex(of: UInt8(ascii: ":")) else { return fields + [rest] }
      fields.append(rest[..<colon])
      rest = rest[(colon + 1)...]
    }
  }

  // MARK: The forms

  /// The address form with an IPv6 address: what is not about addresses is kept.
  private mutating func readIPv6Form() {
    report(.address, 0, "", "no address is set")
    readHostName(at: 4)
    _ = readDevice(at: 5)
    turnOff()
  }

  /// `ip=`, `ip=<autoconf>` or `ip=<client-ip>`. A word that starts with a letter is taken for an autoconf.
  private mutating func readSingleField() {
    let text = field(0)
    if let first = text.first, !isDigit(first) {
      use(autoconf(at: 0))
    } else {
      readAddressForm()
    }
  }

  /// Whether the word starts `<device>:<autoconf>`: in the address form neither field can hold a word.
  private var isDeviceForm: Bool {
    guard let first = field(0).first, !isDigit(first), let second = field(1).first else { return false }
    return !isDigit(second)
  }

  /// `ip=<device>:<autoconf>:<mtu>:<mac>`, the MAC address with its own colons.
  private mutating func readDeviceForm() {
    let deviceIsWrong = !readDevice(at: 0)
    use(autoconf(at: 1))
    readMTUAndMAC(at: 2)
    if deviceIsWrong { turnOff() }
  }

  /// `ip=<client-ip>:<server-ip>:<gw-ip>:<netmask>:<hostname>:<device>:<autoconf>:<dns0-ip>:<dns1-ip>:<ntp0-ip>`, or
  /// from the eighth field on `<mtu>:<mac>`.
  private mutating func readAddressForm() {
    let asksForAddress = isUnset(0)
    let address = hostAddress(at: 0, .address, consequence: "no address is set")
    request.server = hostAddress(at: 1, .server, consequence: "it is ignored")
    request.gateway = hostAddress(at: 2, .gateway, consequence: "no gateway is set")
    request.netmask = netmask(at: 3)
    readHostName(at: 4)
    let deviceIsWrong = !readDevice(at: 5)
    use(autoconf(at: 6))
    if isNumber(7) {
      readMTUAndMAC(at: 7)
    } else {
      for index in 7...8 {
        if let server = hostAddress(at: index, .dns, consequence: "it is ignored") {
          request.nameServers.append(server)
        }
      }
      if let server = hostAddress(at: 9, .ntp, consequence: "it is ignored") { request.timeServers.append(server) }
      for index in fields.indices.dropFirst(10) where !field(index).isEmpty {
        report(.excess, index, [UInt8]("there is no field beyond the tenth; it is ignored"))
        break
      }
    }
    if !asksForAddress {
      if let address { makeStatic(address) } else { turnOff() }
    }
    if deviceIsWrong { turnOff() }
  }

  // MARK: Methods

  private mutating func use(_ asked: InterfaceRequest) {
    request.method = asked.method
    request.protocols = asked.protocols
    request.clientIdentifier = asked.clientIdentifier
  }

  private mutating func turnOff() {
    use(InterfaceRequest(method: .off))
    request.address = nil
    request.netmask = nil
    request.gateway = nil
  }

  /// Judges address, mask and gateway together.
  private mutating func makeStatic(_ address: IPv4Address) {
    use(InterfaceRequest(method: .static))
    guard let mask = request.netmask ?? address.classfulNetmask else { return turnOff() }
    if let role = reservedRole(of: address, mask) {
      report(.address, 0, address.text + [UInt8](" is ") + role + [UInt8]("; no address is set"))
      return turnOff()
    }
    request.address = address
    request.netmask = mask
    guard let gateway = request.gateway else { return }
    // Without a network of its own the gateway can only be on the link.
    if !mask.sameNetwork(gateway, address), mask != .host {
      request.gateway = nil
      let reason = gateway.text + [UInt8](" is outside ") + network(of: address, mask)
      report(.gateway, 2, reason + [UInt8]("; no gateway is set"))
    } else if gateway == address {
      request.gateway = nil
      report(.gateway, 2, gateway.text + [UInt8](" is the drone's own address; no gateway is set"))
    } else if let role = reservedRole(of: gateway, mask) {
      request.gateway = nil
      report(.gateway, 2, gateway.text + [UInt8](" is ") + role + [UInt8]("; no gateway is set"))
    }
  }

  /// Why no host can have this address in its network. Networks of one or two addresses have none reserved (RFC 3021).
  private func reservedRole(of address: IPv4Address, _ mask: Netmask) -> [UInt8]? {
    guard mask.prefixLength <= 30 else { return nil }
    if address == mask.broadcast(of: address) {
      return [UInt8]("the broadcast address of ") + network(of: address, mask)
    }
    if address.bits & ~mask.bits == 0 {
      return [UInt8]("the address of the network ") + network(of: address, mask) + [UInt8](" itself")
    }
    return nil
  }

  private func network(of address: IPv4Address, _ mask: Netmask) -> [UInt8] {
    var out = mask.network(of: address).text
    out.append(UInt8(ascii: "/"))
    appendDecimal(UInt64(mask.prefixLength), to: &out)
    return out
  }

  // MARK: Against other words

  /// Takes over the host name of an earlier word, which this one replaces, unless it gives a name itself.
  mutating func keepHostName(of earlier: IPWord) {
    guard request.hostName == nil else { return }
    request.hostName = earlier.request.hostName
    request.domain = earlier.request.domain
  }

  /// Records that `other`, which this word replaces, is about the same card, and what is lost with it.
  mutating func reportDevice(takenBy other: IPWord) {
    var reason = quoted(request.device ?? []) + [UInt8](" is configured by ") + quoted(other.word.text)
    reason += [UInt8](" too; the later word counts")
    let lost = request.lost(from: other.request)
    if !lost.isEmpty { reason += [UInt8](", without the earlier one's ") + lost }
    report(.device, isDeviceForm ? 0 : 5, reason)
  }

  /// Records that there is no card that the word's `BOOTIF` could mean.
  mutating func reportMissingBootCard() {
    guard let bootCardField else { return }
    report(.device, bootCardField, [UInt8]("no word BOOTIF= says which card booted; any card is used"))
  }

  /// Drops the address, which `other` already assigns to another card.
  mutating func refuseAddress(takenBy other: IPWord) {
    let reason = (request.address ?? .unspecified).text + [UInt8](" is given to a card by ") + quoted(other.word.text)
    report(.address, 0, reason + [UInt8](" already; no address is set"))
    turnOff()
  }

  // MARK: Fields

  private func field(_ index: Int) -> ArraySlice<UInt8> { index < fields.count ? fields[index] : [] }

  /// An empty field and 0.0.0.0 both mean "not given".
  private func isUnset(_ index: Int) -> Bool {
    field(index).isEmpty || IPv4Address(text: field(index)) == .unspecified
  }

  private func isIPv6(_ index: Int) -> Bool { field(index).first == UInt8(ascii: "[") }

  private func isNumber(_ index: Int) -> Bool { !field(index).isEmpty && field(index).allSatisfy(isDigit) }

  private mutating func report(_ which: BootLineError.Field, _ index: Int, _ reason: [UInt8]) {
    errors.append(BootLineError(word: word.text, field: which, position: index + 1, reason: reason))
  }

  private mutating func report(
    _ which: BootLineError.Field, _ index: Int, _ complaint: StaticString, _ consequence: StaticString
  ) {
    let what = isIPv6(index) ? " is for IPv6, which a drone does not have" : complaint
    report(which, index, quoted(field(index)) + [UInt8](what) + [UInt8]("; ") + [UInt8](consequence))
  }

  private mutating func hostAddress(
    at index: Int, _ which: BootLineError.Field, consequence: StaticString
  ) -> IPv4Address? {
    guard !isUnset(index) else { return nil }
    guard let address = IPv4Address(text: field(index)) else {
      report(which, index, " is not an IPv4 address", consequence)
      return nil
    }
    guard address.isHostAddress else {
      report(which, index, " is not the address of a host", consequence)
      return nil
    }
    return address
  }

  private mutating func netmask(at index: Int) -> Netmask? {
    guard !isUnset(index) else { return nil }
    let mask: Netmask?
    if isNumber(index) {
      guard let length = decimal(field(index)).flatMap(UInt8.init(exactly:)), length > 0 else {
        report(.netmask, index, " is not a prefix length of 1 to 32", "the mask of the address's class is used")
        return nil
      }
      mask = Netmask(prefixLength: length)
    } else {
      mask = IPv4Address(text: field(index)).flatMap { Netmask($0) }
    }
    if mask == nil {
      report(
        .netmask, index, " is neither a mask such as 255.255.255.0 nor a prefix length",
        "the mask of the address's class is used")
    }
    return mask
  }

  private mutating func readHostName(at index: Int) {
    guard !field(index).isEmpty else { return }
    do throws(HostName.Fault) {
      let name = try HostName([UInt8](field(index)))
      request.hostName = name.name
      request.domain = name.domain
    } catch {
      switch error {
      case .name:
        report(.hostname, index, " is not a host name (letters, digits, hyphens, at most 63)", "it is ignored")
      case .domain:
        let end = field(index).firstIndex(of: UInt8(ascii: ".")) ?? field(index).endIndex
        request.hostName = (try? HostName([UInt8](field(index)[..<end])))?.name
        report(.hostname, index, " has no valid domain after its first dot", "the domain is ignored")
      }
    }
  }

  /// False when a device is given that no card can have.
  private mutating func readDevice(at index: Int) -> Bool {
    let name = field(index)
    guard !name.isEmpty else { return true }
    guard !name.spells("BOOTIF") else {
      bootCardField = index
      return true
    }
    namesDevice = true
    guard isDeviceName(name) else {
      report(
        .device, index, " is not the name of a network card (at most 15 letters, digits and signs other than /)",
        "no card is configured")
      return false
    }
    guard !name.spells("lo") else {
      report(.device, index, " is the loopback, not a network card", "no card is configured")
      return false
    }
    guard !isVLANName(name) else {
      report(.device, index, " is a VLAN's name, and a drone makes no VLANs", "no card is configured")
      return false
    }
    request.device = [UInt8](name)
    return true
  }

  private mutating func readMTUAndMAC(at index: Int) {
    if !field(index).isEmpty {
      if let value = decimal(field(index)).flatMap(UInt16.init(exactly:)), value >= 68 {
        request.mtu = value
      } else {
        report(.mtu, index, " is not a number from 68 to 65535", "it is ignored")
      }
    }
    let octets = fields.dropFirst(index + 1)
    guard octets.contains(where: { !$0.isEmpty }) else { return }
    let text = [UInt8](octets.joined(separator: [UInt8(ascii: ":")]))
    if let mac = MACAddress(text: text), mac.isCardAddress {
      request.mac = mac
    } else {
      report(.mac, index + 1, quoted(text) + [UInt8](" is not a card's hardware address; it is ignored"))
    }
  }

  // MARK: Autoconfiguration

  private mutating func autoconf(at index: Int) -> InterfaceRequest {
    let text = field(index)
    if let request = IPWord.method(text) { return request }
    let hasAddress = index == 6 && !isUnset(0)
    if IPWord.isListOfMethods(text) { return withoutIPv6(text, at: index, hasAddress) }
    if text.prefix(5).spells("dhcp,") { return dhcpWithIdentifier(text, at: index) }
    // dracut's older word for an address that the word itself gives.
    if text.spells("static") {
      if !hasAddress { report(.autoconf, index, " needs an address in the first field", "no address is set") }
      return InterfaceRequest(method: .off)
    }
    report(
      .autoconf, index, " is none of off, none, on, any, dhcp, bootp, rarp, both",
      hasAddress ? "it is ignored" : "any is used")
    return InterfaceRequest(method: .any)
  }

  /// What one of the kernel's words asks for; nil for any other word.
  private static func method(_ text: ArraySlice<UInt8>) -> InterfaceRequest? {
    if text.isEmpty || text.spells("any") || text.spells("on") { return InterfaceRequest(method: .any) }
    if text.spells("off") || text.spells("none") { return InterfaceRequest(method: .off) }
    // dracut's word: the first answer counts, as it always does here.
    if text.spells("dhcp") || text.spells("single-dhcp") { return InterfaceRequest(method: .dhcp) }
    if text.spells("bootp") { return InterfaceRequest(method: .bootp) }
    if text.spells("rarp") { return InterfaceRequest(method: .rarp) }
    guard text.spells("both") else { return nil }
    var request = InterfaceRequest(method: .any)
    request.protocols = [.bootp, .rarp]
    return request
  }

  /// dracut's words for IPv6 alone (dracut.cmdline(7)).
  private static func isIPv6Method(_ text: ArraySlice<UInt8>) -> Bool {
    text.spells("dhcp6") || text.spells("auto6") || text.spells("either6") || text.spells("link6")
  }

  /// Whether the text is a list of words with commas, one of them for IPv6, as in `dhcp,dhcp6`.
  private static func isListOfMethods(_ text: ArraySlice<UInt8>) -> Bool {
    let words = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    return words.contains(where: isIPv6Method)
      && words.allSatisfy { isIPv6Method($0) || !$0.isEmpty && method($0) != nil }
  }

  /// The first of a list's words that is not for IPv6; `off` when there is none.
  private mutating func withoutIPv6(
    _ text: ArraySlice<UInt8>, at index: Int, _ hasAddress: Bool
  ) -> InterfaceRequest {
    let words = text.split(separator: UInt8(ascii: ","))
    for word in words where IPWord.isIPv6Method(word) {
      let others = words.first { !IPWord.isIPv6Method($0) }
      let consequence: [UInt8] =
        hasAddress
        ? [UInt8]("it is ignored")
        : others.map { [UInt8]("only ") + $0 + [UInt8](" is used") } ?? [UInt8]("no address is set")
      report(.autoconf, index, quoted(word) + [UInt8](" asks for IPv6, which a drone does not have; ") + consequence)
      break
    }
    return words.lazy.compactMap(IPWord.method).first ?? InterfaceRequest(method: .off)
  }

  /// `dhcp,<type>,<client-id>`.
  private mutating func dhcpWithIdentifier(_ text: ArraySlice<UInt8>, at index: Int) -> InterfaceRequest {
    var request = InterfaceRequest(method: .dhcp)
    let rest = text.dropFirst(5)
    let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
    let identifier = rest[comma...].dropFirst()
    if let type = decimal(rest[..<comma]).flatMap(UInt8.init(exactly:)), (1...251).contains(identifier.count) {
      request.clientIdentifier = InterfaceRequest.ClientIdentifier(type: type, identifier: [UInt8](identifier))
    } else {
      report(
        .autoconf, index, " does not have the form dhcp,<type 0 to 255>,<identifier of 1 to 251 bytes>",
        "dhcp is used without an identifier")
    }
    return request
  }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

/// `eth0.5` and the like, as VLANs are called everywhere: the kernel itself puts no dot into a card's name.
func isVLANName(_ name: ArraySlice<UInt8>) -> Bool {
  guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex,
    let number = decimal(name[(dot + 1)...])
  else { return false }
  return (1...4094).contains(number)
}

/// What the kernel lets an interface be called (net/core/dev.c, dev_valid_name), less what cannot be printed.
func isDeviceName(_ name: ArraySlice<UInt8>) -> Bool {
  guard name.count <= 15, !name.spells("."), !name.spells("..") else { return false }
  return name.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
}
