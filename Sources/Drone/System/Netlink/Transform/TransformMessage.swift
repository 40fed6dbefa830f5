import Addresses

/// A message of XFRM netlink (NETLINK_XFRM): an entry of a list that was asked for, or an event.
public enum TransformMessage: Equatable, Sendable {
  /// An association that is there, or came, or changed.
  case association(AssociationStatus)
  /// An association went: it was taken away, or reached a hard limit.
  case associationRemoved(SecurityAssociationName)
  case policy(TransformPolicy)
  case policyRemoved(TransformPolicy)
  /// A packet waits for keys.
  case acquire(AcquireRequest)
  /// An association reached a limit: a soft one, or with `hard` one that ended it. A state that waited for keys in vain ends
  /// so, too.
  case expired(AssociationStatus, hard: Bool)
  /// All associations, or all policies, were taken away.
  case associationsFlushed
  case policiesFlushed
  /// Of no interest: another family of addresses, or a type not read here.
  case other(type: UInt16)

  /// - Parameter layout: of the kernel that sent it.
  public init(_ message: NetlinkMessage, layout: TransformLayout) throws(NetlinkParseError) {
    self = try TransformMessage.known(message, layout) ?? .other(type: message.type)
  }

  private static func known(
    _ message: NetlinkMessage, _ layout: TransformLayout
  ) throws(NetlinkParseError) -> TransformMessage? {
    let body = message.payload
    switch message.type {
    case TransformType.newAssociation, TransformType.updateAssociation:
      let attributes = try message.attributes(behind: layout.associationSize)
      return try AssociationStatus(body, at: 0, attributes).map { .association($0) }
    case TransformType.deleteAssociation:
      _ = try message.attributes(behind: TransformLayout.associationNameSize)
      let family = body.native16(at: 20)
      guard let destination = InternetAddress(transform: body, at: 0, family: family) else { return nil }
      let name = SecurityAssociationName(destination: destination, spi: body.native32(at: 16).byteSwapped)
      return .associationRemoved(name)
    case TransformType.newPolicy, TransformType.updatePolicy:
      let attributes = try message.attributes(behind: layout.policySize)
      return try TransformPolicy(body, at: 0, attributes).map { .policy($0) }
    case TransformType.deletePolicy:
      // Named by selector or index; what it was stands in an attribute.
      let attributes = try message.attributes(behind: TransformLayout.policyNameSize)
      for attribute in attributes where attribute.type == TransformAttribute.policy {
        try attribute.require(atLeast: layout.policySize)
        return try TransformPolicy(attribute.value, at: 0, attributes).map { .policyRemoved($0) }
      }
      return nil
    case TransformType.acquire:
      let attributes = try message.attributes(behind: layout.acquireSize)
      return try AcquireRequest(body, layout, attributes).map { .acquire($0) }
    case TransformType.expire:
      let attributes = try message.attributes(behind: layout.expirySize)
      let hard = body.byte(at: layout.associationSize) != 0
      return try AssociationStatus(body, at: 0, attributes).map { .expired($0, hard: hard) }
    case TransformType.flushAssociations: return .associationsFlushed
    case TransformType.flushPolicies: return .policiesFlushed
    default: return nil
    }
  }
}

/// The kernel's question for keys (`struct xfrm_user_acquire`): a packet matched a policy that demands an association, and
/// there is none. One comes for each pair of hosts until the waiting state expires (`net.core.xfrm_acq_expires` seconds).
public struct AcquireRequest: Equatable, Sendable {
  public var source: InternetAddress
  public var destination: InternetAddress
  /// The packet that asks.
  public var packet: TransformSelector
  /// Names this question; an association that answers it says so.
  public var sequence: UInt32
  /// The kernel's number of the policy that demands the association.
  public var policy: UInt32
  /// Of the template that demands it.
  public var requestID: UInt32

  public init(
    source: InternetAddress, destination: InternetAddress, packet: TransformSelector, sequence: UInt32, policy: UInt32,
    requestID: UInt32
  ) {
    self.source = source
    self.destination = destination
    self.packet = packet
    self.sequence = sequence
    self.policy = policy
    self.requestID = requestID
  }

  /// Nil if the addresses are of another family.
  fileprivate init?(
    _ body: ArraySlice<UInt8>, _ layout: TransformLayout, _ attributes: [Attribute]
  ) throws(NetlinkParseError) {
    let family = body.native16(at: 40 + 40)
    guard
      let destination = InternetAddress(transform: body, at: 0, family: family),
      let source = InternetAddress(transform: body, at: 24, family: family)
    else { return nil }
    var requestID: UInt32 = 0
    for attribute in attributes where attribute.type == TransformAttribute.template {
      requestID = try TransformTemplate.list(in: attribute).first?.requestID ?? 0
    }
    self.init(
      source: source, destination: destination, packet: try TransformSelector(body, at: 40),
      sequence: body.native32(at: 96 + layout.policySize + 12), policy: body.native32(at: 96 + 156),
      requestID: requestID)
  }
}

/// The groups of events that a socket of XFRM netlink can listen to (XFRMGRP_).
public struct TransformGroups: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Packets wait for keys.
  public static let acquire = TransformGroups(rawValue: 0x1)
  /// Limits are reached.
  public static let expire = TransformGroups(rawValue: 0x2)
  /// Associations come and go.
  public static let associations = TransformGroups(rawValue: 0x4)
  /// Policies come and go.
  public static let policies = TransformGroups(rawValue: 0x8)
}
