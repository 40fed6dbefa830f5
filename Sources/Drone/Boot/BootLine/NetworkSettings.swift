import Addresses
import Addressing
import Bytes

/// What the line says of the network besides its `ip=` words, in dracut's words (dracut.cmdline(7)).
///
/// | word                             | meaning                                                                 |
/// |----------------------------------|-------------------------------------------------------------------------|
/// | `nameserver=ADDRESS`             | a DNS server that is asked before those of `ip=` and of a lease; once per server |
/// | `rd.peerdns=0`                   | no DNS server and no domain of a lease is used                          |
/// | `rd.route=NET/MASK:GATEWAY:CARD` | a route; the gateway or the card may be empty; once per route           |
/// | `rd.neednet=0`/`1`               | nothing: a drone brings the network up whenever a card may have it      |
public struct NetworkSettings: Hashable, Sendable {
  /// A route of `rd.route=`.
  public struct Route: Hashable, Sendable {
    /// When it has no gateway, the card is given.
    public let route: StaticRoute
    /// Nil for the card in whose network the gateway lies.
    public let device: [UInt8]?
  }

  /// In the order of the line; at most three, which is all that resolvers use.
  public internal(set) var nameServers: [IPv4Address] = []
  /// Whether a lease's DNS servers and domain are used.
  public internal(set) var takesLeasedDNS = true
  public internal(set) var routes: [Route] = []

  public init() {}

  /// The routes that belong to a card, given its name and its configuration.
  func routes(of card: [UInt8], _ configuration: AddressConfiguration) -> [StaticRoute] {
    var found: [StaticRoute] = []
    for wanted in routes {
      if let device = wanted.device {
        if device == card { found.append(wanted.route) }
      } else if let gateway = wanted.route.gateway, let mask = configuration.effectiveNetmask,
        mask.sameNetwork(gateway, configuration.address)
      {
        found.append(wanted.route)
      }
    }
    return found
  }
}

extension NetworkSettings.Route {
  /// The value of an `rd.route=` word; nil for any other text. `192.168.200.0/24:192.168.1.1:eth0`.
  init?(_ value: [UInt8]) {
    let fields = value.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard (2...3).contains(fields.count), let slash = fields[0].firstIndex(of: UInt8(ascii: "/")),
      let network = IPv4Address(text: fields[0][..<slash]), let mask = netmask(fields[0][(slash + 1)...]),
      network.bits & ~mask.bits == 0
    else { return nil }
    let device = fields.count > 2 ? fields[2] : []
    guard fields[1].isEmpty ? !device.isEmpty : IPv4Address(text: fields[1])?.isHostAddress == true,
      device.isEmpty || isDeviceName(device) && !isVLANName(device)
    else { return nil }
    route = StaticRoute(network: network, mask: mask, gateway: IPv4Address(text: fields[1]))
    self.device = device.isEmpty ? nil : [UInt8](device)
  }

  /// `192.168.200.0/24 by 192.168.1.1` for messages.
  public var text: [UInt8] {
    var out = route.network.text + [UInt8]("/")
    appendDecimal(UInt64(route.mask.prefixLength), to: &out)
    if let gateway = route.gateway { out += [UInt8](" by ") + gateway.text }
    return out
  }
}

/// `255.255.255.0` or `24`; nil for any other text.
private func netmask(_ text: ArraySlice<UInt8>) -> Netmask? {
  if let length = decimal(text).flatMap(UInt8.init(exactly:)) { return Netmask(prefixLength: length) }
  return IPv4Address(text: text).flatMap { Netmask($0) }
}
