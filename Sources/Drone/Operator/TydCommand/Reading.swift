import Addresses
import BootServer
import Bytes

extension TydCommand {
  /// Reads the arguments, the program's name left out.
  public init(_ arguments: [[UInt8]]) throws(TydCommandError) {
    self.init()
    var reader = ArgumentReader(rest: arguments[...])
    var tasks: [(option: [UInt8], task: Task)] = []
    var wantsJSON: [UInt8]?
    while let option = reader.next() {
      guard let known = Option(option) else {
        if option.first == UInt8(ascii: "-") {
          throw TydCommandError([UInt8]("There is no option "), printable(option), [UInt8]("; see tyd --help."))
        }
        throw TydCommandError(
          printable(option), [UInt8](" is not an option; to join a cluster type tyd -m ADDRESS."))
      }
      switch known {
      case .help: tasks.append((option, .help))
      case .version: tasks.append((option, .version))
      case .printConfiguration: tasks.append((option, .printConfiguration))
      case .filter: tasks.append((option, .filter(try TydCommand.filter(try reader.value(of: option)))))
      case .master: tasks.append((option, .join(try TydCommand.contact(try reader.value(of: option)))))
      case .leave: tasks.append((option, .order(.leave)))
      case .remove: tasks.append((option, .order(.remove(try TydCommand.id(try reader.value(of: option))))))
      case .allow: tasks.append((option, .order(.allow(try TydCommand.id(try reader.value(of: option))))))
      case .approve:
        tasks.append((option, .order(.approve(try TydCommand.fingerprint(try reader.value(of: option))))))
      case .approveWindow:
        let minutes = try TydCommand.number(try reader.value(of: option), option, 0...1440)
        tasks.append((option, .order(.approveWindow(minutes: UInt16(clamping: minutes)))))
      case .release: tasks.append((option, .order(.release(try TydCommand.address(try reader.value(of: option))))))
      case .pending: tasks.append((option, .order(.pending)))
      case .status: tasks.append((option, .order(.status(json: false))))
      case .stop: tasks.append((option, .order(.stop)))
      case .json: wantsJSON = option
      case .crypto: crypto = try TydCommand.crypto(try reader.value(of: option))
      case .interface: interface = try TydCommand.interface(try reader.value(of: option))
      case .silent: isSilent = true
      case .debug: isDebugging = true
      case .resume: isResuming = true
      case .patient: isPatient = true
      case .rekey:
        rekeySeconds = UInt32(clamping: try TydCommand.number(try reader.value(of: option), option, 5...86_400))
      case .rekeyPackets:
        rekeyPackets = UInt32(clamping: try TydCommand.number(try reader.value(of: option), option, 16...(1 << 31)))
      case .idle:
        idleSeconds = UInt32(clamping: try TydCommand.number(try reader.value(of: option), option, 5...86_400))
      case .keep:
        keepSeconds = UInt32(clamping: try TydCommand.number(try reader.value(of: option), option, 0...31_536_000))
      case .metrics: metrics = try TydCommand.endpoint(try reader.value(of: option))
      case .sharedKey:
        throw TydCommandError(
          [UInt8]("There is no shared key any longer: every node has its own key, certified under the cluster's "),
          [UInt8]("credential, which a CD carries and droneforge cluster export writes."))
      case .bootMaster: bootsOthers = true
      case .force: isForced = true
      case .range:
        let value = try reader.value(of: option)
        guard let range = AddressRange(text: value) else {
          throw TydCommandError(
            [UInt8]("--range needs two addresses, as in 192.168.1.100-192.168.1.200, not "), printable(value),
            [UInt8]("."))
        }
        self.range = range
      }
    }
    if tasks.count > 1 {
      throw TydCommandError(
        printable(tasks[0].option), [UInt8](" and "), printable(tasks[1].option), [UInt8](" exclude each other."))
    }
    if let first = tasks.first { task = first.task }
    try requireStart(tasks.first?.option)
    if let wantsJSON {
      guard task == .order(.status(json: false)) else {
        throw TydCommandError(printable(wantsJSON), [UInt8](" is an option of --status only."))
      }
      task = .order(.status(json: true))
    }
  }

  /// Booting others needs a node that starts or joins; the options about it need `-pm`.
  private func requireStart(_ option: [UInt8]?) throws(TydCommandError) {
    if bootsOthers, let option {
      if case .join = task { return }
      throw TydCommandError([UInt8]("-pm and "), printable(option), [UInt8](" exclude each other."))
    }
    if !bootsOthers, isForced || range != nil {
      throw TydCommandError([UInt8]("--force and --range need -pm."))
    }
  }

  private static func crypto(_ value: [UInt8]) throws(TydCommandError) -> Crypto {
    if value.spells("off") { return .off }
    if value.spells("IPSEC") || value.spells("ipsec") { return .ipsec }
    if value.spells("aes128gcm") { return .aes128GCM }
    if value.spells("chacha20poly1305") { return .chaCha20Poly1305 }
    throw TydCommandError(
      [UInt8]("-c needs IPSEC, aes128gcm, chacha20poly1305 or off, not "), printable(value), [UInt8]("."))
  }

  private static func contact(_ value: [UInt8]) throws(TydCommandError) -> Contact {
    if value.spells("any") || value.spells("multicast") { return .any }
    guard let address = IPv4Address(text: value), address.isHostAddress else {
      throw TydCommandError(
        [UInt8]("-m needs a member's IPv4 address, or any to search for one; "), printable(value),
        [UInt8](" is neither."))
    }
    return .address(address)
  }

