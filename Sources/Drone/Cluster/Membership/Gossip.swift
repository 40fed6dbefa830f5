import Bytes

// News of two kinds. Urgent news – who joined, is suspected, died, left, changed – is owed to every neighbour, and paid within
// a fraction of a second by datagrams of its own. Vitals ride on pings and answers (`VitalsQueue`).

extension MemberView {
  // MARK: Urgent news

  /// Owes the state of a node, or all about it, to every neighbour but those in `except`.
  mutating func announce(_ slot: MemberTable.Slot, wholeRecord: Bool, except: UInt16) {
    owe(slot, wholeRecord: wholeRecord, to: neighbours.everyone & ~except, replacing: true)
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
    for _ in neighbours.all.indices where left > 0 {
      flushTurn = flushTurn + 1 < neighbours.all.count ? flushTurn + 1 : 0
      guard flushTurn < neighbours.all.count, owed & 1 << UInt16(flushTurn) != 0 else { continue }
      pay(flushTurn)
      left -= 1
    }
    planFlush()
  }

  /// Pays everybody at once, but one if there is one.
  mutating func flushEverything(but exception: Int? = nil) {
    for index in neighbours.all.indices where index != exception { pay(index) }
    planFlush()
  }

  private mutating func pay(_ index: Int) {
    guard table.isUsed(neighbours.all[index].slot) else { return }
    var out = start(.gossip)
    let empty = out.count
    appendNews(&out, for: index)
    if out.count > empty { send(out, to: neighbours.all[index].slot) }
  }

  private mutating func planFlush() {
    for slot in pending where table[slot].owed == 0 { table.note(slot) { $0.isPending = false } }
    pending.removeAll { !table[$0].isPending }
    nextFlush = pending.isEmpty && !removals.isOwing ? .max : now &+ Timing.nextFlush
  }

  mutating func appendNews(_ out: inout [UInt8], for index: Int) {
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

  /// Issues this node's own load and free memory, if they are worth it.
  mutating func issueVitals() {
    guard vitals.issues(table[MemberTable.own].record) else { return }
    table.note(MemberTable.own) { $0.vitalsSequence &+= 1 }
    vitals.spread(MemberTable.own, from: nil, to: neighbours, &random, &table)
  }

  mutating func merge(_ vitals: Vitals, from place: Int?) {
    guard let slot = table.live(vitals.id), slot != MemberTable.own,
      Int8(bitPattern: vitals.sequence &- table[slot].vitalsSequence) > 0
    else { return }
    table.note(slot) { member in
      member.vitalsSequence = vitals.sequence
      member.record.load = vitals.load
      member.record.memoryFree = vitals.memoryFree
    }
    self.vitals.spread(slot, from: place, to: neighbours, &random, &table)
  }
}
