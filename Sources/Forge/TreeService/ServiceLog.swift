import DroneLayout

/// What dnsmasq and BusyBox's httpd say, made into a line for each thing that a computer did: who asks, which address it has, and
/// what it fetched. The rest – every option of every message, names that a boot loader only tries – is left out.
public struct ServiceLog {
  /// What a computer said it is, by the number of its exchange.
  private var kinds: [Substring: String] = [:]
  private var last = ""
  /// The tree's folder, which file names are shown without.
  private let tree: String

  public init(tree: String) { self.tree = tree.hasSuffix("/") ? tree : tree + "/" }

  /// Exchanges that are kept in mind.
  private static let most = 256

  /// Reads a line of dnsmasq's log; gives what to show of it.
  public mutating func read(dnsmasq line: String) -> String? {
    guard let end = line.firstRange(of: ": ") else { return nil }
    let program = line[..<end.lowerBound].prefix { $0 != "[" }
    let words = line[end.upperBound...].split(separator: " ", omittingEmptySubsequences: true)
    switch program {
    case "dnsmasq": return words.first == "started," ? "Serving until Ctrl-C." : nil
    case "dnsmasq-dhcp": return new(lease(words))
    case "dnsmasq-tftp": return new(transfer(words, of: line[end.upperBound...]))
    default: return nil
    }
  }

  /// `NUMBER vendor class: TEXT`, `NUMBER DHCPACK(CARD) ADDRESS HARDWARE NAME`, `NUMBER PXE(CARD) ADDRESS HARDWARE proxy`.
  private mutating func lease(_ words: [Substring]) -> String? {
    guard let exchange = words.first, exchange.allSatisfy(\.isNumber), words.count > 2 else {
      // What is wrong with all of them, such as a range that has been given out.
      let text = words.joined(separator: " ")
      return text.hasPrefix("no address range") || text.contains("has no address") ? plain(text) : nil
    }
    if words[1] == "vendor", words[2] == "class:" {
      if kinds.count >= Self.most { kinds = [:] }
      kinds[exchange] = Self.kind(words.dropFirst(3).first ?? "")
      return nil
    }
    let kind = kinds[exchange].map { " (\($0))" } ?? ""
    if words[1].hasPrefix("DHCPACK("), words.count > 3 {
      return plain("\(words[3]) has \(words[2])\(kind)")
    }
    if words[1].hasPrefix("PXE("), let hardware = words.dropFirst(2).first(where: { $0.contains(":") }) {
      return plain("\(hardware) asks what to boot\(kind)")
    }
    return nil
  }

  /// `sent PATH to ADDRESS`, `failed sending PATH to ADDRESS`.
  private func transfer(_ words: [Substring], of text: Substring) -> String? {
    guard words.count > 3, words[words.count - 2] == "to", let address = words.last else { return nil }
    let failed = words[0] == "failed" && words[1] == "sending"
    guard failed || words[0] == "sent" else { return nil }
    let path = text.dropFirst((failed ? "failed sending " : "sent ").count).dropLast(" to \(address)".count)
    let name = path.hasPrefix(tree) ? path.dropFirst(tree.count) : path
    return plain("\(address) \(failed ? "did not get all of" : "has fetched") \(name)")
  }

  /// Reads a line of the web server's: `ADDRESS:PORT: url:/NAME`.
  public mutating func read(web line: String) -> String? {
    let parts = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[2] == " url", parts[3].hasPrefix("/") else { return nil }
    return new(plain("\(parts[0]) fetches \(parts[3].dropFirst()) by HTTP"))
  }

  /// Nil for what was shown just before: firmware asks for a file's size first.
  private mutating func new(_ line: String?) -> String? {
    guard let line, line != last else { return nil }
    last = line
    return line
  }

  /// By the vendor class of boot ROMs (PXE 2.1 §2.2.3; UEFI 2.10 §24.7.2): `PXEClient:Arch:00007:UNDI:003000`.
  private static func kind(_ vendor: Substring) -> String? {
    let parts = vendor.split(separator: ":")
    guard parts.count > 2, parts[1] == "Arch" else { return nil }
    switch (parts[0], parts[2]) {
    case ("PXEClient", "00000"): return "BIOS"
    case ("PXEClient", "00006"): return "UEFI of 32 bits"
    case ("PXEClient", "00007"), ("PXEClient", "00009"): return "UEFI of 64 bits"
    case ("HTTPClient", "00016"): return "UEFI of 64 bits by HTTP"
    default: return "another kind of computer: \(parts[0]) \(parts[2])"
    }
  }

  /// For a terminal: what others sent is in it.
  private func plain(_ text: String) -> String {
    String(decoding: text.utf8.prefix(160).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }
}
