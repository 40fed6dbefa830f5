import Addresses
import ChannelFailure
import ControlChannel
import LocalOrders
import MachineReadings
import Membership
import Surveys
import Tunnels

/// What a node is by, before it has said a word.
public struct NodeIdentity: Sendable {
  /// The fingerprints of the cluster's authority and of this node's key, 32 bytes each.
  public var cluster: [UInt8]
  public var key: [UInt8]
  /// The key's fingerprint as the operator is to type it.
  public var keyText: [UInt8] = []
  /// It holds the authority's key.
  public var canCertify: Bool
  /// It has a certificate of the authority.
  public var isMember: Bool
  /// False with `-c off`.
  public var isEncrypted = true
  /// A full Linux, which cuts members' other addresses off.
  public var cutsOff = false
  /// Members are joined at this address; nil for any that answers.
  public var contact: IPv4Address?
  /// It does not give up joining.
  public var isPatient = false

  public init(cluster: [UInt8], key: [UInt8], canCertify: Bool, isMember: Bool) {
    self.cluster = cluster
    self.key = key
    self.canCertify = canCertify
    self.isMember = isMember
  }
}

/// One node of the cluster: what follows from what it is told. It holds no socket, key, clock or kernel.
///
/// Whoever drives it calls `receive…` for what happens and `step` when `nextDue` has come, and carries out the commands that each
/// call gives, as `NodeCommand` says. Inside are the members (`Membership`), what the kernel lets pass (`Peers`, with `Tunnels`),
/// connections by their channel's number, who may join (`Admission`), this node's own way in (`Joining`), and the
/// questions about processes.
///
///     var core = NodeCore(record, identity, settings, now: now, seed: seed)
///     perform(core.join(at: now))          // or core.enter(at: now): the first node of a cluster
///     perform(core.receive(datagram, from: address, at: now))
public struct NodeCore {
  public internal(set) var identity: NodeIdentity
  public internal(set) var membership: Membership
  public internal(set) var peers: Peers
  public internal(set) var admission: Admission
  /// Nil once it is in.
  public internal(set) var joining: Joining?
  public internal(set) var refusals = Refusals()
  public internal(set) var processes = ProcessQuestions()
  /// What is said to be the time, in seconds since 1970.
  public var seconds: UInt64 = 0

  var calls: [UInt32: Call] = [:]
  /// Of members whose place in the kernel is being made.
  var offers: [(channel: UInt32, offer: TunnelOffer)] = []
  var orders: [UInt32: OrderCall] = [:]
  var answers = DiscoveryAllowance()
  /// Nothing of this node is given to others any longer.
  var isEnding = false
  private var keepDue: UInt64?
  private var nextIncoming: UInt32 = 2
  /// For connections of this node's own beside the tunnels': even as well, but from the upper half.
  private var nextOwn: UInt32 = 0x8000_0000
  private var nextOrder: UInt32 = 1

  /// - Parameters:
  ///   - own: this node's record; its first address is the one in the cluster.
  ///   - seed: any number, another one each time.
  public init(
    _ own: NodeRecord, _ identity: NodeIdentity, ciphers: [TunnelCipher] = TunnelCipher.allCases,
    settings: TunnelSettings = TunnelSettings(), now: UInt64, seed: UInt64
  ) {
    self.init(
      Membership(own, cluster: NodeCore.cluster(identity), now: now, seed: seed), identity, ciphers: ciphers,
      settings: settings, seed: seed)
  }

  /// - Parameter membership: what this node knows already.
  package init(
    _ membership: Membership, _ identity: NodeIdentity, ciphers: [TunnelCipher] = TunnelCipher.allCases,
    settings: TunnelSettings = TunnelSettings(), seed: UInt64
  ) {
    self.identity = identity
    self.membership = membership
    admission = Admission(canCertify: identity.canCertify)
    let tunnels = Tunnels(
      id: membership.own.id, fingerprint: identity.key, ciphers: ciphers, settings: settings, seed: seed &+ 1)
    peers = Peers(
      tunnels, own: membership.own.addresses.primary, isEncrypted: identity.isEncrypted, cutsOff: identity.cutsOff)
    peers.ownAddresses = membership.own.allAddresses
  }

  /// The identifier of the cluster whose authority has this fingerprint.
  public static func cluster(_ identity: NodeIdentity) -> ClusterIdentifier {
    ClusterIdentifier(Fingerprint(bytes: identity.cluster) ?? Fingerprint(0, 0, 0, 0))
  }

  public var tunnels: Tunnels { peers.tunnels }
  /// It is in the cluster.
  public var isIn: Bool { joining == nil }

  // MARK: Time

  /// When `step` is to be called whatever happens.
  public func nextDue(at now: UInt64) -> UInt64 {
    var due = membership.nextWakeUp
    for time in [peers.tunnels.nextDue, processes.nextDue(at: now), keepDue, joining?.due] {
      if let time { due = min(due, time) }
    }
    for call in calls.values { due = min(due, call.conversation.deadline) }
    for order in orders.values { due = min(due, order.deadline) }
    return due
  }

  /// Does what is due. All that waits in sockets has been handed over before, since it may be what would be missed.
  public mutating func step(at now: UInt64) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    for channel in calls.keys.sorted() {
      guard let call = calls[channel], call.conversation.deadline <= now else { continue }
      commands.append(.drop(channel: channel))
      commands += receiveEnd(of: channel, .tooSlow, at: now)
    }
    for number in orders.keys.sorted() where orders[number]?.isOver(at: now) == true {
      orders[number] = nil
      commands.append(.endOrder(number))
    }
    if membership.nextWakeUp <= now { commands += follow(membership.tick(now: now), at: now) }
    if let due = peers.tunnels.nextDue, due <= now { peers.tunnels.step(at: now) }
    commands += takeTunnelCommands(at: now)
    commands += stepProcesses(at: now)
    if let due = joining?.due, due <= now { commands += follow(joining?.step(at: now) ?? [], at: now) }
    if let due = keepDue, due <= now {
      keepDue = nil
      commands.append(.keepMap)
    }
    return commands
  }

  mutating func keepSoon(at now: UInt64) { keepDue = keepDue ?? now &+ 1000 }

  // MARK: Numbers

  mutating func incomingChannel() -> UInt32 {
    defer { nextIncoming = (nextIncoming &+ 2) & 0x7FFF_FFFE }
    return nextIncoming
  }

  mutating func ownChannel() -> UInt32 {
    defer { nextOwn = (nextOwn &+ 2) | 0x8000_0000 }
    return nextOwn
  }

  mutating func orderNumber() -> UInt32 {
    defer { nextOrder &+= 1 }
    return nextOrder
  }
}
