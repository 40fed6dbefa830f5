import NodeStatus
import Linux

/// Whom the army asks how the cluster stands, and when.
struct Inquiry {
  /// The drone that was asked last.
  private(set) var asked: Int?
  private var askedAt: UInt64 = 0
  private(set) var answeredAt: UInt64?
  private var isOpen = false

  /// For the shell on the second port: how the node sees the cluster.
  static let question = "tyd --status --json"

  static let interval: UInt64 = 2000
  static let patience: UInt64 = 8000

  /// The drone to ask now, of those that can be asked; nil while it is not yet time.
  mutating func next(_ candidates: [Int], at now: UInt64) -> Int? {
    guard let first = candidates.first, now >= askedAt + Self.interval else { return nil }
    var chosen = asked.flatMap { candidates.contains($0) ? $0 : nil } ?? first
    if isOpen {
      guard now >= askedAt + Self.patience else { return nil }
      // It does not answer: the next one.
      chosen = candidates.first { $0 > chosen } ?? first
    }
    (asked, askedAt, isOpen) = (chosen, now, true)
    return chosen
  }

  /// Whether this answer was waited for.
  mutating func answer(from index: Int, at now: UInt64) -> Bool {
    guard asked == index else { return false }
    isOpen = false
    answeredAt = now
    return true
  }

  /// That drone answers no more.
  mutating func drop(_ index: Int) {
    if asked == index { (asked, isOpen) = (nil, false) }
  }
}

// The state of the cluster, as one of its nodes reports it on its second serial port.
extension Army {
  func askDue(_ now: UInt64) {
    let candidates = progress.indices.filter { progress[$0].isMember && network.isPlugged($0) }
    guard let index = inquiry.next(candidates, at: now), let emulator = emulators[index] else { return }
    _ = try? emulator.control.sendSome([UInt8]((Inquiry.question + "\n").utf8))
  }

  func hearAnswer(_ index: Int, _ now: UInt64) {
    guard let emulator = emulators[index], let piece = read(emulator.control) else { return }
    switch progress[index].hear(control: piece, at: now) {
    case .shell: _ = try? emulator.control.sendSome([UInt8](DroneProgress.question.utf8))
    case .member: tellMember(index, now)
    case nil: break
    }
    for line in emulator.answers.read(piece) {
      guard let status = NodeStatus(line: line) else { continue }
      deathsNoted = max(deathsNoted, Int(status.deaths))
      guard inquiry.answer(from: index, at: now) else { continue }
      notice(status, now)
    }
  }

  private func notice(_ status: NodeStatus, _ now: UInt64) {
    for index in seen.indices {
      let node = status.node(at: plan.address(of: index + 1))
      let before = seen[index]?.state
      seen[index] = node
      guard let node, let before, before != node.state else { continue }
      if node.state == .dead, progress[index].isMember, network.isPlugged(index) {
        falseDeaths += 1
        report(index + 1, "is considered dead although it runs", now)
      } else if node.state == .dead || before == .dead {
        report(index + 1, node.state == .dead ? "is dead for the others" : "is \(node.state.word) again", now)
      }
    }
    show.isStale = true
  }
}
