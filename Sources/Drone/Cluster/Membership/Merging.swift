import Addresses
import Bytes

/// Where a statement comes from, and so what becomes of it.
struct Provenance {
  /// Whether to tell the neighbours.
  var spreads: Bool
  /// A death reported as history, as in maps, and not as news: the node gets its chance to object first.
  var isHistory = false
  /// The neighbour that reported it, if one did.
  var neighbour: Int?

  var mask: UInt16 { neighbour.map { 1 << UInt16($0) } ?? 0 }
}

extension MemberView {
  // MARK: Records

  mutating func apply(
    _ incoming: NodeRecord, _ state: NodeState, vitals sequence: UInt8, _ provenance: Provenance
  ) {
    if incoming.mac == table[MemberTable.own].record.mac {
      hearOfOneself(incoming, state)
      return
    }
    if removals.forbids(incoming.mac, incoming.fingerprint) { return }
    // It would be a member that nobody reaches, or one to which packets go in clear.
    guard incoming.isInClear == table[MemberTable.own].record.isInClear else {
      counters.otherProtection &+= 1
      return
    }
    guard let slot = table.slot(incoming.mac) else {
      insert(incoming, state, vitals: sequence, provenance)
      return
    }
    let current = table[slot]
    let isNewer =
      incoming.incarnation != current.record.incarnation
      ? incoming.incarnation > current.record.incarnation
      : incoming.tag > current.record.tag
    guard isNewer else {
      if incoming.incarnation == current.record.incarnation, incoming.tag == current.record.tag {
        transition(slot, to: state, incarnation: incoming.incarnation, provenance)
      } else {
        correct(slot, provenance)
      }
      return
    }
    let wasLive = current.state.isLive
    let isSame = current.record.isSameApartFromVitals(incoming)
    table.change(slot) { member in
      member.record = incoming
      member.uptimeAt = now
      member.vitalsSequence = sequence
    }
    lastChange = now
    // Even if it is the last that is heard of the node: what is in the kernel for it goes by the record of before.
    if wasLive, !isSame {
      commands.append(.report(.changed(record(slot), from: current.record)))
      if current.record.fingerprint != incoming.fingerprint { neighbours.beginAnew(slot, at: now) }
    }
    transition(
      slot, to: state, incarnation: incoming.incarnation, provenance, isNews: true, wholeRecord: !isSame || !wasLive)
  }

  private mutating func insert(
    _ incoming: NodeRecord, _ state: NodeState, vitals sequence: UInt8, _ provenance: Provenance
  ) {
    // News of the end of somebody unknown is no news; a map's memory of the dead is worth keeping.
    guard state.isLive || provenance.isHistory else { return }
    let member = Member(
      record: incoming, state: state, since: now, uptimeAt: now, vitalsSequence: sequence)
    var place = table.insert(member)
    if place == nil, state.isLive, let oldest = oldestGone() {
      forget(oldest)
      place = table.insert(member)
    }
    guard let slot = place else {
      counters.refused &+= 1
      return
    }
    lastChange = now
    guard state.isLive else { return }
    commands.append(.report(.joined(record(slot))))
    if state == .suspect { startSuspicion(slot) }
    if provenance.spreads { announce(slot, wholeRecord: true, except: provenance.mask) }
  }

  private func oldestGone() -> MemberTable.Slot? {
    var oldest: MemberTable.Slot?
    for slot in table.slots(from: 1) where !table[slot].state.isLive {
      if oldest.map({ table[slot].since < table[$0].since }) ?? true { oldest = slot }
    }
    return oldest
  }

  // MARK: Statuses

