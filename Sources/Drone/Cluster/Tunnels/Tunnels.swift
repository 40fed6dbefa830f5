import Addresses
import ControlChannel

/// The pairs of security associations between this node and its peers: made when the kernel asks, replaced before they wear
/// out, removed when nobody uses them or the peer is gone. It holds no socket, key or clock.
///
/// One negotiation takes one connection between two members, A (who offers) and B:
///
///     A → offer    B installs its inbound association
///     B → accept   A installs both
///     A → ready    B installs its outbound one
///     B → ready    both are done, and the connection ends
///
/// So nobody sends by an association that the other one has not got. A replaced outbound association goes at once, a
/// replaced inbound one some seconds later. Of two simultaneous offers that of the lower id wins.
///
/// Whoever drives it calls `add` and `remove` for its peers, `receive…` for what happens and `step` when `nextDue` has come, and
/// performs the commands that each call gives. Connections have numbers: those that `connect` names are odd, those that came in
/// even.
public final class Tunnels {
  /// This node's; it may change when another node has the same one.
  public var id: UInt16
  public let fingerprint: [UInt8]
  public let settings: TunnelSettings
  /// In the order of preference.
  public let ciphers: [TunnelCipher]

  private(set) var tunnels: [UInt16: Tunnel] = [:]
  /// Those that are not idle: with many peers most are.
  private(set) var active: [Tunnel] = []
  /// Ids by address and by key: at most one peer has each.
  private var byAddress: [UInt32: UInt16] = [:]
  private var byKey: [[UInt8]: UInt16] = [:]
  /// Those that negotiate, by the number of the connection.
  var byChannel: [UInt32: Tunnel] = [:]
  /// What is asked for in the call that is under way.
  var commands: [TunnelCommand] = []
  var nextObservation: UInt64?
  /// When `step` is due without any event; nil when only an event can change something.
  public private(set) var nextDue: UInt64?
  private var nextChannel: UInt32 = 1
  private var negotiations: UInt32 = 0
  private var randomState: UInt64

  /// Negotiations that this node began; those that led to a pair, whoever began them; those that failed.
  public internal(set) var begun: UInt64 = 0
  public internal(set) var completed: UInt64 = 0
  /// Those of `completed` that replaced a pair.
  public internal(set) var renewed: UInt64 = 0
  public internal(set) var failed: UInt64 = 0

  /// - Parameter seed: any number, another one each time: SPIs and back-off follow from it.
  public init(
    id: UInt16, fingerprint: [UInt8], ciphers: [TunnelCipher] = TunnelCipher.allCases,
    settings: TunnelSettings = TunnelSettings(), seed: UInt64
  ) {
    self.id = id
    self.fingerprint = fingerprint
    self.ciphers = ciphers
    self.settings = settings
    randomState = seed
  }

  /// Ends a call of the driver's: what was asked for in it.
  func finish() -> [TunnelCommand] {
    for tunnel in active where tunnel.isIdle { tunnel.isActive = false }
    active.removeAll { !$0.isActive }
    nextDue = earliestDue
    var done: [TunnelCommand] = []
    swap(&done, &commands)
    return done
  }

  func activate(_ tunnel: Tunnel) {
    guard !tunnel.isActive else { return }
    tunnel.isActive = true
    active.append(tunnel)
  }

  // MARK: Peers

  /// All peers, in the order of ids.
  public var peers: [TunnelPeer] { tunnels.values.map { $0.peer }.sorted { $0.id < $1.id } }

  public var count: Int { tunnels.count }

  /// Active ones of a kind, in the order of ids.
  func active(where isIncluded: (Tunnel) -> Bool) -> [Tunnel] {
    active.filter(isIncluded).sorted { $0.peer.id < $1.peer.id }
  }

  public func peer(fingerprint: [UInt8]) -> TunnelPeer? {
    byKey[fingerprint].flatMap { tunnels[$0]?.peer }
  }

  public func peer(_ id: UInt16) -> TunnelPeer? { tunnels[id]?.peer }

