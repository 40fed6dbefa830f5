import Addresses

/// A rule about packets and IPsec: which of them must be, or need not be, protected.
public struct TransformPolicy: Equatable, Sendable {
  /// XFRM_POLICY_.
  public enum Direction: UInt8, Hashable, Sendable {
    case inbound = 0
    case outbound, forward
  }

  /// What happens to packets that match.
  public enum Action: UInt8, Sendable {
    /// They pass, once they went (or if they came) through what the templates demand.
    case allow = 0
    case block = 1
  }

  public var direction: Direction
  public var selector: TransformSelector
  public var action: Action
  /// Of several that match the one with the lowest number counts.
  public var priority: UInt32
  /// The kernel's number of the policy; 0 leaves it to the kernel.
  public var index: UInt32
  /// What packets must go through; none lets them pass in clear.
  public var templates: [TransformTemplate]

  public init(
    direction: Direction, selector: TransformSelector, action: Action = .allow, priority: UInt32 = 0,
    index: UInt32 = 0, templates: [TransformTemplate] = []
  ) {
    self.direction = direction
    self.selector = selector
    self.action = action
    self.priority = priority
    self.index = index
    self.templates = templates
  }

  /// Everything from one host to another must be in ESP, in transport mode: out, nothing leaves without it; in, nothing
  /// is taken without it.
  public static func require(
    _ direction: Direction, from source: InternetAddress, to destination: InternetAddress, requestID: UInt32 = 0
  ) -> TransformPolicy {
    TransformPolicy(
      direction: direction, selector: TransformSelector(from: source, to: destination),
      templates: [TransformTemplate(like: source, requestID: requestID)])
  }

  /// Everything may pass in clear: for a socket of its own, past the policies of the machine.
  public static func bypass(_ direction: Direction) -> TransformPolicy {
    TransformPolicy(direction: direction, selector: .everyIPv4)
  }
}

/// One transformation that a policy demands (`struct xfrm_user_tmpl`): ESP.
public struct TransformTemplate: Hashable, Sendable {
  /// For tunnels; unspecified in transport mode, where the packet's own count.
  public var source: InternetAddress
  public var destination: InternetAddress
  public var spi: UInt32
  public var requestID: UInt32
  /// XFRM_MODE_: 0 is transport, 1 tunnel.
  public var mode: UInt8
  /// Packets pass without it while there is no association.
  public var isOptional: Bool

  /// Transport mode for packets of the version of an address.
  public init(like address: InternetAddress, requestID: UInt32 = 0) {
    source = address.unspecified
    destination = address.unspecified
    spi = 0
    self.requestID = requestID
    mode = 0
    isOptional = false
  }

  var bytes: [UInt8] {
    var out = destination.transformBytes + spi.bigEndianBytes + [encapsulatingSecurityPayload, 0, 0, 0]
    out += source.family.nativeBytes + [0, 0] + source.transformBytes + requestID.nativeBytes
    out += [mode, 0, isOptional ? 1 : 0, 0]
    // Any algorithm for proof, cipher and compression: the associations say which.
    return out + [UInt8](repeating: 0xFF, count: 12)
  }

  /// Reads a template. A family that is neither IPv4 nor IPv6 is an error.
  fileprivate init(_ bytes: ArraySlice<UInt8>) throws(NetlinkParseError) {
    let family = bytes.native16(at: 24)
    guard
      let destination = InternetAddress(transform: bytes, at: 0, family: family),
      let source = InternetAddress(transform: bytes, at: 28, family: family)
    else { throw .wrongValue(offset: bytes.startIndex + 24) }
    self.destination = destination
    self.source = source
    spi = bytes.native32(at: 16).byteSwapped
    requestID = bytes.native32(at: 44)
    mode = bytes.byte(at: 48)
    isOptional = bytes.byte(at: 50) != 0
  }

  /// Reads the templates in XFRMA_TMPL, which stand one behind the other.
  static func list(in attribute: Attribute) throws(NetlinkParseError) -> [TransformTemplate] {
    var found: [TransformTemplate] = []
    var rest = attribute.value
    while !rest.isEmpty {
      guard rest.count >= TransformLayout.templateSize else {
        throw .wrongLength(
          .attribute, offset: rest.startIndex, stated: TransformLayout.templateSize, available: rest.count)
      }
      found.append(try TransformTemplate(rest.prefix(TransformLayout.templateSize)))
      rest = rest.dropFirst(TransformLayout.templateSize)
    }
    return found
  }
}

extension TransformPolicy {
  /// `struct xfrm_userpolicy_info`.
  func encoded(_ layout: TransformLayout) -> [UInt8] {
    var out = selector.bytes + lifetimeBytes(soft: .none, hard: .none)
    out += [UInt8](repeating: 0, count: 32)  // the kernel counts here
    // No flag of XFRM_POLICY_ is set, and no sharing of associations is asked for.
    out += priority.nativeBytes + index.nativeBytes + [direction.rawValue, action.rawValue, 0, 0]
    return out + [UInt8](repeating: 0, count: layout.policySize - out.count)
  }

  /// The value of the socket options IP_XFRM_POLICY (17 of level 0) and IPV6_XFRM_POLICY: the structure, then the templates.
  public func socketOption(_ layout: TransformLayout) -> [UInt8] {
    encoded(layout) + templates.flatMap { $0.bytes }
  }

  /// Reads `struct xfrm_userpolicy_info` at an offset of a payload, and the attribute with its templates. Nil for a family
  /// that is neither IPv4 nor IPv6.
  init?(_ body: ArraySlice<UInt8>, at offset: Int, _ attributes: [Attribute]) throws(NetlinkParseError) {
    let family = body.native16(at: offset + 40)
    guard family == 0 || family == 2 || family == 10 else { return nil }
    // A socket's policy has directions of its own, three above.
    guard
      let direction = Direction(rawValue: body.byte(at: offset + 160) % 3),
      let action = Action(rawValue: body.byte(at: offset + 161))
    else { throw .wrongValue(offset: body.startIndex + offset + 161) }
    self.init(
      direction: direction, selector: try TransformSelector(body, at: offset), action: action,
      priority: body.native32(at: offset + 152), index: body.native32(at: offset + 156))
    for attribute in attributes where attribute.type == TransformAttribute.template {
      templates += try TransformTemplate.list(in: attribute)
    }
  }
}

extension NetlinkRequest {
  /// Sets a policy, in the place of one with the same selector and direction.
  public static func set(_ policy: TransformPolicy, layout: TransformLayout) -> NetlinkRequest {
    var body = MessageBody(policy.encoded(layout))
    if !policy.templates.isEmpty {
      body.attribute(TransformAttribute.template, policy.templates.flatMap { $0.bytes })
    }
    return NetlinkRequest(type: TransformType.updatePolicy, flags: [.request, .acknowledge], body: body)
  }

  /// Removes the policy of this selector and direction. Fails with ENOENT if there is none.
  public static func remove(_ policy: TransformPolicy) -> NetlinkRequest {
    // `struct xfrm_userpolicy_id`; an index of 0 means that the selector names it.
    let structure = policy.selector.bytes + UInt32(0).nativeBytes + [policy.direction.rawValue, 0, 0, 0]
    return NetlinkRequest(
      type: TransformType.deletePolicy, flags: [.request, .acknowledge], body: MessageBody(structure))
  }

  /// All policies, those of sockets included.
  public static var listPolicies: NetlinkRequest {
    NetlinkRequest(type: TransformType.getPolicy, flags: [.request, .dump], body: MessageBody())
  }
}