  private static func address(_ value: [UInt8]) throws(TydCommandError) -> IPv4Address {
    guard let address = IPv4Address(text: value), address.isHostAddress else {
      throw TydCommandError(
        [UInt8]("--release needs an IPv4 address that tyd --status calls kept, not "), printable(value), [UInt8]("."))
    }
    return address
  }

  private static func interface(_ value: [UInt8]) throws(TydCommandError) -> [UInt8] {
    guard (1...15).contains(value.count), value.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x2F }) else {
      throw TydCommandError(printable(value), [UInt8](" cannot be an interface's name."))
    }
    return value
  }

  /// `9639`, or `192.168.1.11:9639`.
  private static func endpoint(_ value: [UInt8]) throws(TydCommandError) -> Endpoint {
    let parts = value.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    let address = parts.count == 2 ? IPv4Address(text: parts[0]) : IPv4Address(127, 0, 0, 1)
    guard parts.count <= 2, let address, address == .unspecified || address.bits >> 24 == 127 || address.isHostAddress,
      let port = parts.last.flatMap({ decimal($0) }), (1...65535).contains(port)
    else {
      throw TydCommandError(
        [UInt8]("--metrics needs a TCP port, or ADDRESS:PORT with an address of this machine, not "), printable(value),
        [UInt8]("."))
    }
    return Endpoint(address: address, port: UInt16(clamping: port))
  }

  private static func filter(_ value: [UInt8]) throws(TydCommandError) -> FilterRequest {
    if value.spells("init") { return .initialise }
    if value.spells("on") { return .on }
    if value.spells("off") { return .off }
    let words = value.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    if words.count == 3, words[0].spells("allow"), words[1].spells("tcp") || words[1].spells("udp"),
      let port = decimal(words[2]), (1...65535).contains(port)
    {
      return .allow(isTCP: words[1].spells("tcp"), port: UInt16(clamping: port))
    }
    throw TydCommandError(
      [UInt8]("-f needs init, on, off, allow-tcp-PORT or allow-udp-PORT, not "), printable(value), [UInt8]("."))
  }

  /// A node's id as it is shown, `0x010b`, or in decimal.
  private static func id(_ value: [UInt8]) throws(TydCommandError) -> UInt16 {
    var found: UInt64?
    if value.starts(with: [UInt8]("0x")) {
      let digits = value.dropFirst(2)
      found = digits.count <= 4 ? hexadecimalNumber(digits) : nil
    } else {
      found = decimal(value)
    }
    guard let found, (1...65535).contains(found) else {
      throw TydCommandError(
        printable(value), [UInt8](" is not a node id; tyd --status shows the ids, such as 0x010b."))
    }
    return UInt16(clamping: found)
  }

  private static func fingerprint(_ value: [UInt8]) throws(TydCommandError) -> [UInt8] {
    var digits: [UInt8] = []
    for byte in value where byte != UInt8(ascii: ":") && byte != UInt8(ascii: "-") && byte != UInt8(ascii: " ") {
      guard hexadecimalDigit(byte) != nil else {
        throw TydCommandError(
          printable(value), [UInt8](" is not a fingerprint; the joiner's console and tyd --pending show it."))
      }
      digits.append(byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F") ? byte | 0x20 : byte)
    }
    guard (Fingerprint.fewestDigits...64).contains(digits.count) else {
      throw TydCommandError(
        [UInt8]("Give at least the first 16 of a fingerprint's 64 digits: fewer could be forged."))
    }
    return digits
  }

  private static func number(
    _ value: [UInt8], _ option: [UInt8], _ range: ClosedRange<UInt64>
  ) throws(TydCommandError) -> UInt64 {
    guard let number = decimal(value), range.contains(number) else {
      var text = printable(option) + [UInt8](" needs a number from ")
      appendDecimal(range.lowerBound, to: &text)
      text += [UInt8](" to ")
      appendDecimal(range.upperBound, to: &text)
      throw TydCommandError(text, [UInt8](", not "), printable(value), [UInt8]("."))
    }
    return number
  }
}

/// The arguments one by one; `--option=value` counts as two.
private struct ArgumentReader {
  var rest: ArraySlice<[UInt8]>
  private var attached: [UInt8]?

  init(rest: ArraySlice<[UInt8]>) { self.rest = rest }

  mutating func next() -> [UInt8]? {
    if let attached {
      self.attached = nil
      return attached
    }
    guard let word = rest.popFirst() else { return nil }
    if word.starts(with: [UInt8]("--")), let equals = word.firstIndex(of: UInt8(ascii: "=")) {
      attached = [UInt8](word[(equals + 1)...])
      return [UInt8](word[..<equals])
    }
    return word
  }

  mutating func value(of option: [UInt8]) throws(TydCommandError) -> [UInt8] {
    guard let value = next(), !value.isEmpty else {
      throw TydCommandError(printable(option), [UInt8](" needs a value; see tyd --help."))
    }
    return value
  }
}

/// Bytes that are safe on a terminal: what is not printable ASCII becomes a question mark, and a long text is cut.
func printable(_ bytes: [UInt8]) -> [UInt8] {
  var out = bytes.prefix(60).map(printable)
  if bytes.count > 60 { out += [UInt8]("...") }
  return out
}