  /// Merges a status. False when the node's record is needed for it.
  mutating func apply(_ status: NodeStatus, _ provenance: Provenance) -> Bool {
    let own = table[MemberTable.own].record
    if status.mac == own.mac {
      if status.tag == own.tag || status.state != .alive {
        if status.state != .alive, status.incarnation >= own.incarnation { overrule(status.incarnation) }
        return true
      }
      return status.incarnation < own.incarnation
    }
    if removals.forbids(status.mac) { return true }
    guard let slot = table.slot(status.mac) else { return !status.state.isLive }
    let current = table[slot].record
    if status.incarnation < current.incarnation {
      correct(slot, provenance)
      return true
    }
    if status.tag != current.tag { return false }
    transition(slot, to: status.state, incarnation: status.incarnation, provenance)
    return true
  }

  /// Brings a node into a state that somebody says it has, if that overrules what is known.
  ///
  /// - Parameters:
  ///   - isNews: the record was newer, so the state counts whatever it is.
  ///   - wholeRecord: tell the neighbours the whole record.
  mutating func transition(
    _ slot: MemberTable.Slot, to stated: NodeState, incarnation: UInt32, _ provenance: Provenance,
    isNews: Bool = false, wholeRecord: Bool = false
  ) {
    guard slot != MemberTable.own else { return }
    let current = table[slot]
    let before = current.state
    var state = stated
    if state == .dead, provenance.isHistory, before.isLive { state = .suspect }
    let isRaised = incarnation > current.record.incarnation
    guard isNews || isRaised || (incarnation == current.record.incarnation && state.rawValue > before.rawValue) else {
      if incarnation == current.record.incarnation, state == before {
        // They know.
        table.note(slot) { $0.owed &= ~provenance.mask }
      } else {
        correct(slot, provenance)
      }
      return
    }
    table.change(slot) { member in
      member.record.incarnation = incarnation
      if member.state != state {
        member.state = state
        member.since = now
      }
    }
    lastChange = now
    if provenance.spreads { announce(slot, wholeRecord: wholeRecord, except: provenance.mask) }
    if before == .suspect { suspicions.remove(slot) }
    if state == .suspect { startSuspicion(slot) }
    guard before != state else { return }
    switch (before.isLive, state) {
    case (false, .alive): commands.append(.report(.joined(record(slot))))
    case (false, .suspect):
      commands.append(.report(.joined(record(slot))))
      commands.append(.report(.suspected(record(slot))))
    case (true, .alive): commands.append(.report(.cleared(record(slot))))
    case (true, .suspect): commands.append(.report(.suspected(record(slot))))
    case (true, .dead):
      counters.deaths &+= 1
      commands.append(.report(.died(record(slot))))
      reconnectSoon(slot)
    case (true, .left): commands.append(.report(.left(record(slot))))
    case (false, _): break
    }
    if !state.isLive { lost.append(slot) }
  }

  /// A node called dead by mistake learns of it soon: those next to it try once.
  private mutating func reconnectSoon(_ slot: MemberTable.Slot) {
    guard let place = neighbours.place(of: slot), neighbours.all[place].isNear,
      reconnections.count < Probing.capacity
    else { return }
    reconnections.insert(slot, at: now &+ 500 &+ random.next(below: 2000 as UInt64))
  }

  /// Nobody reaches this node.
  mutating func suspect(_ slot: MemberTable.Slot) {
    transition(slot, to: .suspect, incarnation: table[slot].record.incarnation, Provenance(spreads: true))
  }

  /// Suspects whose time is over are dead.
  mutating func advanceSuspicions() {
    while let slot = suspicions.removeFirst(dueAt: now) {
      transition(slot, to: .dead, incarnation: table[slot].record.incarnation, Provenance(spreads: true))
    }
  }

  private mutating func startSuspicion(_ slot: MemberTable.Slot) {
    suspicions.insert(slot, at: now &+ Timing.suspicion)
  }

  /// A neighbour reported something outdated: send it what is known here.
  private mutating func correct(_ slot: MemberTable.Slot, _ provenance: Provenance) {
    if let index = provenance.neighbour { owe(slot, wholeRecord: true, to: 1 << UInt16(index)) }
  }

  // MARK: This node

