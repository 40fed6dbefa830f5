import Bytes

/// After a partition somebody has to begin: now and then a dead node is tried again.
struct Reunions {
  private var nextRetry: UInt64

  init(_ random: inout SplitMix64, at now: UInt64) { nextRetry = now &+ random.next(below: Timing.retry) }

  var nextDue: UInt64 { nextRetry }

  mutating func postpone(to now: UInt64) { nextRetry = max(nextRetry, now) }

  /// Tries one of all the dead if it is time, and those whose turn it is since they died.
  mutating func advance(_ view: inout MemberView) {
    if view.now >= nextRetry { retry(&view) }
    while let slot = view.reconnections.removeFirst(dueAt: view.now) {
      if view.table.isUsed(slot), view.table[slot].state == .dead { reconnect(slot, &view) }
    }
  }

  private mutating func retry(_ view: inout MemberView) {
    nextRetry = view.now &+ Timing.retry
    guard view.random.next(below: view.table.liveCount) < Timing.retriers else { return }
    var seen = 0
    var chosen: MemberTable.Slot?
    for slot in view.table.slots(from: 1) where view.table[slot].state == .dead {
      seen += 1
      if view.random.next(below: seen) == 0 { chosen = slot }
    }
    if let chosen { reconnect(chosen, &view) }
  }

  /// Not where somebody lives by now, this node perhaps: there is nobody to be met again.
  private func reconnect(_ slot: MemberTable.Slot, _ view: inout MemberView) {
    let record = view.record(slot)
    guard view.member(at: record.addresses.primary) == nil else { return }
    view.commands.append(.reconnect(record))
  }
}
