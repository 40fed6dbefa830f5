import Addresses
import Bytes

/// Reads the drone's own words one after the other; `finish` then settles what depends on several.
struct DroneWordReader {
  private(set) var drone = DroneWords()
  private(set) var errors: [BootLineError] = []
  private var master: DroneWords.Membership?
  private var masterWord: BootWord?
  private var joinsMaster = false

  /// Reads a word; ignores one that is not the drone's.
  mutating func read(_ word: BootWord) {
    guard let name = DroneWords.Name(word.name) else { return }
    switch name {
    case .boot: readMedium(word)
    case .eject: drone.eject = readSwitch(word, bareMeans: true) ?? drone.eject
    case .debug: drone.debug = readSwitch(word, bareMeans: true) ?? drone.debug
    case .shell: drone.shell = readSwitch(word) ?? drone.shell
    case .dhcp: drone.asksForAddress = readSwitch(word) ?? drone.asksForAddress
    case .filter: drone.filter = readOnOff(word) ?? drone.filter
    case .watchdog: drone.watchdog = readOnOff(word) ?? drone.watchdog
    case .certaintyd: readCertaintyd(word)
    case .tyd: readMembership(word)
    case .numberedTyd: readNumberedMembership(word)
    case .master: readMaster(word)
    case .console: readConsole(word)
    case .keymap: readKeymap(word)
    case .syslog: readSyslog(word)
    case .netconsole: readNetconsole(word)
    case .modules: readModules(word)
    case .work: readWork(word)
    case .workFor: readWorkHomes(word)
    }
  }

  mutating func finish() {
    if joinsMaster {
      drone.tyd = master ?? .joinAny
    } else if let masterWord {
      refuse(masterWord, [UInt8]("it means nothing without TYD=1"))
    }
  }

  // MARK: Words

  private mutating func readSwitch(_ word: BootWord, bareMeans bare: Bool? = nil) -> Bool? {
    if word.value == nil, let bare { return bare }
    if spells(word, "0") { return false }
    if spells(word, "1") { return true }
    refuse(word, allowed: "0 or 1")
    return nil
  }

  private mutating func readOnOff(_ word: BootWord) -> Bool? {
    if spells(word, "on") { return true }
    if spells(word, "off") { return false }
    refuse(word, allowed: "on or off")
    return nil
  }

  private mutating func readModules(_ word: BootWord) {
    if spells(word, "open") {
      drone.keepsModulesOpen = true
    } else if spells(word, "locked") {
      drone.keepsModulesOpen = false
    } else {
      refuse(word, allowed: "open or locked")
    }
  }

  private mutating func readWork(_ word: BootWord) {
    if spells(word, "off") {
      drone.jobs = 0
    } else if let number = word.value.flatMap({ decimal($0) }), (1...1000).contains(number) {
      drone.jobs = Int(number)
    } else {
      refuse(word, allowed: "off or a number of jobs from 1 to 1000")
    }
  }

  private mutating func readWorkHomes(_ word: BootWord) {
    if let homes = word.value.flatMap({ NodeReference.list([UInt8]($0)) }) {
      drone.workHomes = homes
    } else {
      drone.workHomes = []
      refuse(word, allowed: "ids or addresses of nodes with commas between them")
    }
  }

  private mutating func readCertaintyd(_ word: BootWord) {
    if spells(word, "on") {
      drone.certaintyd = .on
    } else if spells(word, "off") {
      drone.certaintyd = .off
    } else if spells(word, "locked") {
      drone.certaintyd = .locked
    } else {
      refuse(word, allowed: "off, on or locked")
    }
  }

  private mutating func readMembership(_ word: BootWord) {
    let membership: DroneWords.Membership
    if spells(word, "off") {
      membership = .off
    } else if spells(word, "first") {
      membership = .first
    } else if spells(word, "any") {
      membership = .joinAny
    } else if spells(word, "pxe") {
      membership = .firstServingNetboot
    } else if let address = member(word) {
      membership = .join(address)
    } else {
      return refuse(word, allowed: "off, first, pxe, any or the IPv4 address of a member")
    }
    drone.tyd = membership
    joinsMaster = false
  }

  private mutating func readNumberedMembership(_ word: BootWord) {
    if spells(word, "0") {
      drone.tyd = .off
    } else if spells(word, "1") {
      drone.tyd = .joinAny
    } else if spells(word, "2") {
      drone.tyd = .first
    } else if spells(word, "3") {
      drone.tyd = .firstServingNetboot
    } else {
      return refuse(word, allowed: "0, 1, 2 or 3")
    }
    joinsMaster = spells(word, "1")
  }

  private mutating func readMaster(_ word: BootWord) {
    if spells(word, "any") || spells(word, "multicast") {
      master = .joinAny
    } else if let address = member(word) {
      master = .join(address)
    } else {
      return refuse(word, allowed: "any, multicast or the IPv4 address of a member")
    }
    masterWord = word
  }

