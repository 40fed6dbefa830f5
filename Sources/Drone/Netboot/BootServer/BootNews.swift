import Addresses
import Bytes

/// What the boot server reports to the tyd that started it, one line each. Any other line reads as nil.
public enum BootNews: Equatable, Sendable {
  /// The kind of client that asked for an address.
  public enum Client: Sendable {
    /// A boot ROM: the computer is about to start.
    case rom
    case dhcp
    case bootp

    var word: StaticString {
      switch self {
      case .rom: "rom"
      case .dhcp: "dhcp"
      case .bootp: "bootp"
      }
    }
  }

  /// The server listens.
  case ready
  /// It has another role from now on.
  case role(ServingRole)
  case leased(MACAddress, IPv4Address, Client)
  /// This much of a file has arrived, in per cent.
  case sent(IPv4Address, file: [UInt8], percent: UInt8)
  /// The transfer broke off.
  case broken(IPv4Address, file: [UInt8])
  /// A line for the log.
  case note([UInt8])

  public var line: [UInt8] {
    switch self {
    case .ready: return [UInt8]("ready\n")
    case .role(let role): return [UInt8]("role ") + role.text + [UInt8]("\n")
    case .leased(let hardware, let address, let client):
      return [UInt8]("leased ") + hardware.text + [UInt8](" ") + address.text + [UInt8](" ") + [UInt8](client.word)
        + [UInt8]("\n")
    case .sent(let address, let file, let percent):
      var out = [UInt8]("sent ") + address.text + [UInt8](" ")
      appendDecimal(UInt64(percent), to: &out)
      return out + [UInt8](" ") + file + [UInt8]("\n")
    case .broken(let address, let file):
      return [UInt8]("broken ") + address.text + [UInt8](" ") + file + [UInt8]("\n")
    case .note(let text): return [UInt8]("note ") + text + [UInt8]("\n")
    }
  }

  /// Reads a line without its line feed.
  public init?(line: [UInt8]) {
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard let verb = words.first else { return nil }
    if verb.spells("ready"), words.count == 1 {
      self = .ready
    } else if verb.spells("role"), words.count == 2, let role = ServingRole(text: words[1]) {
      self = .role(role)
    } else if verb.spells("leased"), words.count == 4, let hardware = MACAddress(text: words[1]),
      let address = IPv4Address(text: words[2]), let client = Client(word: words[3])
    {
      self = .leased(hardware, address, client)
    } else if verb.spells("sent"), words.count == 4, let address = IPv4Address(text: words[1]),
      let percent = decimal(words[2]), percent <= 100, BootNews.isName(words[3])
    {
      self = .sent(address, file: [UInt8](words[3]), percent: UInt8(clamping: percent))
    } else if verb.spells("broken"), words.count == 3, let address = IPv4Address(text: words[1]),
      BootNews.isName(words[2])
    {
      self = .broken(address, file: [UInt8](words[2]))
    } else if verb.spells("note"), words.count > 1 {
      self = .note([UInt8](line.dropFirst(5)))
    } else {
      return nil
    }
  }

  private static func isName(_ word: ArraySlice<UInt8>) -> Bool {
    (1...64).contains(word.count) && word.allSatisfy { (0x21...0x7E).contains($0) }
  }
}

extension BootNews.Client {
  fileprivate init?(word: ArraySlice<UInt8>) {
    if word.spells("rom") {
      self = .rom
    } else if word.spells("dhcp") {
      self = .dhcp
    } else if word.spells("bootp") {
      self = .bootp
    } else {
      return nil
    }
  }
}

/// What tyd tells its boot server: the known address of a card.
public struct KnownAddress: Equatable, Sendable {
  public let hardware: MACAddress
  public let address: IPv4Address

  public init(_ hardware: MACAddress, _ address: IPv4Address) {
    self.hardware = hardware
    self.address = address
  }

  public var line: [UInt8] { [UInt8]("known ") + hardware.text + [UInt8](" ") + address.text + [UInt8]("\n") }

  /// Reads a line without its line feed; nil for anything else.
  public init?(line: [UInt8]) {
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard words.count == 3, words[0].spells("known"), let hardware = MACAddress(text: words[1]),
      let address = IPv4Address(text: words[2])
    else { return nil }
    self.init(hardware, address)
  }
}
