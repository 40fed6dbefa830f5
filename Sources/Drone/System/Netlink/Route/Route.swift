import Addresses

/// An IPv4 route, as RTM_NEWROUTE describes it (rtnetlink(7)). A default route has the mask 0.0.0.0.
public struct Route: Equatable, Sendable {
  public var destination: IPv4Address
  public var mask: Netmask
  /// The next router; nil for a network on the link itself.
  public var gateway: IPv4Address?
  /// The interface's number; nil leaves it to the kernel, which looks where the gateway is.
  public var interface: Int32?
  /// Of two routes to one network the one with the lower metric counts.
  public var metric: UInt32
  public var table: UInt32
  /// The program that made the route (include/uapi/linux/rtnetlink.h, RTPROT_).
  public var origin: UInt8
  public var scope: AddressScope
  public var kind: RouteKind
  /// The address that packets leave with by default.
  public var preferredSource: IPv4Address?

  /// A route in the main table. Bits of the destination that the mask does not cover are left out.
  public init(
    to destination: IPv4Address, _ mask: Netmask, gateway: IPv4Address? = nil, interface: Int32? = nil,
    metric: UInt32 = 0, origin: UInt8 = Route.madeAtBoot
  ) {
    self.destination = mask.network(of: destination)
    self.mask = mask
    self.gateway = gateway
    self.interface = interface
    self.metric = metric
    self.table = Route.mainTable
    self.origin = origin
    // A route without a router cannot lead farther than the link.
    self.scope = gateway == nil ? .link : .universe
    self.kind = .unicast
    self.preferredSource = nil
  }

  /// The route to everywhere through a router on a link.
  public static func standard(gateway: IPv4Address, interface: Int32, metric: UInt32 = 0) -> Route {
    Route(to: .unspecified, .everywhere, gateway: gateway, interface: interface, metric: metric)
  }

  /// A default route of the main table, through any gateway.
  public var isDefault: Bool { mask.prefixLength == 0 && table == Route.mainTable && kind == .unicast }

  public static let mainTable: UInt32 = 254
  /// RTPROT_BOOT: what route(8) and ip(8) use too.
  public static let madeAtBoot: UInt8 = 3
}

/// What happens to packets on a route (RTN_).
public struct RouteKind: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let unicast = RouteKind(rawValue: 1)
  public static let local = RouteKind(rawValue: 2)
  public static let broadcast = RouteKind(rawValue: 3)
}

extension Route {
  static let newType: UInt16 = 24
  static let removedType: UInt16 = 25
  static let getType: UInt16 = 26

  /// Reads RTM_NEWROUTE or RTM_DELROUTE; nil for a route that is not IPv4. Of a route over several routers none is named.
  init?(_ message: NetlinkMessage) throws(NetlinkParseError) {
    let attributes = try message.attributes(behind: 12)
    let body = message.payload
    guard body.byte(at: 0) == internetFamily else { return nil }
    guard let mask = Netmask(prefixLength: body.byte(at: 1)) else { throw .wrongValue(offset: body.startIndex + 1) }
    self.init(to: .unspecified, mask, origin: body.byte(at: 5))
    table = UInt32(body.byte(at: 4))
    scope = AddressScope(rawValue: body.byte(at: 6))
    kind = RouteKind(rawValue: body.byte(at: 7))
    for attribute in attributes {
      switch attribute.type {
      case 1: destination = mask.network(of: try attribute.address())
      case 4: interface = Int32(bitPattern: try attribute.native32())
      case 5: gateway = try attribute.address()
      case 6: metric = try attribute.native32()
      case 7: preferredSource = try attribute.address()
      case 15: table = try attribute.native32()
      default: break
      }
    }
  }

  private var body: MessageBody {
    // `struct rtmsg`: family, prefixes of destination and source, type of service, table, origin, scope, kind, flags. A
    // table above 255 stands in an attribute only.
    var body = MessageBody(
      [internetFamily, mask.prefixLength, 0, 0, UInt8(exactly: table) ?? 0, origin, scope.rawValue, kind.rawValue]
        + UInt32(0).nativeBytes)
    if mask.prefixLength > 0 { body.attribute(1, destination.octets) }
    if let gateway { body.attribute(5, gateway.octets) }
    if let interface { body.attribute(4, native: UInt32(bitPattern: interface)) }
    if metric != 0 { body.attribute(6, native: metric) }
    if let preferredSource { body.attribute(7, preferredSource.octets) }
    if table > UInt32(UInt8.max) { body.attribute(15, native: table) }
    return body
  }

  fileprivate func request(_ type: UInt16, _ flags: MessageFlags) -> NetlinkRequest {
    NetlinkRequest(type: type, flags: flags.union([.request, .acknowledge]), body: body)
  }
}

extension NetlinkRequest {
  /// All IPv4 routes of all tables. Each comes as RTM_NEWROUTE.
  public static var listRoutes: NetlinkRequest {
    NetlinkRequest(
      type: Route.getType, flags: [.request, .dump],
      body: MessageBody([internetFamily, 0, 0, 0, 0, 0, 0, 0] + UInt32(0).nativeBytes))
  }

  /// How packets to one host leave: the answer is RTM_NEWROUTE with interface, router if any, and the address that they come
  /// from. Fails with ENETUNREACH if there is no way.
  public static func findRoute(to host: IPv4Address) -> NetlinkRequest {
    Route(to: host, .host).request(Route.getType, [])
  }

  /// Sets a route; one to the same network with the same metric is replaced.
  public static func replace(_ route: Route) -> NetlinkRequest {
    route.request(Route.newType, [.create, .replace])
  }

  /// Removes the first route that matches what is given here. Fails with ESRCH if there is none.
  public static func remove(_ route: Route) -> NetlinkRequest { route.request(Route.removedType, []) }
}
