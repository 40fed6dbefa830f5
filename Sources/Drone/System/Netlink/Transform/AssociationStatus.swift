import Addresses

/// An association as the kernel reports it: what it is, and what it has done so far. Its key is not read.
public struct AssociationStatus: Equatable, Sendable {
  public var name: SecurityAssociationName
  public var source: InternetAddress
  /// IP's protocol number: 50 for ESP.
  public var transform: UInt8
  public var requestID: UInt32
  /// The number of the ACQUIRE that it waits for or answered; 0 if none.
  public var acquireSequence: UInt32
  /// Nil for a cipher that is not one of ours, and for a state that waits for keys.
  public var cipher: AEADCipher?
  /// XFRM_MODE_: 0 is transport, 1 tunnel.
  public var mode: UInt8
  public var softLimits: LifetimeLimits
  public var hardLimits: LifetimeLimits
  /// What has gone through, and when it began, in seconds since 1970 by the node's clock; `used` is 0 before the first packet.
  public var bytes: UInt64
  public var packets: UInt64
  public var added: UInt64
  public var used: UInt64
  /// Packets refused: too old for the window, seen before, not proven.
  public var outsideWindow: UInt32
  public var replayed: UInt32
  public var unproven: UInt32
  /// Width of the replay window in packets, and the newest sequence numbers sent and received.
  public var replayWindow: UInt32
  public var sent: UInt64
  public var received: UInt64

  /// A state that the kernel made for an ACQUIRE: without index and keys, its packets wait or are dropped.
  public var isWaiting: Bool { name.spi == 0 }
}

extension AssociationStatus {
  /// Reads `struct xfrm_usersa_info` at an offset of a payload, and the attributes that may describe it further. Nil for a
  /// family that is neither IPv4 nor IPv6.
  init?(_ body: ArraySlice<UInt8>, at offset: Int, _ attributes: [Attribute]) throws(NetlinkParseError) {
    let family = body.native16(at: offset + 212)
    guard
      let destination = InternetAddress(transform: body, at: offset + 56, family: family),
      let source = InternetAddress(transform: body, at: offset + 80, family: family)
    else { return nil }
    name = SecurityAssociationName(destination: destination, spi: body.native32(at: offset + 72).byteSwapped)
    self.source = source
    transform = body.byte(at: offset + 76)
    (softLimits, hardLimits) = readLifetime(body, at: offset + 96)
    bytes = body.native64(at: offset + 160)
    packets = body.native64(at: offset + 168)
    added = body.native64(at: offset + 176)
    used = body.native64(at: offset + 184)
    outsideWindow = body.native32(at: offset + 192)
    replayed = body.native32(at: offset + 196)
    unproven = body.native32(at: offset + 200)
    acquireSequence = body.native32(at: offset + 204)
    requestID = body.native32(at: offset + 208)
    mode = body.byte(at: offset + 214)
    replayWindow = UInt32(body.byte(at: offset + 215))
    sent = 0
    received = 0
    for attribute in attributes {
      let value = attribute.value
      switch attribute.type {
      case TransformAttribute.aead:
        try attribute.require(atLeast: 72)
        let algorithm = value.prefix(64).prefix { $0 != 0 }
        cipher = AEADCipher.allCases.first { algorithm.elementsEqual($0.algorithm) }
      case TransformAttribute.replay:
        try attribute.require(atLeast: 12)
        sent = UInt64(value.native32(at: 0))
        received = UInt64(value.native32(at: 4))
      case TransformAttribute.extendedReplay:
        try attribute.require(atLeast: 24)
        sent = UInt64(value.native32(at: 12)) << 32 | UInt64(value.native32(at: 4))
        received = UInt64(value.native32(at: 16)) << 32 | UInt64(value.native32(at: 8))
        replayWindow = value.native32(at: 20)
      default: break
      }
    }
  }
}

/// Reads `struct xfrm_lifetime_cfg`.
func readLifetime(_ body: ArraySlice<UInt8>, at offset: Int) -> (soft: LifetimeLimits, hard: LifetimeLimits) {
  func limits(_ start: Int) -> LifetimeLimits {
    LifetimeLimits(
      bytes: body.native64(at: start), packets: body.native64(at: start + 16),
      secondsSinceAdded: body.native64(at: start + 32), secondsSinceUsed: body.native64(at: start + 48))
  }
  return (limits(offset), limits(offset + 8))
}