  private mutating func readMedium(_ word: BootWord) {
    let value = word.value ?? []
    let colon = value.firstIndex(of: UInt8(ascii: ":")) ?? value.endIndex
    let device = value[..<colon]
    let type = value[colon...].dropFirst()
    guard isDevicePath(device), colon == value.endIndex || type.spells("iso9660") || type.spells("vfat") else {
      return refuse(word, allowed: "a device such as /dev/cdrom, followed by :iso9660 or :vfat or nothing")
    }
    drone.medium = DroneWords.Medium(device: [UInt8](device), filesystem: type.spells("vfat") ? .vfat : .iso9660)
  }

  private mutating func readConsole(_ word: BootWord) {
    guard let value = word.value else { return refuse(word, allowed: "a device such as tty0 or ttyS0,115200n8") }
    let comma = value.firstIndex(of: UInt8(ascii: ",")) ?? value.endIndex
    let device = value[..<comma]
    let options = value[comma...].dropFirst()
    // An empty value is the kernel's way to say "no console".
    guard !device.isEmpty else { return }
    guard device.count <= 15, device.allSatisfy({ isFileNameByte($0) || $0 == UInt8(ascii: ".") }) else {
      return refuse(word, allowed: "a device such as tty0 or ttyS0,115200n8")
    }
    var console = DroneWords.Console(device: [UInt8](device))
    if device.prefix(4).spells("ttyS"), !options.isEmpty {
      console.speed = serialSpeed(options)
      if console.speed == nil {
        let rule: StaticString = "a usual speed, then n, o or e, then 5 to 8, then r, as in 115200n8"
        refuse(
          word,
          quoted(options) + [UInt8](" is not a serial port's setting; allowed is ") + [UInt8](rule)
            + [UInt8]("; no speed is set"))
      }
    }
    drone.consoles.append(console)
  }

  private mutating func readKeymap(_ word: BootWord) {
    guard let value = word.value, (1...32).contains(value.count), value.allSatisfy(isFileNameByte) else {
      return refuse(word, allowed: "a name of at most 32 letters, digits, - and _, such as de-latin1")
    }
    drone.keymap = value
  }

  private mutating func readSyslog(_ word: BootWord) {
    let value = word.value ?? []
    let isAddress = IPv4Address(text: value)?.isHostAddress ?? false
    guard isAddress || (try? HostName(value)) != nil else {
      return refuse(word, allowed: "the IPv4 address or the name of a host")
    }
    drone.syslog = value
  }

  private mutating func readNetconsole(_ word: BootWord) {
    guard let targets = NetconsoleTarget.list(word.value ?? []) else {
      return refuse(
        word, allowed: "[PORT]@OWN/[CARD],[PORT]@HOST/[MAC] with both addresses, as @192.168.1.21/,@192.168.1.11/")
    }
    drone.netconsole = targets
  }

  // MARK: Values

  private func spells(_ word: BootWord, _ literal: StaticString) -> Bool { word.value?.spells(literal) ?? false }

  private func member(_ word: BootWord) -> IPv4Address? {
    guard let value = word.value, let address = IPv4Address(text: value), address.isHostAddress else { return nil }
    return address
  }

  private mutating func refuse(_ word: BootWord, allowed: StaticString) {
    let complaint =
      word.value.map { quoted($0) + [UInt8](" is not allowed, only ") } ?? [UInt8]("the value is missing: ")
    refuse(word, complaint + [UInt8](allowed) + [UInt8]("; the word is ignored"))
  }

  private mutating func refuse(_ word: BootWord, _ reason: [UInt8]) {
    errors.append(BootLineError(word: word.text, field: nil, position: nil, reason: reason))
  }
}

private func isFileNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
    true
  default: false
  }
}

/// A path below /dev/ of plain file names: no empty one, none that starts with a dot.
private func isDevicePath(_ path: ArraySlice<UInt8>) -> Bool {
  guard path.prefix(5).spells("/dev/"), path.count <= 64 else { return false }
  return path.dropFirst(5).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { name in
    guard let first = name.first, isFileNameByte(first) else { return false }
    return name.allSatisfy { isFileNameByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
  }
}

/// The speed in the kernel's serial options `<speed><parity><bits><flow>` (serial-console.rst); nil when any part is
/// wrong.
private func serialSpeed(_ options: ArraySlice<UInt8>) -> UInt32? {
  let digits = options.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
  guard let speed = decimal(digits).flatMap(UInt32.init(exactly:)), isUsualSpeed(speed) else { return nil }
  var rest = options.dropFirst(digits.count)
  if let parity = rest.first, [UInt8]("noe").contains(parity) { rest = rest.dropFirst() }
  if let bits = rest.first, (UInt8(ascii: "5")...UInt8(ascii: "8")).contains(bits) { rest = rest.dropFirst() }
  if rest.first == UInt8(ascii: "r") { rest = rest.dropFirst() }
  return rest.isEmpty ? speed : nil
}

private func isUsualSpeed(_ speed: UInt32) -> Bool {
  switch speed {
  case 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400, 460_800, 921_600: true
  default: false
  }
}
