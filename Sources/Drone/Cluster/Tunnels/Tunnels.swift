import Addresses
import Bytes
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

  /// In the order of ids, which no two have; no two have an address or a key in common either.
  private(set) var tunnels: [Tunnel] = []
  /// The beginnings of their keys, in the same order: with many peers it is these that are looked through.
  private var keys: [UInt64] = []
  private var addresses = AddressIndex()
  /// Those that are not idle, in the order of ids: with many peers most are.
  private(set) var active: [Tunnel] = []
  /// What is asked for in the call that is under way.
  var commands: [TunnelCommand] = []
  var nextObservation: UInt64?
  /// When `step` is due without any event; nil when only an event can change something.
  public private(set) var nextDue: UInt64?
  private var nextChannel: UInt32 = 1
  private var negotiations: UInt32 = 0
  /// SPIs and the length of a back-off need not be secret.
  var random: SplitMix64

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
    random = SplitMix64(seed: seed)
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
    active.insert(tunnel, at: Tunnels.place(of: tunnel.peer.id, in: active))
  }

  // MARK: Peers

  /// All peers, in the order of ids.
  public var peers: [TunnelPeer] { tunnels.map { $0.peer } }

  public var count: Int { tunnels.count }

  public func peer(_ id: UInt16) -> TunnelPeer? { tunnel(id)?.peer }

  public func peer(at address: IPv4Address) -> TunnelPeer? { tunnel(at: address)?.peer }

  /// Whether a member with this id and address would take no other one's place.
  public func hasPlace(for id: UInt16, at address: IPv4Address) -> Bool { tunnel(id) == nil && !hasPeer(at: address) }

  /// Whether ESP is demanded of what comes from this address, because a live member has it.
  public func hasPeer(at address: IPv4Address) -> Bool { addresses.id(at: address) != nil }

  /// Whether packets go to this address, or have gone lately, by a tunnel that stands.
  public func isConnected(_ address: IPv4Address) -> Bool { tunnel(at: address)?.current != nil }

  /// The first place from which on ids are not less.
  private static func place(of id: UInt16, in tunnels: [Tunnel]) -> Int {
    var (low, high) = (0, tunnels.count)
    while low < high {
      let middle = (low + high) / 2
      if tunnels[middle].peer.id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func tunnel(_ id: UInt16) -> Tunnel? {
    let place = Tunnels.place(of: id, in: tunnels)
    return place < tunnels.count && tunnels[place].peer.id == id ? tunnels[place] : nil
  }

  func tunnel(at address: IPv4Address) -> Tunnel? { addresses.id(at: address).flatMap { tunnel($0) } }

  /// The one that negotiates over a connection.
  func tunnel(over channel: UInt32) -> Tunnel? {
    active.first { $0.attempt?.channel == channel || $0.response?.channel == channel }
  }

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
    if let holder = self.peer(peer.id) {
      guard holder != peer, holder.address == peer.address || holder.fingerprint == peer.fingerprint else { return }
    }
    let former = tunnel(at: peer.address)
    drop(peer.id)
    if let former, former.peer.fingerprint == peer.fingerprint {
      // The same node under another id: its associations do not depend on that.
      take(former)
      former.peer = peer
      return place(former)
    }
    if let other = addresses.id(at: peer.address) { drop(other) }
    let tunnel = Tunnel(peer)
    for place in keys.indices where keys[place] == tunnel.key && tunnels[place].peer.fingerprint == peer.fingerprint {
      drop(tunnels[place].peer.id)
      break
    }
    if id > peer.id { tunnel.retryAt = now &+ settings.courtesy }
    place(tunnel)
  }

  private func place(_ tunnel: Tunnel) {
    let place = Tunnels.place(of: tunnel.peer.id, in: tunnels)
    tunnels.insert(tunnel, at: place)
    keys.insert(tunnel.key, at: place)
    addresses.insert(tunnel.peer.id, at: tunnel.peer.address)
    if !tunnel.isIdle { activate(tunnel) }
  }

  private func take(_ tunnel: Tunnel) {
    let place = Tunnels.place(of: tunnel.peer.id, in: tunnels)
    guard place < tunnels.count, tunnels[place] === tunnel else { return }
    tunnels.remove(at: place)
    keys.remove(at: place)
    if tunnel.isActive { active.removeAll { $0 === tunnel } }
    tunnel.isActive = false
    addresses.remove(tunnel.peer.address)
  }

  /// A member is dead, left or was removed: nothing of it stays.
  public func remove(_ peer: UInt16) -> [TunnelCommand] {
    drop(peer)
    return finish()
  }

  private func drop(_ peer: UInt16) {
    guard let tunnel = tunnel(peer) else { return }
    take(tunnel)
    let associations = tunnel.associations
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
    for tunnel in tunnels {
      // The newest are used, inbound ones that are older drained.
      var (inbound, outbound): (AssociationUse?, AssociationUse?)
      for use in uses where use.association.peer == tunnel.peer.address {
        if use.association.direction == .inbound {
          let older = inbound.map { $0.installed > use.installed ? use : $0 }
          if let older { tunnel.draining.append((older.association.spi, now &+ settings.drain)) }
          if older?.association != use.association { inbound = use }
        } else {
          let older = outbound.map { $0.installed > use.installed ? use : $0 }
          if let older { commands.append(.remove(older.association)) }
          if older?.association != use.association { outbound = use }
        }
      }
      if let inbound {
        tunnel.current = newPair(
          inbound: inbound.association.spi, outbound: outbound?.association.spi, offered: true, at: now)
        tunnel.current?.inboundPackets = inbound.packets
        tunnel.current?.outboundPackets = outbound?.packets ?? 0
        tunnel.isWanted = true
        activate(tunnel)
        negotiate(tunnel, at: now)
      } else if let outbound {
        commands.append(.remove(outbound.association))
      }
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
      let spi = UInt32(truncatingIfNeeded: random.next())
      if spi >= 256, !active.contains(where: { $0.receives(by: spi) }) { return spi }
    }
  }
}