  private mutating func hearOfOneself(_ incoming: NodeRecord, _ state: NodeState) {
    let own = table[MemberTable.own].record
    guard incoming.incarnation >= own.incarnation else { return }
    if incoming.fingerprint != own.fingerprint, incoming.incarnation > own.incarnation, state.isLive {
      // The same machine cannot run twice. The later one stays, or the dispute would never end.
      isActive = false
      commands.append(.report(.replaced(by: incoming)))
      return
    }
    if incoming.tag != own.tag || state != .alive || incoming.incarnation > own.incarnation {
      overrule(incoming.incarnation)
    }
  }

  /// Raises this node's incarnation above the reported one, and announces it.
  mutating func overrule(_ incarnation: UInt32, wholeRecord: Bool = false) {
    table.change(MemberTable.own) { member in
      member.record.incarnation = min(
        NodeRecord.largestIncarnation, max(member.record.incarnation, incarnation) &+ 1)
    }
    lastChange = now
    announce(MemberTable.own, wholeRecord: wholeRecord, except: 0)
  }

  /// Two nodes with one id, which joined in two places at once: the one with the higher MAC takes the next free id.
  mutating func yieldID() {
    let own = table[MemberTable.own].record
    guard let first = table.live(own.id), first != MemberTable.own else { return }
    let id = freeID(from: own.id)
    guard id != own.id else { return }
    table.change(MemberTable.own) { $0.record.id = id }
    overrule(own.incarnation, wholeRecord: true)
    commands.append(.report(.changed(record(MemberTable.own), from: own)))
  }

  /// The first id from `wanted` on that nobody else has, had lately, or was removed with.
  func freeID(from wanted: NodeID) -> NodeID {
    let own = table[MemberTable.own].record.mac
    var taken = [UInt64](repeating: 0, count: 1024)
    func mark(_ id: NodeID) { taken[Int(id >> 6)] |= 1 << UInt64(id & 63) }
    mark(0)
    for slot in table.slots() where table[slot].record.mac != own { mark(table[slot].record.id) }
    for entry in removals.entries where entry.isInForce { mark(entry.id) }
    var id = wanted
    for _ in 0..<0x10000 {
      if taken[Int(id >> 6)] & 1 << UInt64(id & 63) == 0 { return id }
      id &+= 1
    }
    return wanted
  }

  // MARK: Removals

  /// False when it would be news and the authority did not say it. What is no news is not even looked at: a signature costs an old
  /// processor some milliseconds.
  mutating func apply(_ removal: Removal, _ provenance: Provenance) -> Bool {
    guard removals.accepts(removal) else { return true }
    guard authority.verifies(removal.signature, removal.statement(of: cluster)) else {
      counters.unproven &+= 1
      return false
    }
    insert(removal, provenance)
    return true
  }

  mutating func insert(_ removal: Removal, _ provenance: Provenance) {
    let slot = table.slot(removal.mac)
    let address = slot.map { table[$0].record.addresses.primary }
    guard
      removals.insert(
        removal, address: address, owed: provenance.spreads ? neighbours.everyone & ~provenance.mask : 0)
    else { return }
    lastChange = now
    if provenance.spreads, nextFlush == .max { nextFlush = now &+ Timing.flush }
    guard removal.isInForce else {
      commands.append(.report(.allowed(removal.mac, removal.fingerprint)))
      return
    }
    let own = table[MemberTable.own].record
    if removal.mac == own.mac || removal.fingerprint == own.fingerprint {
      commands.append(.report(.removed(record(MemberTable.own))))
      flushEverything()
      isActive = false
      return
    }
    for slot in Array(table.slots(from: 1))
    where table[slot].record.mac == removal.mac || table[slot].record.fingerprint == removal.fingerprint {
      // The others first, and this the last thing that it hears from here.
      let place = neighbours.place(of: slot)
      if table[slot].state.isLive, let place {
        flushEverything(but: place)
        var out = start(.gossip)
        out.append(removal)
        send(out, to: slot)
      }
      commands.append(.report(.removed(record(slot))))
      forget(slot)
    }
  }
}
