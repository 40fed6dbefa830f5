import Addresses
import Bytes
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
  /// For so many milliseconds nothing goes in clear to an address that a member had; 0: it is like any other at once.
  public var keepFor: UInt64 = 24 * 3600 * 1000
  /// Members are joined at this address; nil for any that answers.
  public var contact: IPv4Address?
  /// It does not give up joining.
  public var isPatient = false
  /// Who may remove nodes; on a node with the authority's key it can.
  public var removalAuthority = RemovalAuthority.nobody

  public init(cluster: [UInt8], key: [UInt8], canCertify: Bool, isMember: Bool) {
    self.cluster = cluster
    self.key = key
    self.canCertify = canCertify
    self.isMember = isMember
  }
}

/// One node of the cluster: what follows from what it is told. It holds no socket, key, clock or kernel.
///
/// Whoever drives it calls `receive…` for what happens and `step` when `nextDue` has come, and performs the commands that each
/// call gives, as `NodeCommand` says. There is one of it for each node, so it is a reference: its members and tunnels are
/// kilobytes that nobody need copy. Inside are the members (`Membership`), what the kernel lets pass (`Peers`, with `Tunnels`),
/// connections by their channel's number, who may join (`Admission`), this node's own way in (`Joining`), and the
/// questions about processes (`Surveys`).
///
///     let core = NodeCore(record, identity, settings, now: now, seed: seed)
///     perform(core.join(at: now))          // or core.enter(at: now): the first node of a cluster
///     perform(core.receive(datagram, from: address, at: now))
public final class NodeCore {
  public internal(set) var identity: NodeIdentity
  public internal(set) var membership: Membership
  public internal(set) var peers: Peers
  var reception: Reception
  /// Nil once it is in.
  public internal(set) var joining: Joining?
  /// Of its last connection: the end of one before says nothing of who is asked now.
  var joiningChannel: UInt32?
  public internal(set) var surveys = Surveys()
  /// What is said to be the time, in seconds since 1970.
  public var seconds: UInt64 = 0

  var calls = CallList()
  var orders = OrderList()
  /// Nothing of this node is given to others any longer.
  var isEnding = false
  /// What is asked for in the call that is under way.
  var commands: [NodeCommand] = []
  private var keepDue: UInt64?

  /// - Parameters:
  ///   - own: this node's record; its first address is the one in the cluster.
  ///   - seed: any number, another one each time.
  public convenience init(
    _ own: NodeRecord, _ identity: NodeIdentity, ciphers: [TunnelCipher] = TunnelCipher.allCases,
    settings: TunnelSettings = TunnelSettings(), now: UInt64, seed: UInt64
  ) {
    self.init(
      Membership(
        own, cluster: NodeCore.cluster(identity), authority: identity.removalAuthority, at: now, seed: seed), identity,
      ciphers: ciphers,
      settings: settings, seed: seed)
  }

  /// - Parameter membership: what this node knows already.
  package init(
    _ membership: Membership, _ identity: NodeIdentity, ciphers: [TunnelCipher] = TunnelCipher.allCases,
    settings: TunnelSettings = TunnelSettings(), seed: UInt64
  ) {
    self.identity = identity
    self.membership = membership
    reception = Reception(canCertify: identity.canCertify)
    let tunnels = Tunnels(
      id: membership.own.id, fingerprint: identity.key, ciphers: ciphers, settings: settings, seed: seed &+ 1)
    peers = Peers(
      tunnels, own: membership.own.addresses.primary, isEncrypted: identity.isEncrypted, cutsOff: identity.cutsOff,
      keepFor: identity.keepFor)
    peers.ownAddresses = membership.own.allAddresses
  }

  /// The identifier of the cluster whose authority has this fingerprint.
  public static func cluster(_ identity: NodeIdentity) -> ClusterIdentifier {
    ClusterIdentifier(Fingerprint(bytes: identity.cluster) ?? .none)
  }

  /// Who may join.
  public var admission: Admission { reception.admission }

  /// How often others were turned away, and why.
  public var refusals: Refusals { reception.refusals }

  /// It is in the cluster.
  public var isIn: Bool { joining == nil }

  // MARK: Time

  /// When `step` is to be called whatever happens.
  public var nextDue: UInt64 {
    var due = min(membership.nextDue, min(calls.nextDue, orders.nextDue))
    due = min(due, peers.tunnels.nextDue ?? .max)
    due = min(due, peers.nextDue ?? .max)
    due = min(due, surveys.nextDue ?? .max)
    due = min(due, joining?.nextDue ?? .max)
    due = min(due, reception.nextDue ?? .max)
    return min(due, keepDue ?? .max)
  }

  /// Does what is due. All that waits in sockets has been handed over before, since it may be what would be missed.
  public func step(at now: UInt64) -> [NodeCommand] {
    if calls.nextDue <= now { stepCalls(at: now) }
    if orders.nextDue <= now { stepOrders(at: now) }
    if membership.nextDue <= now { perform(membership.step(at: now), at: now) }
    if let due = peers.tunnels.nextDue, due <= now { perform(peers.tunnels.step(at: now), at: now) }
    if let due = peers.nextDue, due <= now { commands += peers.step(membership, at: now) }
    stepSurveys(at: now)
    if let due = joining?.nextDue, due <= now { perform(joining?.step(at: now) ?? [], at: now) }
    commands += reception.step(at: now)
    if let due = keepDue, due <= now {
      keepDue = nil
      commands.append(.keepMap)
    }
    return finish()
  }

  /// Ends a call of the driver's: what was asked for in it.
  func finish() -> [NodeCommand] {
    var done: [NodeCommand] = []
    swap(&done, &commands)
    return done
  }

  func keepSoon(at now: UInt64) { keepDue = keepDue ?? now &+ 1000 }
}
