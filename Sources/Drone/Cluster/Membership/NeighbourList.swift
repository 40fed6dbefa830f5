import Bytes

/// A member with which a node speaks when nothing else happens.
struct Neighbour {
  let slot: MemberTable.Slot
  /// Next to this node on the ring of ids.
  var isNear: Bool
  /// Whether it is this node that pings.
  var isPinged: Bool
  var since: UInt64
  /// When something last came from it; nil until then.
  var heard: UInt64?
}

/// The neighbours of a node: four on each side on the ring of ids, one on each side on the others. What they are still to be told
/// refers to them by their places, one bit for each.
struct NeighbourList {
  private(set) var all: [Neighbour] = []

  var everyone: UInt16 { UInt16(truncatingIfNeeded: (1 << UInt32(all.count)) - 1) }

  func place(of slot: MemberTable.Slot) -> Int? { all.firstIndex { $0.slot == slot } }

  // MARK: What happens to them

  /// Something came from it.
  mutating func hear(_ slot: MemberTable.Slot, at now: UInt64) {
    if let place = place(of: slot) { all[place].heard = now }
  }

  /// It lives another life: its tunnel has to be made anew.
  mutating func beginAnew(_ slot: MemberTable.Slot, at now: UInt64) {
    guard let place = place(of: slot) else { return }
    all[place].since = now
    all[place].heard = nil
  }

  /// The others keep their places until the list is chosen anew.
  mutating func forget(_ slot: MemberTable.Slot, at now: UInt64) {
    guard let place = place(of: slot) else { return }
    all[place] = Neighbour(slot: .max, isNear: false, isPinged: false, since: now, heard: nil)
  }

  /// This node was not there for so long, and blames nobody.
  mutating func postpone(by lost: UInt64) {
    for place in all.indices { all[place].heard = all[place].heard.map { $0 &+ lost } }
  }

  // MARK: Choice

  /// Chooses them anew. Nil if that leaves them where they are.
  mutating func choose(from table: MemberTable, at now: UInt64) -> NeighbourChange? {
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
    var places: [Int?] = []
    for old in all {
      let place = chosen.firstIndex { $0.slot == old.slot }
      places.append(place)
      guard let place else { continue }
      chosen[place].since = old.since
      chosen[place].heard = old.heard
    }
    all = chosen
    let isSame = places.count == chosen.count && places.enumerated().allSatisfy { $0.offset == $0.element }
    return isSame ? nil : NeighbourChange(places: places, everyone: everyone)
  }
}

/// Where the neighbours of before stand now, and who is new.
struct NeighbourChange {
  private let places: [Int?]
  let newcomers: UInt16

  init(places: [Int?], everyone: UInt16) {
    self.places = places
    var newcomers = everyone
    for case .some(let place) in places { newcomers &= ~(1 << UInt16(place)) }
    self.newcomers = newcomers
  }

  /// The same neighbours at their new places.
  func moved(_ mask: UInt16) -> UInt16 {
    guard mask != 0 else { return 0 }
    var out: UInt16 = 0
    for (old, place) in places.enumerated() where mask & 1 << UInt16(old) != 0 {
      if let place { out |= 1 << UInt16(place) }
    }
    return out
  }
}
