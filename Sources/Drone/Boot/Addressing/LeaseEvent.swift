import Addresses
import Bytes

/// What a DHCP client reports about a card: BusyBox udhcpc calls its script with the event's name as the only argument and
/// the server's values in the environment.
///
/// The values come from whoever answered on the wire. Addresses, masks and numbers are read strictly; whatever else is in them
/// counts as not given. The host's name and its domain are any bytes: whoever uses them checks them.
public struct LeaseEvent: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    /// There is no lease (any more): the card must not have its address.
    case deconfigured
    /// A new lease, or the same one renewed.
    case bound(AddressConfiguration)
    /// Nobody answered, for now.
    case unanswered
    /// A server refused (DHCPNAK).
    case refused
  }

  /// The card's name.
  public let interface: [UInt8]
  public let kind: Kind

  public init(interface: [UInt8], kind: Kind) {
    self.interface = interface
    self.kind = kind
  }

  /// What the client asks a server for, in this order: routes before the router that they replace (RFC 3442).
  public static let askedOptions: [VendorExtension.Code] = [
    .subnetMask, .classlessRoutes, .routers, .nameServers, .hostName, .domain, .mtu, .timeServers, .oldClasslessRoutes,
  ]

  /// Reads the script's argument and its environment. Nil for an unknown event, no interface, or a lease without an
  /// address that a host may have.
  public init?(event: [UInt8], variable: (StaticString) -> [UInt8]?) {
    guard let interface = variable("interface").flatMap(plainText), interface.count <= 15 else { return nil }
    if event == [UInt8]("deconfig") {
      self.init(interface: interface, kind: .deconfigured)
    } else if event == [UInt8]("leasefail") {
      self.init(interface: interface, kind: .unanswered)
    } else if event == [UInt8]("nak") {
      self.init(interface: interface, kind: .refused)
    } else if event == [UInt8]("bound") || event == [UInt8]("renew") {
      guard let configuration = LeaseEvent.configuration(variable) else { return nil }
      self.init(interface: interface, kind: .bound(configuration))
    } else {
      return nil
    }
  }

  private static func configuration(_ variable: (StaticString) -> [UInt8]?) -> AddressConfiguration? {
    guard let address = variable("ip").flatMap({ IPv4Address(text: $0) }),
      var result = AddressConfiguration(address: address)
    else { return nil }
    result.netmask =
      variable("mask").flatMap { decimal($0) }.flatMap { UInt8(exactly: $0) }.flatMap { Netmask(prefixLength: $0) }
      ?? variable("subnet").flatMap { IPv4Address(text: $0) }.flatMap { Netmask($0) }
    if let routes = routes(variable("staticroutes")) ?? routes(variable("msstaticroutes")) {
      // A client that gets these ignores the routers (RFC 3442, "DHCP Client Behavior").
      result.routes = routes.filter { $0.mask != .everywhere || $0.gateway == nil }
      result.gateway = routes.first { $0.mask == .everywhere && $0.gateway != nil }?.gateway
    } else {
      result.gateway = addresses(variable("router")).first
    }
    result.mtu = variable("mtu").flatMap { decimal($0) }.flatMap { UInt16(exactly: $0) }
    result.server = addresses(variable("serverid")).first
    result.nameServers = addresses(variable("dns"))
    result.timeServers = addresses(variable("ntpsrv"))
    result.hostName = variable("hostname").flatMap(text)
    result.domain = variable("domain").flatMap(text)
    return result
  }

  /// The usable ones among addresses separated by spaces or commas, at most `most`.
  private static func addresses(_ text: [UInt8]?) -> [IPv4Address] {
    var out: [IPv4Address] = []
    for word in (text ?? []).split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") }) {
      guard out.count < most else { break }
      if let address = IPv4Address(text: word), address.isHostAddress { out.append(address) }
    }
    return out
  }

  private static let most = 4
  private static let mostRoutes = 16

  /// The usable ones among routes as udhcpc writes them, `10.0.0.0/8 192.168.1.1`, separated by spaces or commas; nil without
  /// any. The router 0.0.0.0 stands for the card's link.
  private static func routes(_ text: [UInt8]?) -> [StaticRoute]? {
    let words = (text ?? []).split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") }
    var out: [StaticRoute] = []
    var index = 0
    while index + 1 < words.count, out.count < mostRoutes {
      let parts = words[index].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      if parts.count == 2, let network = IPv4Address(text: parts[0]),
        let mask = decimal(parts[1]).flatMap({ UInt8(exactly: $0) }).flatMap({ Netmask(prefixLength: $0) }),
        let router = IPv4Address(text: words[index + 1]), router == .unspecified || router.isHostAddress
      {
        out.append(StaticRoute(network: network, mask: mask, gateway: router == .unspecified ? nil : router))
      }
      index += 2
    }
    return out.isEmpty ? nil : out
  }

  /// One line for another process, without control bytes inside and below 4096 bytes, so that a pipe keeps it whole (PIPE_BUF
  /// in pipe(7)). Bytes of a text that would end a word or the line are written as `%20`.
  ///
  ///     lease bound interface=eth0 ip=10.0.2.15 mask=24 router=10.0.2.2 dns=10.0.2.3
  public var record: [UInt8] {
    var out = [UInt8]("lease ")
    switch kind {
    case .deconfigured: out += [UInt8]("deconfig")
    case .unanswered: out += [UInt8]("leasefail")
    case .refused: out += [UInt8]("nak")
    case .bound: out += [UInt8]("bound")
    }
    func add(_ name: StaticString, _ value: [UInt8]) {
      if !value.isEmpty { out += [UInt8](" ") + [UInt8](name) + [UInt8]("=") + value }
    }
    add("interface", escaped(interface))
    if case .bound(let configuration) = kind {
      add("ip", configuration.address.text)
      if let mask = configuration.netmask {
        var digits: [UInt8] = []
        appendDecimal(UInt64(mask.prefixLength), to: &digits)
        add("mask", digits)
      }
      if configuration.routes.isEmpty {
        add("router", configuration.gateway?.text ?? [])
      } else {
        let standard = configuration.gateway.map {
          StaticRoute(network: .unspecified, mask: .everywhere, gateway: $0)
        }
        add("staticroutes", joined((standard.map { [$0] } ?? []) + configuration.routes))
      }
      if let mtu = configuration.mtu {
        var digits: [UInt8] = []
        appendDecimal(UInt64(mtu), to: &digits)
        add("mtu", digits)
      }
      add("serverid", configuration.server?.text ?? [])
      add("dns", joined(configuration.nameServers))
      add("ntpsrv", joined(configuration.timeServers))
      add("hostname", escaped(configuration.hostName.flatMap(text) ?? []))
      add("domain", escaped(configuration.domain.flatMap(text) ?? []))
    }
    out.append(UInt8(ascii: "\n"))
    return out
  }

  /// Reads a record, with or without its line feed; nil for any other bytes.
  public init?(record: some Sequence<UInt8>) {
    let line = [UInt8](record.prefix { $0 != UInt8(ascii: "\n") })
    let words = line.split(separator: UInt8(ascii: " "))
    guard words.count >= 3, words[0].elementsEqual([UInt8]("lease")) else { return nil }
    self.init(event: [UInt8](words[1])) { name in
      let start = [UInt8](name) + [UInt8]("=")
      return words.dropFirst(2).first { $0.starts(with: start) }.map { unescaped($0.dropFirst(start.count)) }
    }
  }

  private func joined(_ routes: [StaticRoute]) -> [UInt8] {
    var out: [UInt8] = []
    for route in routes.prefix(LeaseEvent.mostRoutes) {
      if !out.isEmpty { out.append(UInt8(ascii: ",")) }
      out += route.network.text + [UInt8]("/")
      appendDecimal(UInt64(route.mask.prefixLength), to: &out)
      out += [UInt8](",") + (route.gateway ?? .unspecified).text
    }
    return out
  }

  private func joined(_ addresses: [IPv4Address]) -> [UInt8] {
    var out: [UInt8] = []
    for address in addresses.prefix(LeaseEvent.most) {
      if !out.isEmpty { out.append(UInt8(ascii: ",")) }
      out += address.text
    }
    return out
  }
}

/// The bytes themselves if they are 1–255 of printable ASCII without spaces, else nil.
private func plainText(_ bytes: [UInt8]) -> [UInt8]? {
  (1...255).contains(bytes.count) && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? bytes : nil
}

/// The bytes themselves if they are as many as an option may hold.
private func text(_ bytes: [UInt8]) -> [UInt8]? { (1...255).contains(bytes.count) ? bytes : nil }

private func isPlain(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%") }

private func escaped(_ bytes: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  for byte in bytes {
    if isPlain(byte) { out.append(byte) } else { out += [UInt8(ascii: "%")] + hexadecimalByte(byte) }
  }
  return out
}

/// An escape that is none stands for itself.
private func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
  var out: [UInt8] = []
  var rest = bytes
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "%"), rest.count >= 2, let high = hexadecimalDigit(rest[rest.startIndex]),
      let low = hexadecimalDigit(rest[rest.startIndex + 1])
    {
      out.append(high << 4 | low)
      rest = rest.dropFirst(2)
    } else {
      out.append(byte)
    }
  }
  return out
}
