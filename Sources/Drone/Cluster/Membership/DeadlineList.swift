/// Nodes to which something happens at a time unless they speak up before.
struct DeadlineList {
  private var entries: [(slot: MemberTable.Slot, deadline: UInt64)] = []

  var count: Int { entries.count }

  var bytes: Int { entries.capacity * MemoryLayout<(MemberTable.Slot, UInt64)>.stride }

  /// When the first one is due, in milliseconds; `UInt64.max` without any.
  var nextDue: UInt64 {
    var due = UInt64.max
    for entry in entries { due = min(due, entry.deadline) }
    return due
  }

  mutating func insert(_ slot: MemberTable.Slot, at deadline: UInt64) { entries.append((slot, deadline)) }

  mutating func remove(_ slot: MemberTable.Slot) { entries.removeAll { $0.slot == slot } }

  /// Removes and returns the first one that is due.
  mutating func removeFirst(dueAt now: UInt64) -> MemberTable.Slot? {
    entries.firstIndex { $0.deadline <= now }.map { entries.remove(at: $0).slot }
  }

  mutating func postpone(by lost: UInt64) {
    for place in entries.indices { entries[place].deadline &+= lost }
  }
}
