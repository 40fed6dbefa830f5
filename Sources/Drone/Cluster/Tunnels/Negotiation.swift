import ControlChannel

/// Two associations that belong together.
struct Pair: Equatable, Sendable {
  let inbound: UInt32
  /// Nil after nothing was sent or received for long: the peer may still send.
  var outbound: UInt32?
  let since: UInt64
  var rekeyAt: UInt64
  var inboundPackets: UInt64 = 0
  var outboundPackets: UInt64 = 0
  /// When a packet was last seen to have come, to have gone.
  var heard: UInt64
  var spoke: UInt64
  /// When a silent peer is next asked for a new pair, and after how long it was asked the last time.
  var silentUntil: UInt64
  var silence: UInt64
}

/// A negotiation that this node began.
struct Attempt: Sendable {
  enum Stage: Sendable {
    case connecting
    case offered
    /// The peer accepted; the kernel is being given both associations.
    case installing(outbound: UInt32)
    /// Both stand; the peer has not confirmed its own.
    case confirming(outbound: UInt32)
  }

  let channel: UInt32
  let offer: TunnelOffer
  let deadline: UInt64
  var stage = Stage.connecting
}

/// A negotiation that the peer began.
struct Response: Sendable {
  enum Stage: Sendable {
    case installingInbound
    /// The inbound association stands, and the peer knows.
    case accepted
    case installingOutbound
  }

  let channel: UInt32
  let inbound: UInt32
  let outbound: UInt32
  let cipher: TunnelCipher
  let counter: UInt32
  let deadline: UInt64
  var stage = Stage.installingInbound
}

/// Everything about one peer. A reference: with many peers, what happens to one copies none.
final class Tunnel {
  var peer: TunnelPeer
  var current: Pair?
  /// Inbound associations that were replaced, and when they go.
  var draining: [(spi: UInt32, until: UInt64)] = []
  var attempt: Attempt?
  var response: Response?
  /// A new pair is needed as soon as `retryAt` allows.
  var isWanted = false
  var failures: UInt64 = 0
  /// How often a pair took the place of another.
  var renewals: UInt32 = 0
  /// Not before this time; nil for at once.
  var retryAt: UInt64?

  /// It is in the list of those that are not idle.
  var isActive = false

  /// The beginning of the peer's key, which tells nearly all apart.
  let key: UInt64

  init(_ peer: TunnelPeer) {
    self.peer = peer
    key = Tunnel.word(of: peer.fingerprint)
  }

  static func word(of fingerprint: [UInt8]) -> UInt64 { fingerprint.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

  var isIdle: Bool { current == nil && attempt == nil && response == nil && draining.isEmpty && !isWanted }

  func inbound(_ spi: UInt32) -> TunnelAssociation {
    TunnelAssociation(spi: spi, direction: .inbound, peer: peer.address)
  }

  func outbound(_ spi: UInt32) -> TunnelAssociation {
    TunnelAssociation(spi: spi, direction: .outbound, peer: peer.address)
  }

  /// When something is to be done for it without any event.
  var due: UInt64? {
    var due: UInt64?
    func consider(_ time: UInt64?) {
      guard let time else { return }
      due = min(due ?? time, time)
    }
    consider(attempt?.deadline)
    consider(response?.deadline)
    for (_, until) in draining { consider(until) }
    guard attempt == nil, response == nil else { return due }
    if isWanted { consider(retryAt ?? 0) }
    if let current, current.outbound != nil { consider(max(current.rekeyAt, retryAt ?? 0)) }
    return due
  }

  /// All that should be in the kernel or are being given to it.
  var associations: [TunnelAssociation] {
    var found = draining.map { inbound($0.spi) }
    if let current { found.append(inbound(current.inbound)) }
    if let attempt { found.append(inbound(attempt.offer.spi)) }
    if let response { found.append(inbound(response.inbound)) }
    return found + outboundSPIs.map { outbound($0) }
  }

  /// Whether packets from this peer carry this SPI, or will.
  func receives(by spi: UInt32) -> Bool {
    current?.inbound == spi || attempt?.offer.spi == spi || response?.inbound == spi
      || draining.contains { $0.spi == spi }
  }

  /// The SPIs of outbound associations that the kernel has or is being given.
  var outboundSPIs: [UInt32] {
    var found: [UInt32] = []
    if let outbound = current?.outbound { found.append(outbound) }
    switch attempt?.stage {
    case .installing(let outbound), .confirming(let outbound): found.append(outbound)
    default: break
    }
    if let response { found.append(response.outbound) }
    return found
  }
}
