import Addresses
import Bytes

/// What a node comes to know of others, or of itself.
public enum MembershipNews: Equatable, Sendable {
  /// A member is there that was not: it needs a policy and its place in the filter.
  case joined(NodeRecord)
  /// What changes rarely has changed: addresses after a new lease, id, key after a reboot. Tunnels made with another
  /// fingerprint, and policies for addresses that are gone, have to go.
  case changed(NodeRecord, from: NodeRecord)
  /// It does not answer, and is dead soon if it stays so.
  case suspected(NodeRecord)
  /// It was suspected and has spoken up.
  case cleared(NodeRecord)
  case died(NodeRecord)
  case left(NodeRecord)
  /// Thrown out by an operator. When it is this node's own record, this node is out.
  case removed(NodeRecord)
  /// May join again.
  case allowed(MACAddress, Fingerprint)
  /// Another node with this one's MAC has joined with another key; this node is out.
  case replaced(by: NodeRecord)
}

/// What the driver of `Membership` has to do, in this order.
public enum MembershipCommand: Equatable, Sendable {
  /// Send this to UDP port 3278, through ESP.
  case send([UInt8], to: IPv4Address)
  case report(MembershipNews)
  /// Perhaps this dead node is there again, in the other half of what was one cluster: try the control channel, and exchange
  /// maps both ways. Nothing need be done when it cannot be reached.
  case reconnect(NodeRecord)
}

/// Who is in the cluster, as one node sees it: failure detection by probes, suspicion with incarnations, and gossip, after
/// SWIM (Das, Gupta and Motivala 2002) and Lifeguard (Dadgar, Phillips and Currey 2018), shaped for tunnels: a node speaks only
/// with twelve neighbours as long as nothing happens. See `Timing` for the arithmetic and `MemberTable` for the neighbours.
///
/// It holds no socket and no clock. Its driver hands in the time and every datagram from UDP port 3278, calls `step` when
/// `nextDue` has come (after all waiting datagrams, since they may be the answers that it would miss), and performs
/// the commands that every call returns, in their order.
///
///     var membership = Membership(own, cluster: cluster, at: now, seed: seed)
///     let commands = try membership.join(map: answer, at: now)   // or not at all: the first node of a cluster
///
/// Joining: the new node is admitted over the control channel, gets the map of the member there (`map`) and hands it to `join`;
/// then it sends `ownMap` over the same channel, which the member hands to `receive`.
/// `MembershipCommand.reconnect` is answered by the same exchange with `map` both ways: the one that was called speaks first, so that the caller has objected to being called dead
/// before its own turn comes. In every handshake for a tunnel the caller gives its `ownMap`; whoever is called merges it if it
/// knows no live member there.
public struct Membership {
  /// What came in and was not used, and what went by.
  public struct Counters: Equatable, Sendable {
    /// Another cluster's.
    public var foreign: UInt32 = 0
    public var malformed: UInt32 = 0
    /// From removed nodes.
    public var forbidden: UInt32 = 0
    public var received: UInt32 = 0
    public var sent: UInt32 = 0
    /// Nodes that found no place.
    public var refused: UInt32 = 0
    /// Records of nodes that speak in clear where this one does not, or the other way round.
    public var otherProtection: UInt32 = 0
    /// Removals, and ends of them, that the authority did not sign.
    public var unproven: UInt32 = 0
    /// Members that were found dead.
    public var deaths: UInt32 = 0
  }

  var view: MemberView
  var probing: Probing
  var comparison = Comparison()
  var reunions: Reunions
  /// Who told removals that nobody signed, and until when none of theirs is looked at.
  var forgers = ForgerList()
  private var nextVitals: UInt64
  private var nextSweep: UInt64
  /// When `step` is due, in milliseconds; `UInt64.max` when nothing is left to do.
  public private(set) var nextDue: UInt64

  /// A cluster of this node alone.
  ///
  /// - Parameters:
  ///   - own: this node. An id of 0 stands for the low 16 bits of its address.
  ///   - authority: who may remove nodes.
  ///   - seed: anything that differs from node to node.
  public init(
    _ own: NodeRecord, cluster: ClusterIdentifier, authority: RemovalAuthority = .nobody, at now: UInt64, seed: UInt64
  ) {
    var own = own
    if own.id == 0 { own.id = Membership.wantedID(own) }
    own.incarnation = min(own.incarnation, NodeRecord.largestIncarnation)
    view = MemberView(own, cluster: cluster, authority: authority, at: now, seed: seed)
    probing = Probing(&view.random, at: now)
    nextVitals = now &+ view.random.next(below: Timing.vitals(nodes: 1))
    reunions = Reunions(&view.random, at: now)
    nextSweep = now &+ Timing.sweep
    nextDue = now
    schedule()
  }

  // MARK: What is known

  public var cluster: ClusterIdentifier { view.cluster }
  public var own: NodeRecord { view.record(MemberTable.own) }
  public var ownID: NodeID { view.table[MemberTable.own].record.id }
  public var ownMAC: MACAddress { view.table[MemberTable.own].record.mac }

  /// How many nodes are members, this one included.
  public var liveCount: Int { view.table.liveCount }

