/// A message of rtnetlink (NETLINK_ROUTE): an entry of a list that was asked for, or an event.
public enum RouteMessage: Equatable, Sendable {
  case link(Link)
  case linkRemoved(Link)
  case address(InterfaceAddress)
  case addressRemoved(InterfaceAddress)
  case route(Route)
  case routeRemoved(Route)
  /// Of no interest: another family than IPv4, or a type not read here.
  case other(type: UInt16)

  public init(_ message: NetlinkMessage) throws(NetlinkParseError) {
    var found: RouteMessage?
    switch message.type {
    case Link.newType: found = try Link(message).map { .link($0) }
    case Link.removedType: found = try Link(message).map { .linkRemoved($0) }
    case InterfaceAddress.newType: found = try InterfaceAddress(message).map { .address($0) }
    case InterfaceAddress.removedType: found = try InterfaceAddress(message).map { .addressRemoved($0) }
    case Route.newType: found = try Route(message).map { .route($0) }
    case Route.removedType: found = try Route(message).map { .routeRemoved($0) }
    default: break
    }
    self = found ?? .other(type: message.type)
  }
}

/// The groups of events that a socket of rtnetlink can listen to (RTMGRP_).
public struct RouteGroups: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Interfaces come, go, change their flags or lose their carrier.
  public static let links = RouteGroups(rawValue: 0x1)
  /// IPv4 addresses come and go.
  public static let addresses = RouteGroups(rawValue: 0x10)
  /// IPv4 routes come and go.
  public static let routes = RouteGroups(rawValue: 0x40)
}