  /// Whether a member with this id and address would take no other one's place.
  public func hasPlace(for id: UInt16, at address: IPv4Address) -> Bool { tunnels[id] == nil && !hasPeer(at: address) }

  /// Whether ESP is demanded of what comes from this address, because a live member has it.
  public func hasPeer(at address: IPv4Address) -> Bool { byAddress[address.bits] != nil }

  func tunnel(at address: IPv4Address) -> Tunnel? { byAddress[address.bits].flatMap { tunnels[$0] } }

  /// Peers to which packets can go now.
  public var established: Int { active.reduce(0) { $0 + ($1.current?.outbound == nil ? 0 : 1) } }

  /// Peers with associations that are in use, in no order; `renewals`: how often they were replaced since this peer is known.
  public var pairs: [(peer: TunnelPeer, inbound: UInt32, outbound: UInt32?, renewals: UInt32)] {
    active.compactMap { tunnel in
      tunnel.current.map { (tunnel.peer, $0.inbound, $0.outbound, tunnel.renewals) }
    }
  }

  /// All associations that should be in the kernel or are being given to it.
  public var associations: [TunnelAssociation] {
    var found: [TunnelAssociation] = []
    for tunnel in active { found += tunnel.associations }
    return found
  }

  /// A member is alive, or is known by another address or key. Its policy stands in the kernel. Where another one has its id, as
  /// two that joined in two places at once may for a moment, the first stays and the second has to be added again.
  public func add(_ peer: TunnelPeer, at now: UInt64) -> [TunnelCommand] {
    place(peer, at: now)
    return finish()
  }

  private func place(_ peer: TunnelPeer, at now: UInt64) {
    guard peer.id != id, peer.fingerprint != fingerprint else { return }
    if let holder = tunnels[peer.id]?.peer {
      guard holder != peer, holder.address == peer.address || holder.fingerprint == peer.fingerprint else { return }
    }
    let former = tunnel(at: peer.address)
    drop(peer.id)
    if let former, former.peer.fingerprint == peer.fingerprint {
      // The same node under another id: its associations do not depend on that.
      tunnels[former.peer.id] = nil
      former.peer = peer
      return place(former)
    }
    if let other = byAddress[peer.address.bits] { drop(other) }
    if let other = byKey[peer.fingerprint] { drop(other) }
    let tunnel = Tunnel(peer)
    if id > peer.id { tunnel.retryAt = now &+ settings.courtesy }
    place(tunnel)
  }

  private func place(_ tunnel: Tunnel) {
    tunnels[tunnel.peer.id] = tunnel
    byAddress[tunnel.peer.address.bits] = tunnel.peer.id
    byKey[tunnel.peer.fingerprint] = tunnel.peer.id
  }

  /// A member is dead, left or was removed: nothing of it stays.
  public func remove(_ peer: UInt16) -> [TunnelCommand] {
    drop(peer)
    return finish()
  }

  private func drop(_ peer: UInt16) {
    guard let tunnel = tunnels.removeValue(forKey: peer) else { return }
    byAddress[tunnel.peer.address.bits] = nil
    byKey[tunnel.peer.fingerprint] = nil
    let associations = tunnel.associations
    active.removeAll { $0 === tunnel }
    closeAttempt(of: tunnel)
    closeResponse(of: tunnel)
    for association in associations { commands.append(.remove(association)) }
    commands.append(.removeLarval(tunnel.peer.address))
  }

  // MARK: The kernel

  /// The kernel has a packet for an address and no association (XFRM_MSG_ACQUIRE).
  public func receiveAcquire(_ address: IPv4Address, at now: UInt64) -> [TunnelCommand] {
    guard let tunnel = tunnel(at: address) else { return [] }
    activate(tunnel)
    if let pair = tunnel.current, pair.outbound != nil, now &- pair.since < settings.echo { return [] }
    tunnel.isWanted = true
    negotiate(tunnel, at: now)
    return finish()
  }

