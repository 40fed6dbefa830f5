import Addresses
import Bytes
import DroneLayout

/// A network card of this computer with the address by which computers reach it.
public struct ServedCard: Equatable, Sendable {
  public var name: String
  public var address: IPv4Address
  public var netmask: Netmask

  public init(name: String, address: IPv4Address, netmask: Netmask) {
    self.name = name
    self.address = address
    self.netmask = netmask
  }
}

/// Who the servers are once they have their ports.
public struct ServiceAccount: Equatable, Sendable {
  public var user: String
  public var group: String

  public init(user: String, group: String) {
    self.user = user
    self.group = group
  }
}

/// A tree to boot from the network, served by dnsmasq (DHCP, TFTP) and BusyBox's httpd (HTTP): what each is started with.
///
/// Both read no file of the computer's own settings and write none.
public struct TreeService: Equatable, Sendable {
  public let card: ServedCard
  /// The addresses to give out; nil beside another DHCP server, which gives them.
  public let range: AddressRange?
  /// The tree's folder, as an absolute path.
  public let tree: String
  public let account: ServiceAccount
  /// What the tree holds of what firmware fetches first.
  public let files: Set<String>
  /// Whether there is a web server: UEFI that boots by HTTP is told its address.
  public let hasHTTP: Bool

  /// - Parameters:
  ///   - range: nil beside another DHCP server.
  ///   - files: names in the tree's top folder; those of `NetworkBootFile` count.
  ///   - canHTTP: whether a web server may be started. Beside another DHCP server none is: dnsmasq tells nobody of it there.
  /// - Throws: one sentence when the range does not fit the card's network, or the path is none that dnsmasq takes.
  public init(
    on card: ServedCard, range: AddressRange?, tree: String, as account: ServiceAccount, holding files: Set<String>,
    canHTTP: Bool
  ) throws(ServiceError) {
    if let range {
      let (own, mask) = (card.address, card.netmask)
      let network = mask.network(of: own)
      for address in [range.first, range.last] where !mask.sameNetwork(address, own) {
        throw ServiceError(
          "\(text(address)) is not of \(card.name)'s network, \(text(network))/\(mask.prefixLength): give a range of that."
        )
      }
      for (address, what) in [
        (own, "this computer's own"), (network, "the network's"), (mask.broadcast(of: own), "for all"),
      ]
      where range.first <= address && address <= range.last {
        throw ServiceError("The range holds \(text(address)), which is \(what): leave it out.")
      }
    }
    // dnsmasq splits some values there.
    guard tree.hasPrefix("/"), !tree.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: ",") }) else {
      throw ServiceError("\(tree) has a character in its path that dnsmasq does not take: copy the tree elsewhere.")
    }
    self.card = card
    self.range = range
    self.tree = tree
    self.account = account
    self.files = files
    hasHTTP = canHTTP && range != nil && files.contains("\(MediumPath.unifiedKernel)")
  }

  /// dnsmasq's arguments.
  public var dnsmasq: [String] {
    var words = [
      "--keep-in-foreground", "--log-facility=-", "--log-dhcp",
      // Nothing of the computer's own is read, and nothing is kept: no settings, no leases, no process number.
      "--conf-file=/dev/null", "--leasefile-ro", "--pid-file=",
      "--user=\(account.user)", "--group=\(account.group)",
      // No name service, and no other card.
      "--port=0", "--interface=\(card.name)", "--bind-interfaces",
      "--enable-tftp", "--tftp-root=\(tree)",
    ]
    if let range {
      words += serverWords(range)
    } else {
      let network = card.netmask.network(of: card.address)
      words.append("--dhcp-range=\(text(network)),proxy,\(text(card.netmask.address))")
      words += proxyWords
    }
    return words
  }

  /// As the DHCP server: it knows a client by its architecture (option 93; RFC 4578 §2.1), and iPXE by its own option 175.
  private func serverWords(_ range: AddressRange) -> [String] {
    var words = [
      "--dhcp-range=\(text(range.first)),\(text(range.last)),\(text(card.netmask.address)),1h",
      // Whoever has an address of before keeps it. This computer is nobody's router.
      "--dhcp-authoritative", "--dhcp-option=option:router", "--bootp-dynamic",
      "--dhcp-match=set:ipxe,175",
    ]
    var others: [String] = []
    for client in Client.allCases {
      words += client.architectures.map { "--dhcp-match=set:\(client.tag),option:client-arch,\($0)" }
      others.append("tag:!\(client.tag)")
    }
    func boot(_ tags: [String], _ file: StaticString) {
      guard files.contains("\(file)") else { return }
      words.append("--dhcp-boot=\((tags + ["\(file)"]).joined(separator: ","))")
    }
    boot(others + ["tag:!ipxe"], NetworkBootFile.pxelinux)
    boot(others + ["tag:ipxe"], NetworkBootFile.iPXE)
    boot(["tag:\(Client.narrow.tag)"], NetworkBootFile.narrowGRUB)
    boot(["tag:\(Client.wide.tag)", "tag:!ipxe"], NetworkBootFile.shim)
    boot(["tag:\(Client.wide.tag)", "tag:ipxe"], MediumPath.unifiedKernel)
    if hasHTTP {
      let tag = "tag:\(Client.web.tag)"
      words += [
        // Firmware takes an offer for one only with this name of the server's kind (UEFI 2.10, §24.7.3.1).
        "--dhcp-option-force=\(tag),60,HTTPClient",
        "--dhcp-boot=\(tag),http://\(text(card.address))/\(MediumPath.unifiedKernel)",
      ]
    }
    return words
  }

  /// Beside another DHCP server: GRUB would ask that one for its menu, so UEFI gets all in one file.
  private var proxyWords: [String] {
    [
      ("x86PC", NetworkBootFile.pxelinux), ("x86-64_EFI", MediumPath.unifiedKernel),
      ("BC_EFI", MediumPath.unifiedKernel),
    ].filter { files.contains("\($1)") }.map { "--pxe-service=\($0),Drone,\($1)" }
  }

  /// The web server's arguments, after `busybox`; nil for none.
  public var webServer: [String]? {
    guard hasHTTP else { return nil }
    return [
      "httpd", "-f", "-vv", "-c", "/dev/null", "-p", "\(text(card.address)):80", "-u",
      "\(account.user):\(account.group)", "-h", tree,
    ]
  }

  /// What is served to whom, a line for each.
  public var summary: [String] {
    let place = "\(tree) on \(card.name) (\(text(card.address)))"
    var lines: [String] = []
    if let range {
      lines.append("\(place); addresses \(text(range.first)) to \(text(range.last)).")
    } else {
      lines.append("\(place), beside the network's DHCP server.")
    }
    var served: [String] = []
    if files.contains("\(NetworkBootFile.pxelinux)") { served.append("BIOS") }
    let wide = range == nil ? MediumPath.unifiedKernel : NetworkBootFile.shim
    if files.contains("\(wide)") { served.append("UEFI of 64 bits" + (range == nil ? " without Secure Boot" : "")) }
    if range != nil, files.contains("\(NetworkBootFile.narrowGRUB)") { served.append("UEFI of 32 bits") }
    if hasHTTP { served.append("UEFI by HTTP without Secure Boot") }
    lines.append("For \(served.joined(separator: ", ")).")
    return lines
  }
}

/// Why a tree is not served, as a sentence.
public struct ServiceError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Clients besides a BIOS, by their architecture (option 93; IANA, "Processor Architecture Types").
private enum Client: CaseIterable {
  case narrow, wide, web

  var tag: String {
    switch self {
    case .narrow: "efi32"
    case .wide: "efi64"
    case .web: "http"
    }
  }

  var architectures: [Int] {
    switch self {
    case .narrow: [6]
    case .wide: [7, 9]
    case .web: [16]
    }
  }
}

func text(_ address: IPv4Address) -> String { String(decoding: address.text, as: UTF8.self) }
