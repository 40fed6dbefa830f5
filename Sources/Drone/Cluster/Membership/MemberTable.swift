import Addresses
import Bytes

/// A node as this one knows it.
struct Member {
  var record: NodeRecord
  var state: NodeState
  /// When the state began, in milliseconds of this node's clock.
  var since: UInt64
  /// When the record's uptime was true, in milliseconds of this node's clock.
  var uptimeAt: UInt64
  var vitalsSequence: UInt8
  /// Neighbours, one bit for each place in the list, that are still to be told of the state, or of the whole record when
  /// `owesRecord` says so.
  var owed: UInt16 = 0
  var owesRecord = false
  /// Whether it is listed among those that owe.
  var isPending = false
  /// The same for the vitals.
  var vitalsOwed: UInt16 = 0

  var status: NodeStatus {
    NodeStatus(mac: record.mac, state: state, tag: record.tag, incarnation: record.incarnation)
  }

  /// What all have to agree on: that this life of the node, with this incarnation, is a member.
  var digest: UInt64 {
    SplitMix64.mix(SplitMix64.mix(record.mac.bits) ^ UInt64(record.incarnation) << 32 ^ UInt64(record.tag))
  }

  func uptime(at now: UInt64) -> UInt32 {
    UInt32(clamping: UInt64(record.uptime) &+ (now > uptimeAt ? (now - uptimeAt) / 1000 : 0))
  }
}

/// All nodes that are known, in slots that they keep; slot 0 is this node. The live ones stand on three rings.
///
/// Ring 0 is in the order of ids; its neighbours watch each other. Rings 1 and 2 are in orders that are as good as random.
/// The union of two random rings is an expander (Law and Siu 2003), so news crosses 1,000 nodes in a few hops; each ring
/// links a node with exactly two others, both ways, and a newcomer changes the links of its two neighbours alone.
struct MemberTable {
  typealias Slot = UInt16

  /// More nodes are not remembered. The oldest of the dead make room for newcomers.
  static let capacity = 2048
  static let rings = 3
  static let own: Slot = 0

  private(set) var members: [Member] = []
  private var isUsed: [Bool] = []
  private var index = SlotIndex()
  private var order: ([Slot], [Slot], [Slot]) = ([], [], [])
  /// The digest over all live members, and over those of each bucket.
  private(set) var digest: UInt64 = 0
  /// Changes whenever a ring does.
  private(set) var ringGeneration: UInt32 = 0

  init(own: Member) { _ = insert(own) }

  var liveCount: Int { order.0.count }

  /// The table's memory in bytes, by the sizes of its parts.
  var bytes: Int {
    let slots = members.capacity * MemoryLayout<Member>.stride + isUsed.capacity
    let rings = (order.0.capacity + order.1.capacity + order.2.capacity) * MemoryLayout<Slot>.stride
    return slots + rings + index.bytes
  }

  subscript(slot: Slot) -> Member { members[Int(slot)] }

  func slot(_ mac: MACAddress) -> Slot? { index.slot(mac, in: members) }

  /// The slots in use, from `first` on.
  func slots(from first: Slot = 0) -> some Sequence<Slot> {
    (Int(first)..<max(Int(first), members.count)).lazy.filter { isUsed[$0] }.map { Slot($0) }
  }

  func isUsed(_ slot: Slot) -> Bool { Int(slot) < isUsed.count && isUsed[Int(slot)] }

  /// The first live member with this id.
  func live(_ id: NodeID) -> Slot? {
    let place = lowerBound(UInt64(id) << 48, on: 0)
    guard place < order.0.count, members[Int(order.0[place])].record.id == id else { return nil }
    return order.0[place]
  }

  /// The live member whose datagrams come from this address.
  func live(at address: IPv4Address) -> Slot? {
    // Without a closure over the table: with many nodes this is asked as often as anything.
    for place in members.indices
    where members[place].record.addresses.primary == address && isUsed[place] && members[place].state.isLive {
      return Slot(place)
    }
    return nil
  }

  /// Whether a live member has this address among others, another machine than `mac`.
  func isTaken(_ address: InternetAddress, byOtherThan mac: MACAddress) -> Bool {
    for place in members.indices where isUsed[place] && members[place].state.isLive {
      let isTaken =
        switch address {
        case .ipv4(let address): members[place].record.addresses.contains(address)
        case .ipv6(let address): members[place].record.addresses6.all.contains(address)
        }
      if isTaken, members[place].record.mac != mac { return true }
    }
    return false
  }

  /// What stands `distance` places after a live member on a ring, or before it when negative; nil for itself.
  func neighbour(of slot: Slot, on ring: Int, distance: Int) -> Slot? {
    let count = self.count(ring)
    let place = lowerBound(key(slot, on: ring), on: ring)
    guard place < count, entry(place, on: ring) == slot else { return nil }
    // Both within 0..<count, since the remainder has the sign of the distance.
    let other = entry((place + distance % count + count) % count, on: ring)
    return other == slot ? nil : other
  }