  /// An association came to its soft limit, or to its hard one and is gone (XFRM_MSG_EXPIRE).
  public func receiveExpiry(
    of spi: UInt32, peer address: IPv4Address, isHard: Bool, at now: UInt64
  ) -> [TunnelCommand] {
    guard let tunnel = tunnel(at: address) else { return [] }
    if isHard { tunnel.draining.removeAll { $0.spi == spi } }
    if let pair = tunnel.current, pair.inbound == spi || pair.outbound == spi {
      if isHard { retire(tunnel, at: now) }
      tunnel.isWanted = true
    }
    negotiate(tunnel, at: now)
    return finish()
  }

  /// Adopts what a former run of the program left in the kernel. All peers have been added. What stands continues to be
  /// used, but new pairs are negotiated: the former run may have ended in the middle of a negotiation.
  public func resume(_ uses: [AssociationUse], at now: UInt64) -> [TunnelCommand] {
    for tunnel in tunnels.values { activate(tunnel) }
    for tunnel in active(where: { _ in true }) {
      let ours = uses.filter { $0.association.peer == tunnel.peer.address }.sorted { $0.installed > $1.installed }
      let inbound = ours.filter { $0.association.direction == .inbound }
      let outbound = ours.filter { $0.association.direction == .outbound }
      for use in inbound.dropFirst() { tunnel.draining.append((use.association.spi, now &+ settings.drain)) }
      if let first = inbound.first {
        for use in outbound.dropFirst() { commands.append(.remove(use.association)) }
        tunnel.current = newPair(
          inbound: first.association.spi, outbound: outbound.first?.association.spi, offered: true, at: now)
        tunnel.current?.inboundPackets = first.packets
        tunnel.current?.outboundPackets = outbound.first?.packets ?? 0
        tunnel.isWanted = true
      } else {
        for use in outbound { commands.append(.remove(use.association)) }
      }
      negotiate(tunnel, at: now)
    }
    removeStrays(uses)
    nextObservation = now &+ settings.observation
    return finish()
  }

  /// Removes what is in the kernel and nobody here knows.
  func removeStrays(_ uses: [AssociationUse]) {
    guard !uses.isEmpty else { return }
    let known = associations
    let doomed = commands
    for use in uses where !known.contains(use.association) && !doomed.contains(.remove(use.association)) {
      commands.append(.remove(use.association))
    }
  }

  // MARK: Shared by negotiation and upkeep

  func newPair(inbound: UInt32, outbound: UInt32?, offered: Bool, at now: UInt64) -> Pair {
    let life = offered ? settings.rekeyAfter : settings.rekeyAfter &+ settings.rekeyAfter / 10
    return Pair(
      inbound: inbound, outbound: outbound, since: now, rekeyAt: now &+ life, heard: now, spoke: now,
      silentUntil: now &+ settings.silence, silence: settings.silence)
  }

  /// Retires the current pair: nothing is sent by it any longer, and what arrives is accepted for a while.
  func retire(_ tunnel: Tunnel, at now: UInt64) {
    guard let pair = tunnel.current else { return }
    if let outbound = pair.outbound { commands.append(.remove(tunnel.outbound(outbound))) }
    tunnel.draining.append((pair.inbound, now &+ settings.drain))
    tunnel.current = nil
  }

  func newChannel() -> UInt32 {
    defer { nextChannel &+= 2 }
    return nextChannel
  }

  func nextCounter() -> UInt32 {
    defer { negotiations &+= 1 }
    return negotiations
  }

  /// An SPI that no association of this node has; 0–255 are reserved (RFC 4303 §2.1).
  func newSPI() -> UInt32 {
    while true {
      let spi = UInt32(truncatingIfNeeded: random())
      if spi >= 256, !active.contains(where: { $0.receives(by: spi) }) { return spi }
    }
  }

  /// SplitMix64 (Steele, Lea and Flood 2014): SPIs need not be secret.
  func random() -> UInt64 {
    randomState &+= 0x9E37_79B9_7F4A_7C15
    var mixed = randomState
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
