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

  /// A member with which this node speaks when nothing else happens.
  struct Neighbour {
    let slot: MemberTable.Slot
    /// Next to this node on the ring of ids.
    var isNear: Bool
    /// Whether it is this node that pings.
    var isPinged: Bool
    let since: UInt64
    /// When something last came from it; nil until then.
    var heard: UInt64?
  }

  public let cluster: ClusterIdentifier
  let authority: RemovalAuthority
  var table: MemberTable
  var removals = RemovalList()
  public internal(set) var counters = Counters()
  /// False after `leave`, after this node was removed, and after another took its place: nothing is sent any longer.
  public internal(set) var isActive = true
  /// When `step` is due, in milliseconds; `UInt64.max` when nothing is left to do.
  public private(set) var nextDue: UInt64

  var now: UInt64
  var random: SplitMix64
  var commands: [MembershipCommand] = []

  var neighbours: [Neighbour] = []
  private var knownRings: UInt32
  var probes: [Probe] = []
  var relays: [Relay] = []
  var suspicions: [Suspicion] = []
  var reconnections: [Suspicion] = []
  /// How far this node doubts its own network, 0 to 2: it waits longer for answers then (Lifeguard's local health).
  var doubt: UInt64 = 0
  var number: UInt16
  var farTurn = 0

  /// Slots that owe something to a neighbour.
  var pending: [MemberTable.Slot] = []
  var vitalsQueue: [MemberTable.Slot] = []
  var flushTurn = 0
  var issuedLoad: UInt16 = 0
  var issuedFree: UInt32 = 0
  var unissued = 0
  var lastChange: UInt64
  var comparisonTurn = 0

  /// Who told removals that nobody signed, and until when none of theirs is looked at.
  var forgers = ForgerList()

  var nextPing: UInt64
  var nextFarPing: UInt64
  var nextFlush: UInt64 = .max
  var nextVitals: UInt64
  var nextRetry: UInt64
  var nextSweep: UInt64
  var nextComparison: UInt64 = 0

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
    self.cluster = cluster
    self.authority = authority
    self.now = now
    random = SplitMix64(seed: seed)
    table = MemberTable(own: Member(record: own, state: .alive, since: now, uptimeAt: now, vitalsSequence: 0))
    knownRings = table.ringGeneration
    number = UInt16(truncatingIfNeeded: random.next32())
    lastChange = now
    nextPing = now &+ random.next(below: Timing.ping)
    nextFarPing = now &+ random.next(below: Timing.farPing)
    nextVitals = now &+ random.next(below: Timing.vitals(nodes: 1))
    nextRetry = now &+ random.next(below: Timing.retry)
    nextSweep = now &+ Timing.sweep
    nextDue = now
    schedule()
  }

  // MARK: What is known

  public var own: NodeRecord { record(MemberTable.own) }
  public var ownID: NodeID { table.members[0].record.id }
  public var ownMAC: MACAddress { table.members[0].record.mac }

  /// How many nodes are members, this one included.
  public var liveCount: Int { table.liveCount }

  /// The record of the live member with this id.
  public func member(_ id: NodeID) -> NodeRecord? { table.live(id).map(record) }

  /// The live member whose datagrams come from this address.
  public func member(at address: IPv4Address) -> NodeRecord? {
    let slot = table.slots().first { table[$0].state.isLive && table[$0].record.addresses.primary == address }
    return slot.map(record)
  }

  /// The live members beside this node whose id and address are such.
  public func others(where isIncluded: (NodeID, IPv4Address) -> Bool) -> [NodeRecord] {
    var found: [NodeRecord] = []
    for slot in table.slots(from: 1) where table.members[Int(slot)].state.isLive {
      let (id, address) = (table.members[Int(slot)].record.id, table.members[Int(slot)].record.addresses.primary)
      if isIncluded(id, address) { found.append(record(slot)) }
    }
    return found
  }

  /// Whether a live member has this address, another machine than `mac`.
  public func isTaken(_ address: InternetAddress, byOtherThan mac: MACAddress) -> Bool {
    for slot in table.slots() where table.members[Int(slot)].state.isLive {
      let isTaken =
        switch address {
        case .ipv4(let address): table.members[Int(slot)].record.addresses.contains(address)
        case .ipv6(let address): table.members[Int(slot)].record.addresses6.all.contains(address)
        }
      if isTaken, table.members[Int(slot)].record.mac != mac { return true }
    }
    return false
  }

  /// Every node that is remembered, this one first, with what is believed of it.
  public func forEach(_ body: (NodeRecord, NodeState) -> Void) {
    for slot in table.slots() { body(record(slot), table[slot].state) }
  }

  public func state(of mac: MACAddress) -> NodeState? { table.slot(mac).map { table[$0].state } }

  public func record(of mac: MACAddress) -> NodeRecord? { table.slot(mac).map(record) }

  /// Whether a machine or a key was removed, and must not be let in.
  public func isRemoved(_ mac: MACAddress, _ fingerprint: Fingerprint) -> Bool { removals.forbids(mac, fingerprint) }

  /// Every node that was removed and not allowed again, with the address at which it was last known, if it was.
  public func forEachRemoved(_ body: (NodeID, Fingerprint, IPv4Address?) -> Void) {
    for (index, entry) in removals.entries.enumerated() where entry.isInForce {
      let address = removals.addresses[index]
      body(entry.id, entry.fingerprint, address == .unspecified ? nil : address)
    }
  }

  /// The memory of this node's knowledge in bytes, by the sizes of its parts.
  public var bytes: Int {
    table.bytes + removals.entries.capacity * (MemoryLayout<Removal>.stride + 6)
      + (pending.capacity + vitalsQueue.capacity) * MemoryLayout<MemberTable.Slot>.stride
      + (suspicions.capacity + reconnections.capacity) * MemoryLayout<Suspicion>.stride
      + neighbours.capacity * MemoryLayout<Neighbour>.stride + probes.capacity * MemoryLayout<Probe>.stride
      + relays.capacity * MemoryLayout<Relay>.stride
  }

  func record(_ slot: MemberTable.Slot) -> NodeRecord {
    var record = table[slot].record
    record.uptime = table[slot].uptime(at: now)
    return record
  }

  static func wantedID(_ record: NodeRecord) -> NodeID {
    let low = UInt16(truncatingIfNeeded: record.addresses.primary.bits)
    return low == 0 ? 1 : low
  }

  // MARK: Every call

  /// Does what is due.
  public mutating func step(at now: UInt64) -> [MembershipCommand] {
    begin(now)
    if isActive { advance() }
    return finish()
  }

  /// Sets the clock. After a time in which the process stood still, or the machine slept, nobody is blamed for silence.
  mutating func begin(_ time: UInt64) {
    now = max(now, time)
    guard now > nextDue, now - nextDue > Timing.stall else { return }
    // And what waits unread in the socket comes in first.
    let lost = now - nextDue &+ Timing.direct
    for index in probes.indices { probes[index].deadline &+= lost }
    for index in suspicions.indices { suspicions[index].deadline &+= lost }
    for index in neighbours.indices { neighbours[index].heard = neighbours[index].heard.map { $0 &+ lost } }
    // So that the same pause is not found again by the next call.
    nextPing = max(nextPing, now)
    nextFarPing = max(nextFarPing, now)
    nextVitals = max(nextVitals, now)
    nextFlush = max(nextFlush, now)
    nextRetry = max(nextRetry, now)
    nextSweep = max(nextSweep, now)
    for index in reconnections.indices { reconnections[index].deadline &+= lost }
  }

  mutating func finish() -> [MembershipCommand] {
    if table.ringGeneration != knownRings {
      knownRings = table.ringGeneration
      lastChange = now
      if isActive {
        yieldID()
        knownRings = table.ringGeneration
        chooseNeighbours()
      }
    }
    schedule()
    var done: [MembershipCommand] = []
    swap(&done, &commands)
    return done
  }

  private mutating func schedule() {
    guard isActive else {
      nextDue = .max
      return
    }
    var next = min(nextFlush, min(nextVitals, min(nextRetry, nextSweep)))
    if !neighbours.isEmpty { next = min(next, min(nextPing, nextFarPing)) }
    if let due = predecessorDue { next = min(next, due) }
    for probe in probes { next = min(next, probe.deadline) }
    for suspicion in suspicions { next = min(next, suspicion.deadline) }
    for reconnection in reconnections { next = min(next, reconnection.deadline) }
    nextDue = next
  }

  private mutating func advance() {
    advanceProbes()
    advanceSuspicions()
    if now >= nextPing {
      nextPing = Membership.next(nextPing, every: Timing.ping, after: now)
      watchRing()
    }
    if let due = predecessorDue, now >= due { watchRing() }
    if now >= nextFarPing {
      nextFarPing = Membership.next(nextFarPing, every: Timing.farPing, after: now)
      pingFar()
    }
    if now >= nextVitals {
      let interval = Timing.vitals(nodes: table.liveCount)
      nextVitals = Membership.next(nextVitals, every: interval, after: now)
      issueVitals()
    }
    if now >= nextFlush { flush() }
    if now >= nextRetry { retryDead() }
    advanceReconnections()
    if now >= nextSweep {
      nextSweep = now &+ Timing.sweep
      sweep()
    }
  }

  /// The next time after `now`, in step with the last one unless that is long ago.
  private static func next(_ last: UInt64, every interval: UInt64, after now: UInt64) -> UInt64 {
    let next = last &+ interval
    return next > now ? next : now &+ interval
  }

  // MARK: Sending

  mutating func send(_ datagram: [UInt8], to slot: MemberTable.Slot) {
    send(datagram, to: table[slot].record.addresses.primary)
  }

  mutating func send(_ datagram: [UInt8], to address: IPv4Address) {
    counters.sent &+= 1
    commands.append(.send(datagram, to: address))
  }

  mutating func nextNumber() -> UInt16 {
    number &+= 1
    return number
  }

  func start(_ body: Datagram.Body, number: UInt16 = 0) -> [UInt8] {
    Datagram.start(cluster: cluster, sender: table[MemberTable.own].record.mac, number: number, body)
  }

  // MARK: Neighbours

  func neighbour(_ slot: MemberTable.Slot) -> Int? { neighbours.firstIndex { $0.slot == slot } }

  var everyNeighbour: UInt16 { UInt16(truncatingIfNeeded: (1 << UInt32(neighbours.count)) - 1) }

  /// Four on each side on the ring of ids, one on each side on the others.
  private mutating func chooseNeighbours() {
    var chosen: [Neighbour] = []
    func add(_ ring: Int, _ distance: Int) {
      guard let slot = table.neighbour(of: MemberTable.own, on: ring, distance: distance) else { return }
      let isNear = ring == 0 && (distance == 1 || distance == -1)
      if let known = chosen.firstIndex(where: { $0.slot == slot }) {
        chosen[known].isNear = chosen[known].isNear || isNear
        chosen[known].isPinged = chosen[known].isPinged || distance > 0
      } else {
        chosen.append(Neighbour(slot: slot, isNear: isNear, isPinged: distance > 0, since: now, heard: nil))
      }
    }
    // A ring of few nodes is walked once.
    for distance in 1...4 where distance < table.liveCount { add(0, distance) }
    for distance in 1...4 where distance < table.liveCount { add(0, -distance) }
    for ring in 1..<MemberTable.rings {
      add(ring, 1)
      add(ring, -1)
    }

    let before = neighbours
    var places: [Int?] = []
    for old in before { places.append(chosen.firstIndex { $0.slot == old.slot }) }
    for (old, place) in places.enumerated() {
      guard let place else { continue }
      chosen[place] = Neighbour(
        slot: chosen[place].slot, isNear: chosen[place].isNear, isPinged: chosen[place].isPinged,
        since: before[old].since, heard: before[old].heard)
    }
    neighbours = chosen
    let isSame = places.count == chosen.count && places.enumerated().allSatisfy { $0.offset == $0.element }
    if isSame { return }

    var newcomers = everyNeighbour
    for case .some(let place) in places { newcomers &= ~(1 << UInt16(place)) }
    func moved(_ mask: UInt16) -> UInt16 {
      guard mask != 0 else { return 0 }
      var out: UInt16 = 0
      for (old, place) in places.enumerated() where mask & 1 << UInt16(old) != 0 {
        if let place { out |= 1 << UInt16(place) }
      }
      return out
    }
    for slot in pending { table.note(slot) { $0.owed = moved($0.owed) | newcomers } }
    for slot in vitalsQueue { table.note(slot) { $0.vitalsOwed = moved($0.vitalsOwed) } }
    vitalsQueue.removeAll { table[$0].vitalsOwed == 0 }
    removals.owed = removals.owed.map { $0 == 0 ? 0 : moved($0) | newcomers }
    for index in neighbours.indices where newcomers & 1 << UInt16(index) != 0 && neighbours[index].isPinged {
      owe(MemberTable.own, wholeRecord: true, to: 1 << UInt16(index))
      ping(neighbours[index].slot, digest: true)
    }
  }
}
