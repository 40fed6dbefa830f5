import Addresses
import Bytes

/// What one node believes of every other, by which rules that changes, and what its neighbours are still to be told of it. Who
/// answers and who does not is found out elsewhere (`Probing`); here it is one statement among others.
struct MemberView {
  let cluster: ClusterIdentifier
  let authority: RemovalAuthority
  var table: MemberTable
  var removals = RemovalList()
  var counters = Membership.Counters()
  /// False after a leave, after this node was removed, and after another took its place: nothing is sent any longer.
  var isActive = true
  /// When something last changed, in milliseconds.
  var lastChange: UInt64

  var now: UInt64
  var random: SplitMix64
  /// What is asked for in the call that is under way.
  var commands: [MembershipCommand] = []

  var neighbours = NeighbourList()
  private var knownRings: UInt32
  /// Suspects, which die then; dead neighbours, which are tried again then.
  var suspicions = DeadlineList()
  var reconnections = DeadlineList()
  /// Of whom no answer counts any longer, in the call that is under way: they are no members now, or are not even remembered.
  var lost: [MemberTable.Slot] = []
  var forgotten: [MemberTable.Slot] = []

  /// Slots that owe news to a neighbour, and when it is told.
  var pending: [MemberTable.Slot] = []
  var nextFlush: UInt64 = .max
  var flushTurn = 0
  var vitals = VitalsQueue()
  private var number: UInt16

  init(_ own: NodeRecord, cluster: ClusterIdentifier, authority: RemovalAuthority, at now: UInt64, seed: UInt64) {
    self.cluster = cluster
    self.authority = authority
    self.now = now
    random = SplitMix64(seed: seed)
    table = MemberTable(own: Member(record: own, state: .alive, since: now, uptimeAt: now, vitalsSequence: 0))
    knownRings = table.ringGeneration
    number = UInt16(truncatingIfNeeded: random.next32())
    lastChange = now
  }

  /// Its memory in bytes, by the sizes of its parts.
  var bytes: Int {
    table.bytes + removals.entries.capacity * (MemoryLayout<Removal>.stride + 6) + vitals.bytes + suspicions.bytes
      + reconnections.bytes + pending.capacity * MemoryLayout<MemberTable.Slot>.stride
      + neighbours.all.capacity * MemoryLayout<Neighbour>.stride
  }

  var own: NodeRecord { table[MemberTable.own].record }

  /// A node's record as it is now.
  func record(_ slot: MemberTable.Slot) -> NodeRecord {
    var record = table[slot].record
    record.uptime = table[slot].uptime(at: now)
    return record
  }

  /// The live member whose datagrams come from this address.
  func member(at address: IPv4Address) -> NodeRecord? { table.live(at: address).map(record) }

  /// Ends a call: who is no longer on a ring has other neighbours now.
  mutating func finish() {
    guard table.ringGeneration != knownRings else { return }
    lastChange = now
    if isActive {
      yieldID()
      chooseNeighbours()
    }
    knownRings = table.ringGeneration
  }

  private mutating func chooseNeighbours() {
    guard let change = neighbours.choose(from: table, at: now) else { return }
    for slot in pending { table.note(slot) { $0.owed = change.moved($0.owed) | change.newcomers } }
    vitals.move(change, &table)
    removals.owed = removals.owed.map { $0 == 0 ? 0 : change.moved($0) | change.newcomers }
    for (place, neighbour) in neighbours.all.enumerated()
    where change.newcomers & 1 << UInt16(place) != 0 && neighbour.isPinged {
      owe(MemberTable.own, wholeRecord: true, to: 1 << UInt16(place))
      ping(neighbour.slot, digest: true)
    }
  }

  /// Nothing is remembered of a node any longer.
  mutating func forget(_ slot: MemberTable.Slot) {
    neighbours.forget(slot, at: now)
    suspicions.remove(slot)
    reconnections.remove(slot)
    forgotten.append(slot)
    pending.removeAll { $0 == slot }
    vitals.remove(slot)
    table.forget(slot)
  }

  // MARK: Sending

  mutating func send(_ datagram: [UInt8], to slot: MemberTable.Slot) {
    send(datagram, to: table[slot].record.addresses.primary)
  }

  mutating func send(_ datagram: [UInt8], to address: IPv4Address) {
    counters.sent &+= 1
    commands.append(.send(datagram, to: address))
  }

  /// The beginning of a datagram, to which items may be appended.
  func start(_ body: Datagram.Body, number: UInt16 = 0) -> [UInt8] {
    Datagram.start(cluster: cluster, sender: table[MemberTable.own].record.mac, number: number, body)
  }

  mutating func nextNumber() -> UInt16 {
    number &+= 1
    return number
  }

  /// Asks a member whether it is there. Gives the number that its answer will have.
  @discardableResult
  mutating func ping(_ slot: MemberTable.Slot, digest: Bool) -> UInt16 {
    let number = nextNumber()
    var out = start(.ping(digest: digest ? table.digest ^ UInt64(removals.digest) : nil), number: number)
    complete(&out, for: slot)
    send(out, to: slot)
    return number
  }

  mutating func answer(_ number: UInt16, to slot: MemberTable.Slot) {
    var out = start(.ack, number: number)
    complete(&out, for: slot)
    send(out, to: slot)
  }

  /// Fills a datagram for a member up: with what is believed of it if that is not well, and what it is owed if it is a neighbour.
  private mutating func complete(_ out: inout [UInt8], for slot: MemberTable.Slot) {
    // Lifeguard's buddy system: the suspect is the first to learn of it.
    if table[slot].state != .alive { out.append(table[slot].status) }
    guard let place = neighbours.place(of: slot) else { return }
    appendNews(&out, for: place)
    vitals.pay(place, into: &out, &table)
  }

  /// Sends the records of as many of these nodes as one datagram holds.
  mutating func sendRecords(_ slots: [MemberTable.Slot], to address: IPv4Address) {
    var out = start(.gossip)
    for slot in slots where out.count + Item.largest(table[slot].record) <= Datagram.largest {
      out.append(record(slot), table[slot].state, vitals: table[slot].vitalsSequence)
    }
    send(out, to: address)
  }
}