  /// Adds a member whose MAC is not known yet; nil when the table is full.
  mutating func insert(_ member: Member) -> Slot? {
    let slot: Slot
    if index.count < members.count, let free = isUsed.firstIndex(of: false) {
      slot = Slot(free)
      members[free] = member
      isUsed[free] = true
    } else if members.count < MemberTable.capacity {
      // Growing by halves would waste what a drone has not got.
      if members.count == members.capacity { members.reserveCapacity(members.count + 64) }
      slot = Slot(members.count)
      members.append(member)
      isUsed.append(true)
    } else {
      return nil
    }
    index.insert(slot, in: members)
    if member.state.isLive { enter(slot) }
    return slot
  }

  mutating func forget(_ slot: Slot) {
    guard slot != MemberTable.own, isUsed(slot) else { return }
    if members[Int(slot)].state.isLive { leave(slot) }
    index.remove(slot, in: members)
    members[Int(slot)].owed = 0
    members[Int(slot)].vitalsOwed = 0
    members[Int(slot)].isPending = false
    isUsed[Int(slot)] = false
  }

  /// Changes what is not seen from outside: debts, vitals, times.
  mutating func note(_ slot: Slot, _ change: (inout Member) -> Void) { change(&members[Int(slot)]) }

  /// Changes anything but the MAC; rings and digests follow.
  mutating func change(_ slot: Slot, _ change: (inout Member) -> Void) {
    let before = members[Int(slot)]
    var after = before
    change(&after)
    let moves = before.state.isLive != after.state.isLive || before.record.id != after.record.id
    if before.state.isLive {
      if moves { leave(slot) } else { digest ^= before.digest }
    }
    members[Int(slot)] = after
    if after.state.isLive {
      if moves { enter(slot) } else { digest ^= after.digest }
    }
  }

  /// Makes the member in `slot` this node's own, and the other way round.
  mutating func exchangeOwn(with slot: Slot) {
    guard slot != MemberTable.own, isUsed(slot) else { return }
    for changed in [MemberTable.own, slot] { index.remove(changed, in: members) }
    members.swapAt(Int(MemberTable.own), Int(slot))
    for changed in [MemberTable.own, slot] { index.insert(changed, in: members) }
    func exchange(_ order: inout [Slot]) {
      let places = (order.firstIndex(of: MemberTable.own), order.firstIndex(of: slot))
      if let place = places.0 { order[place] = slot }
      if let place = places.1 { order[place] = MemberTable.own }
    }
    exchange(&order.0)
    exchange(&order.1)
    exchange(&order.2)
    ringGeneration &+= 1
  }

  // MARK: Digests

  static func bucket(_ mac: MACAddress) -> Int { Int(SplitMix64.mix(mac.bits) >> 40 & UInt64(DigestTable.buckets - 1)) }

  func digests() -> [UInt32] {
    var out = [UInt32](repeating: 0, count: DigestTable.buckets)
    for slot in order.0 {
      let member = members[Int(slot)]
      out[MemberTable.bucket(member.record.mac)] ^= UInt32(truncatingIfNeeded: member.digest)
    }
    return out
  }

  // MARK: Rings

  private func count(_ ring: Int) -> Int { ring == 0 ? order.0.count : ring == 1 ? order.1.count : order.2.count }

  private func entry(_ place: Int, on ring: Int) -> Slot {
    ring == 0 ? order.0[place] : ring == 1 ? order.1[place] : order.2[place]
  }

  private func key(_ slot: Slot, on ring: Int) -> UInt64 {
    let mac = members[Int(slot)].record.mac.bits
    return switch ring {
    case 0: UInt64(members[Int(slot)].record.id) << 48 | mac
    case 1: SplitMix64.mix(mac ^ 0x6A09_E667_F3BC_C908)
    default: SplitMix64.mix(mac ^ 0xBB67_AE85_84CA_A73B)
    }
  }

  private func lowerBound(_ wanted: UInt64, on ring: Int) -> Int {
    var low = 0
    var high = count(ring)
    while low < high {
      let middle = (low + high) / 2
      if key(entry(middle, on: ring), on: ring) < wanted { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func enter(_ slot: Slot) {
    digest ^= members[Int(slot)].digest
    ringGeneration &+= 1
    let places = (0..<MemberTable.rings).map { lowerBound(key(slot, on: $0), on: $0) }
    order.0.insert(slot, at: places[0])
    order.1.insert(slot, at: places[1])
    order.2.insert(slot, at: places[2])
  }

  private mutating func leave(_ slot: Slot) {
    digest ^= members[Int(slot)].digest
    ringGeneration &+= 1
    let places = (0..<MemberTable.rings).map { lowerBound(key(slot, on: $0), on: $0) }
    if places[0] < order.0.count, order.0[places[0]] == slot { order.0.remove(at: places[0]) }
    if places[1] < order.1.count, order.1[places[1]] == slot { order.1.remove(at: places[1]) }
    if places[2] < order.2.count, order.2[places[2]] == slot { order.2.remove(at: places[2]) }
  }
}
