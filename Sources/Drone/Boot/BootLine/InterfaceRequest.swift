import Addresses
import Addressing
import Bytes

/// What one `ip=` word asks of one network card. Every value in it has been checked: it can be used as it is.
public struct InterfaceRequest: Hashable, Sendable {
  /// How the card gets its address.
  public enum Method: Hashable, Sendable {
    /// The address stands in the word; no server is asked.
    case `static`
    case dhcp
    case bootp
    case rarp
    /// Several protocols at once, see `protocols`; the first answer wins.
    case any
    /// Nothing is configured. A host name in the word still counts.
    case off
  }

  /// DHCP option 61 (RFC 2132 §9.14) as `dhcp,<type>,<client-id>` gives it.
  public struct ClientIdentifier: Hashable, Sendable {
    /// The hardware type, or 0 when the identifier is not a hardware address.
    public let type: UInt8
    /// 1–251 bytes.
    public let identifier: [UInt8]

    public init(type: UInt8, identifier: [UInt8]) {
      self.type = type
      self.identifier = identifier
    }
  }

  /// The card's name. Nil: for `static` the card of `BOOTIF=`, else the first card with link, `eth0` first; for the
  /// asking methods the card of `BOOTIF=`, else every card with link, the first answer wins.
  public var device: [UInt8]?
  public var method: Method
  /// What is asked: one protocol for `dhcp`, `bootp` and `rarp`, two or three for `any`, none for `static` and `off`.
  public var protocols: AddressProtocols
  /// Never nil for `static`, always nil for every other method.
  public var address: IPv4Address?
  /// Never nil for `static` (by address class when the word has none). For the asking methods, what this and the fields
  /// below hold wins over what the server says.
  public var netmask: Netmask?
  /// Lies in the address's network when the method is `static`.
  public var gateway: IPv4Address?
  /// The boot or NFS server. When RARP is asked and this is set, only its answers count.
  public var server: IPv4Address?
  /// One label, see `HostName`.
  public var hostName: [UInt8]?
  public var domain: [UInt8]?
  /// In the order of the word; at most two.
  public var nameServers: [IPv4Address] = []
  /// At most one.
  public var timeServers: [IPv4Address] = []
  /// Bytes, at least 68 (RFC 791 §3.2).
  public var mtu: UInt16?
  /// The hardware address to give to the card before it is used.
  public var mac: MACAddress?
  public var clientIdentifier: ClientIdentifier?

  public init(device: [UInt8]? = nil, method: Method) {
    self.device = device
    self.method = method
    protocols =
      switch method {
      case .static, .off: []
      case .dhcp: .dhcp
      case .bootp: .bootp
      case .rarp: .rarp
      case .any: [.dhcp, .bootp, .rarp]
      }
  }
}

extension InterfaceRequest {
  /// The host name with its domain, as far as the word gives them.
  public var fullName: [UInt8]? {
    guard let hostName, let domain else { return hostName }
    return hostName + [UInt8(ascii: ".")] + domain
  }

  /// What `earlier` gives and this request does not, for messages: `address 192.0.2.10, gateway 192.0.2.1`.
  func lost(from earlier: InterfaceRequest) -> [UInt8] {
    var out: [UInt8] = []
    func lose(_ what: StaticString, _ values: [IPv4Address], _ kept: [IPv4Address]) {
      for value in values where !kept.contains(value) {
        if !out.isEmpty { out += [UInt8](", ") }
        out += [UInt8](what) + [UInt8](" ") + value.text
      }
    }
    lose("address", earlier.address.map { [$0] } ?? [], address.map { [$0] } ?? [])
    lose("gateway", earlier.gateway.map { [$0] } ?? [], gateway.map { [$0] } ?? [])
    lose("DNS server", earlier.nameServers, nameServers)
    lose("NTP server", earlier.timeServers, timeServers)
    return out
  }

  /// A configuration with what the line says in place of what the server says, as for the kernel (nfsroot.rst: a field is
  /// determined by autoconfiguration only by default). `nameserver=` comes before both; routes of the line join those of a lease.
  /// - Parameter card: the name of the card that gets the configuration.
  public func completed(
    _ configuration: AddressConfiguration, _ settings: NetworkSettings, on card: [UInt8]
  ) -> AddressConfiguration {
    var out = configuration
    out.netmask = netmask ?? out.netmask
    out.gateway = gateway ?? out.gateway
    if !settings.takesLeasedDNS {
      out.nameServers = []
      out.domain = nil
    }
    if !nameServers.isEmpty { out.nameServers = nameServers }
    out.nameServers = settings.nameServers + out.nameServers.filter { !settings.nameServers.contains($0) }
    if !timeServers.isEmpty { out.timeServers = timeServers }
    out.domain = domain ?? out.domain
    // A network of the line goes the line's way.
    let own = settings.routes(of: card, out)
    out.routes.removeAll { route in own.contains { $0.network == route.network && $0.mask == route.mask } }
    out.routes += own
    return out
  }
}

extension InterfaceRequest.Method {
  /// The method in one word: `static`, `dhcp`, `bootp`, `rarp`, `any` or `off`.
  public var name: StaticString {
    switch self {
    case .static: "static"
    case .dhcp: "dhcp"
    case .bootp: "bootp"
    case .rarp: "rarp"
    case .any: "any"
    case .off: "off"
    }
  }
}
