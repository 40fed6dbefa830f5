import Bytes

// News of two kinds. Urgent news – who joined, is suspected, died, left, changed – is owed to every neighbour, and paid within
// a fraction of a second by datagrams of its own. Vitals ride on pings and answers.

extension Membership {
  /// The most vitals in one datagram.
  static let vitalsBudget = 2 * Item.vitalsCapacity
  /// How many others, beside the neighbours on the ring of ids, get new vitals.
  static let farShare = 2

  // MARK: Urgent news

  /// Owes the state of a node, or all about it, to every neighbour but those in `except`.
  mutating func announce(_ slot: MemberTable.Slot, wholeRecord: Bool, except: UInt16) {
    owe(slot, wholeRecord: wholeRecord, to: everyNeighbour & ~except, replacing: true)
  }

  mutating func owe(_ slot: MemberTable.Slot, wholeRecord: Bool, to mask: UInt16, replacing: Bool = false) {
    let wasOwing = table[slot].owed != 0
    table.note(slot) { member in
      member.owed = replacing ? mask : member.owed | mask
      member.owesRecord = wholeRecord || (wasOwing && member.owesRecord)
    }
    if table[slot].owed != 0 {
      // A slot whose debt is gone stays listed until the next flush.
      if !table[slot].isPending {
        pending.append(slot)
        table.note(slot) { $0.isPending = true }
      }
      if nextFlush == .max { nextFlush = now &+ Timing.flush }
    }
  }

  /// Pays some neighbours what they are owed, in turn.
  mutating func flush() {
    var owed: UInt16 = 0
    for slot in pending { owed |= table[slot].owed }
    for mask in removals.owed { owed |= mask }
    var left = Timing.batch
    for _ in neighbours.indices where left > 0 {
      flushTurn = flushTurn + 1 < neighbours.count ? flushTurn + 1 : 0
      guard flushTurn < neighbours.count, owed & 1 << UInt16(flushTurn) != 0 else { continue }
      pay(flushTurn)
      left -= 1
    }
    planFlush()
  }

  /// Pays everybody at once, but one if there is one.
  mutating func flushEverything(but exception: Int? = nil) {
    for index in neighbours.indices where index != exception { pay(index) }
    planFlush()
  }

  private mutating func pay(_ index: Int) {
    guard table.isUsed(neighbours[index].slot) else { return }
    var out = start(.gossip)
    let empty = out.count
    appendNews(&out, for: index)
    if out.count > empty { send(out, to: neighbours[index].slot) }
  }

  private mutating func planFlush() {
    for slot in pending where table[slot].owed == 0 { table.note(slot) { $0.isPending = false } }
    pending.removeAll { !table[$0].isPending }
    nextFlush = pending.isEmpty && !removals.isOwing ? .max : now &+ Timing.nextFlush
  }

  /// Fills a datagram for a member up: with what it is owed if it is a neighbour.
  mutating func complete(_ out: inout [UInt8], for slot: MemberTable.Slot) {
    guard let index = neighbour(slot) else { return }
    appendNews(&out, for: index)
    appendVitals(&out, for: index)
  }

  private mutating func appendNews(_ out: inout [UInt8], for index: Int) {
    let bit: UInt16 = 1 << UInt16(index)
    for place in removals.owed.indices where removals.owed[place] & bit != 0 {
      guard out.count + Item.removalLength <= Datagram.largest else { return }
      out.append(removals.entries[place])
      removals.owed[place] &= ~bit
    }
    for slot in pending where table[slot].owed & bit != 0 {
      let needed = table[slot].owesRecord ? Item.largest(table[slot].record) : Item.largestStatus
      guard out.count + needed <= Datagram.largest else { return }
      if table[slot].owesRecord {
        out.append(record(slot), table[slot].state, vitals: table[slot].vitalsSequence)
      } else {
        out.append(table[slot].status)
      }
      table.note(slot) { $0.owed &= ~bit }
    }
  }

  // MARK: Vitals

  /// Issues this node's own load and free memory; if they hardly changed, only every fourth time.
  mutating func issueVitals() {
    let own = table[MemberTable.own].record
    let load = own.load > issuedLoad ? own.load - issuedLoad : issuedLoad - own.load
    let free = own.memoryFree > issuedFree ? own.memoryFree - issuedFree : issuedFree - own.memoryFree
    unissued += 1
    guard load > 5 &+ own.load / 16 || free > own.memoryTotal / 32 || unissued >= 4 else { return }
    unissued = 0
    issuedLoad = own.load
    issuedFree = own.memoryFree
    table.note(MemberTable.own) { $0.vitalsSequence &+= 1 }
    spreadVitals(MemberTable.own, from: nil)
  }

  mutating func merge(_ vitals: Vitals, from index: Int?) {
    guard let slot = table.live(vitals.id), slot != MemberTable.own,
      Int8(bitPattern: vitals.sequence &- table[slot].vitalsSequence) > 0
    else { return }
    table.note(slot) { member in
      member.vitalsSequence = vitals.sequence
      member.record.load = vitals.load
      member.record.memoryFree = vitals.memoryFree
    }
    spreadVitals(slot, from: index)
  }

  private mutating func spreadVitals(_ slot: MemberTable.Slot, from index: Int?) {
    var mask: UInt16 = 0
    var far: [Int] = []
    for place in neighbours.indices where place != index {
      if neighbours[place].isNear { mask |= 1 << UInt16(place) } else { far.append(place) }
    }
    for _ in 0..<min(Membership.farShare, far.count) {
      mask |= 1 << UInt16(far.remove(at: random.next(below: far.count)))
    }
    // None is listed whose debt is paid.
    if table[slot].vitalsOwed == 0, mask != 0 { vitalsQueue.append(slot) }
    if mask == 0, table[slot].vitalsOwed != 0 { vitalsQueue.removeAll { $0 == slot } }
    table.note(slot) { $0.vitalsOwed = mask }
  }

  private mutating func appendVitals(_ out: inout [UInt8], for index: Int) {
    let bit: UInt16 = 1 << UInt16(index)
    var list: [Vitals] = []
    for slot in vitalsQueue where list.count < Membership.vitalsBudget && table[slot].vitalsOwed & bit != 0 {
      let member = table[slot]
      list.append(
        Vitals(
          id: member.record.id, sequence: member.vitalsSequence, load: member.record.load,
          memoryFree: member.record.memoryFree))
      table.note(slot) { $0.vitalsOwed &= ~bit }
    }
    var rest = list[...]
    while !rest.isEmpty, out.count + Item.largest <= Datagram.largest {
      out.append(vitals: Array(rest.prefix(Item.vitalsCapacity)))
      rest = rest.dropFirst(Item.vitalsCapacity)
    }
    vitalsQueue.removeAll { table[$0].vitalsOwed == 0 }
  }
}
