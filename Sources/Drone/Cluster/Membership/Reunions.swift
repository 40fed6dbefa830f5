import Bytes

/// After a partition somebody has to begin: now and then a dead node is tried again, and rarely one that is not remembered any
/// longer, so that parts which were apart for days meet again as well.
struct Reunions {
  /// More are not kept; those that were lost first make room. Of each other part one is enough.
  static let mostStrays = 16

  private var nextRetry: UInt64
  /// Who was tried last.
  private var turn: MemberTable.Slot?
  /// Nodes that were dead for so long that the cluster has forgotten them, as they were last known.
  private(set) var strays: [NodeRecord] = []
  private var strayTurn = 0
  private var nextStray: UInt64 = .max

  init(_ random: inout SplitMix64, at now: UInt64) { nextRetry = now &+ random.next(below: Timing.retry) }

  var nextDue: UInt64 { min(nextRetry, nextStray) }

  var bytes: Int { strays.capacity * MemoryLayout<NodeRecord>.stride }

  mutating func postpone(to now: UInt64) {
    nextRetry = max(nextRetry, now)
    nextStray = max(nextStray, now)
  }

  /// A dead node is forgotten now.
  mutating func remember(_ record: NodeRecord, at now: UInt64) {
    strays.removeAll { $0.mac == record.mac }
    if strays.count >= Reunions.mostStrays { strays.removeFirst() }
    strays.append(record)
    nextStray = min(nextStray, now &+ Timing.strayRetry)
  }

  /// Tries one of all the dead if it is time, and those whose turn it is since they died.
  mutating func advance(_ view: inout MemberView) {
    if view.now >= nextRetry { retry(&view) }
    if view.now >= nextStray { retryStray(&view) }
    while let slot = view.reconnections.removeFirst(dueAt: view.now) {
      if view.table.isUsed(slot), view.table[slot].state == .dead { reconnect(view.record(slot), &view) }
    }
  }

  /// Whether it is this node's turn: so many of all do it, whatever their number.
  private func isChosen(_ view: inout MemberView) -> Bool {
    view.random.next(below: view.table.liveCount) < Timing.retriers
  }

  private mutating func retry(_ view: inout MemberView) {
    nextRetry = view.now &+ Timing.retry
    guard isChosen(&view) else { return }
    // In turn, so that one of many is not left out for long; from anywhere, so that not all call the same.
    let last = turn ?? MemberTable.Slot(truncatingIfNeeded: view.random.next(below: MemberTable.capacity))
    var chosen: MemberTable.Slot?
    for slot in view.table.slots(from: 1) where view.table[slot].state == .dead {
      if chosen == nil { chosen = slot }
      if slot > last {
        chosen = slot
        break
      }
    }
    guard let chosen else { return }
    turn = chosen
    reconnect(view.record(chosen), &view)
  }

  private mutating func retryStray(_ view: inout MemberView) {
    strays = strays.filter { view.table.slot($0.mac) == nil && !view.removals.forbids($0.mac, $0.fingerprint) }
    nextStray = strays.isEmpty ? .max : view.now &+ Timing.strayRetry
    guard !strays.isEmpty, isChosen(&view) else { return }
    strayTurn = strayTurn + 1 < strays.count ? strayTurn + 1 : 0
    reconnect(strays[strayTurn], &view)
  }

  /// Not where somebody lives by now, this node perhaps: there is nobody to be met again.
  private func reconnect(_ record: NodeRecord, _ view: inout MemberView) {
    guard view.member(at: record.addresses.primary) == nil else { return }
    view.commands.append(.reconnect(record))
  }
}