  /// The record of the live member with this id.
  public func member(_ id: NodeID) -> NodeRecord? { view.table.live(id).map(view.record) }

  /// The live member whose datagrams come from this address.
  public func member(at address: IPv4Address) -> NodeRecord? { view.member(at: address) }

  /// The live members beside this node whose id and address are such.
  public func others(where isIncluded: (NodeID, IPv4Address) -> Bool) -> [NodeRecord] {
    var found: [NodeRecord] = []
    for slot in view.table.slots(from: 1) where view.table[slot].state.isLive {
      let (id, address) = (view.table[slot].record.id, view.table[slot].record.addresses.primary)
      if isIncluded(id, address) { found.append(view.record(slot)) }
    }
    return found
  }

  /// Whether a live member has this address, another machine than `mac`.
  public func isTaken(_ address: InternetAddress, byOtherThan mac: MACAddress) -> Bool {
    view.table.isTaken(address, byOtherThan: mac)
  }

  /// Every node that is remembered, this one first, with what is believed of it.
  public func forEach(_ body: (NodeRecord, NodeState) -> Void) {
    for slot in view.table.slots() { body(view.record(slot), view.table[slot].state) }
  }

  public func state(of mac: MACAddress) -> NodeState? { view.table.slot(mac).map { view.table[$0].state } }

  public func record(of mac: MACAddress) -> NodeRecord? { view.table.slot(mac).map(view.record) }

  /// Whether a machine or a key was removed, and must not be let in.
  public func isRemoved(_ mac: MACAddress, _ fingerprint: Fingerprint) -> Bool {
    view.removals.forbids(mac, fingerprint)
  }

  /// Every node that was removed and not allowed again, with the address at which it was last known, if it was.
  public func forEachRemoved(_ body: (NodeID, Fingerprint, IPv4Address?) -> Void) {
    for (index, entry) in view.removals.entries.enumerated() where entry.isInForce {
      let address = view.removals.addresses[index]
      body(entry.id, entry.fingerprint, address == .unspecified ? nil : address)
    }
  }

  /// The memory of this node's knowledge in bytes, by the sizes of its parts.
  public var bytes: Int { view.bytes + probing.bytes + reunions.bytes }

  /// What came in and was not used, and what went by.
  public var counters: Counters { view.counters }

  /// False after `leave`, after this node was removed, and after another took its place: nothing is sent any longer.
  public var isActive: Bool { view.isActive }

  static func wantedID(_ record: NodeRecord) -> NodeID {
    let low = UInt16(truncatingIfNeeded: record.addresses.primary.bits)
    return low == 0 ? 1 : low
  }

  // MARK: Every call

  /// Does what is due.
  public mutating func step(at now: UInt64) -> [MembershipCommand] {
    begin(now)
    if view.isActive { advance() }
    return finish()
  }

  /// Sets the clock. After a time in which the process stood still, or the machine slept, nobody is blamed for silence.
  mutating func begin(_ time: UInt64) {
    view.now = max(view.now, time)
    let now = view.now
    guard now > nextDue, now - nextDue > Timing.stall else { return }
    // And what waits unread in the socket comes in first.
    let lost = now - nextDue &+ Timing.direct
    probing.postpone(by: lost, to: now)
    view.suspicions.postpone(by: lost)
    view.reconnections.postpone(by: lost)
    view.neighbours.postpone(by: lost)
    // So that the same pause is not found again by the next call.
    nextVitals = max(nextVitals, now)
    view.nextFlush = max(view.nextFlush, now)
    reunions.postpone(to: now)
    nextSweep = max(nextSweep, now)
  }

  mutating func finish() -> [MembershipCommand] {
    view.finish()
    probing.forgetLost(&view)
    schedule()
    var done: [MembershipCommand] = []
    swap(&done, &view.commands)
    return done
  }

  private mutating func schedule() {
    guard view.isActive else {
      nextDue = .max
      return
    }
    nextDue = min(view.nextFlush, min(nextVitals, min(reunions.nextDue, nextSweep)))
    nextDue = min(nextDue, min(view.suspicions.nextDue, view.reconnections.nextDue))
    nextDue = min(nextDue, probing.nextDue(view))
  }

  private mutating func advance() {
    let now = view.now
    probing.advance(&view)
    view.advanceSuspicions()
    probing.forgetLost(&view)
    probing.watch(&view)
    if now >= nextVitals {
      nextVitals = Timing.next(nextVitals, every: Timing.vitals(nodes: view.table.liveCount), after: now)
      view.issueVitals()
    }
    if now >= view.nextFlush { view.flush() }
    reunions.advance(&view)
    if now >= nextSweep {
      nextSweep = now &+ Timing.sweep
      sweep()
    }
  }

  /// Forgets whom nothing has been heard of for long.
  private mutating func sweep() {
    for slot in view.table.slots(from: 1) {
      let member = view.table[slot]
      let memory = member.state == .left ? Timing.leftMemory : Timing.deadMemory
      guard !member.state.isLive, view.now > member.since, view.now - member.since > memory else { continue }
      if member.state == .dead { reunions.remember(member.record, at: view.now) }
      view.forget(slot)
    }
  }
}
