import Bytes

/// Vitals that neighbours have not been told yet, of this node and of others. They ride on pings and answers.
struct VitalsQueue {
  /// The most vitals in one datagram.
  static let budget = 2 * Item.vitalsCapacity
  /// How many others, beside the neighbours on the ring of ids, get new vitals.
  static let farShare = 2

  private var slots: [MemberTable.Slot] = []
  private var issuedLoad: UInt16 = 0
  private var issuedFree: UInt32 = 0
  private var unissued = 0

  var bytes: Int { slots.capacity * MemoryLayout<MemberTable.Slot>.stride }

  /// Whether a node's own load and free memory are to be told: if they hardly changed, only every fourth time.
  mutating func issues(_ own: NodeRecord) -> Bool {
    let load = own.load > issuedLoad ? own.load - issuedLoad : issuedLoad - own.load
    let free = own.memoryFree > issuedFree ? own.memoryFree - issuedFree : issuedFree - own.memoryFree
    unissued += 1
    guard load > 5 &+ own.load / 16 || free > own.memoryTotal / 32 || unissued >= 4 else { return false }
    unissued = 0
    issuedLoad = own.load
    issuedFree = own.memoryFree
    return true
  }

  /// Owes a node's vitals to the neighbours on the ring of ids and to some others, but not to the one at `source`, from which
  /// they came.
  mutating func spread(
    _ slot: MemberTable.Slot, from source: Int?, to neighbours: NeighbourList, _ random: inout SplitMix64,
    _ table: inout MemberTable
  ) {
    var mask: UInt16 = 0
    var far: [Int] = []
    for place in neighbours.all.indices where place != source {
      if neighbours.all[place].isNear { mask |= 1 << UInt16(place) } else { far.append(place) }
    }
    for _ in 0..<min(VitalsQueue.farShare, far.count) {
      mask |= 1 << UInt16(far.remove(at: random.next(below: far.count)))
    }
    // None is listed whose debt is paid.
    if table[slot].vitalsOwed == 0, mask != 0 { slots.append(slot) }
    if mask == 0, table[slot].vitalsOwed != 0 { remove(slot) }
    table.note(slot) { $0.vitalsOwed = mask }
  }

  /// Appends what the neighbour at a place is owed, as far as there is room.
  mutating func pay(_ place: Int, into out: inout [UInt8], _ table: inout MemberTable) {
    let bit: UInt16 = 1 << UInt16(place)
    var list: [Vitals] = []
    for slot in slots where list.count < VitalsQueue.budget && table[slot].vitalsOwed & bit != 0 {
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
    removePaid(table)
  }

  /// The neighbours stand at other places.
  mutating func move(_ change: NeighbourChange, _ table: inout MemberTable) {
    for slot in slots { table.note(slot) { $0.vitalsOwed = change.moved($0.vitalsOwed) } }
    removePaid(table)
  }

  mutating func remove(_ slot: MemberTable.Slot) { slots.removeAll { $0 == slot } }

  private mutating func removePaid(_ table: MemberTable) { slots.removeAll { table[$0].vitalsOwed == 0 } }
}
