import Addresses
import Bytes

/// The slots of members by their MACs: a hash table that holds slots alone, since the members have the keys. It is half full at
/// most, and probed in a row.
struct SlotIndex {
  private static let empty = MemberTable.Slot.max

  private var buckets = [MemberTable.Slot](repeating: SlotIndex.empty, count: 16)
  private(set) var count = 0

  /// Its memory in bytes.
  var bytes: Int { buckets.capacity * MemoryLayout<MemberTable.Slot>.stride }

  func slot(_ mac: MACAddress, in members: [Member]) -> MemberTable.Slot? {
    var place = home(mac)
    while buckets[place] != SlotIndex.empty {
      if members[Int(buckets[place])].record.mac == mac { return buckets[place] }
      place = next(place)
    }
    return nil
  }

  /// Adds the slot of a member whose MAC is not in it.
  mutating func insert(_ slot: MemberTable.Slot, in members: [Member]) {
    count += 1
    guard 2 * count > buckets.count else { return put(slot, in: members) }
    let former = buckets
    buckets = [MemberTable.Slot](repeating: SlotIndex.empty, count: 2 * former.count)
    for slot in former where slot != SlotIndex.empty { put(slot, in: members) }
    put(slot, in: members)
  }

  mutating func remove(_ slot: MemberTable.Slot, in members: [Member]) {
    var hole = home(members[Int(slot)].record.mac)
    while buckets[hole] != slot {
      guard buckets[hole] != SlotIndex.empty else { return }
      hole = next(hole)
    }
    count -= 1
    // Whoever stands behind it in the row, and could stand in the hole, moves there.
    var place = next(hole)
    while buckets[place] != SlotIndex.empty {
      let home = home(members[Int(buckets[place])].record.mac)
      if distance(from: home, to: place) >= distance(from: hole, to: place) {
        buckets[hole] = buckets[place]
        hole = place
      }
      place = next(place)
    }
    buckets[hole] = SlotIndex.empty
  }

  private mutating func put(_ slot: MemberTable.Slot, in members: [Member]) {
    var place = home(members[Int(slot)].record.mac)
    while buckets[place] != SlotIndex.empty { place = next(place) }
    buckets[place] = slot
  }

  private func home(_ mac: MACAddress) -> Int {
    Int(truncatingIfNeeded: SplitMix64.mix(mac.bits)) & (buckets.count - 1)
  }

  private func next(_ place: Int) -> Int { (place + 1) & (buckets.count - 1) }

  private func distance(from place: Int, to other: Int) -> Int { (other - place) & (buckets.count - 1) }
}
