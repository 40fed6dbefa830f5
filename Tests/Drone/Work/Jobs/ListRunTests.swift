import TestSupport
import Testing

@testable import Jobs

/// Which job of a list runs when, and whose output is shown.
@Suite struct ListRunTests {
  /// Begins what can begin of a list, and gives the numbers.
  private func begin(_ run: inout ListRun, _ list: inout [String]) -> [Int] {
    var begun: [Int] = []
    while true {
      if let start = run.next() {
        begun.append(start.job.number)
      } else if run.wantsLine, !list.isEmpty {
        run.add(line: [UInt8](list.removeFirst().utf8))
      } else {
        if list.isEmpty { run.endList() }
        return begun
      }
    }
  }

  @Test("no more jobs run than may, the next of the list begins when one has ended")
  func slots() {
    var run = ListRun(slots: 2)
    var list = ["a", "b", "c", "d"]
    #expect(begin(&run, &list) == [1, 2])
    #expect(list == ["c", "d"])
    #expect(run.ended(2, succeeded: true).isEmpty)
    #expect(begin(&run, &list) == [3])
    #expect(run.ended(1, succeeded: true) == [1, 2, 3])
    #expect(begin(&run, &list) == [4])
    #expect(run.ended(3, succeeded: true) == [3, 4])
    #expect(!run.isOver)
    #expect(run.ended(4, succeeded: true) == [4])
    #expect(run.isOver && run.exitStatus == 0)
  }

  @Test("the first job that is not over is shown directly, later ones are kept until then")
  func turns() {
    var run = ListRun(slots: 3)
    var list = ["a", "b", "c"]
    _ = begin(&run, &list)
    #expect([1, 2, 3].map { run.showing($0) } == [.direct, .kept, .kept])
    #expect(run.ended(1, succeeded: false) == [1, 2])
    #expect([2, 3].map { run.showing($0) } == [.direct, .kept])
    var tagged = ListRun(slots: 2, isOrdered: false)
    list = ["a", "b"]
    _ = begin(&tagged, &list)
    #expect([1, 2].map { tagged.showing($0) } == [.direct, .direct])
    #expect(tagged.ended(1, succeeded: true).isEmpty)
  }

  @Test("a job that failed is tried again before new ones begin, and shown only by its last try")
  func retries() {
    var run = ListRun(slots: 1, retries: 2)
    var list = ["a", "b"]
    #expect(begin(&run, &list) == [1])
    #expect(run.showing(1) == .kept)
    #expect(run.ended(1, succeeded: false).isEmpty)
    #expect(run.next() == ListRun.Start(job: ListedJob(number: 1, line: [97]), isAgain: true))
    #expect(run.showing(1) == .kept)
    #expect(run.ended(1, succeeded: false).isEmpty)
    #expect(begin(&run, &list) == [1])
    // Nothing comes after its last try.
    #expect(run.showing(1) == .direct)
    #expect(run.ended(1, succeeded: false) == [1])
    #expect(begin(&run, &list) == [2])
    #expect(run.ended(2, succeeded: true) == [2])
    #expect(run.isOver && run.exitStatus == 1)
  }

  @Test("what a failed try left is not shown when the job's turn comes before its next try")
  func noTurnBetweenTries() {
    var run = ListRun(slots: 2, retries: 1)
    var list = ["a", "b"]
    _ = begin(&run, &list)
    #expect(run.ended(2, succeeded: false).isEmpty)
    #expect(run.ended(1, succeeded: true) == [1])
    #expect(run.next()?.isAgain == true)
    #expect(run.showing(2) == .direct)
    #expect(run.ended(2, succeeded: true) == [2])
  }

  @Test("without room a job waits with its output until its turn, and is shown then though it may be tried again")
  func noRoom() {
    var run = ListRun(slots: 2, retries: 1)
    var list = ["a", "b"]
    _ = begin(&run, &list)
    #expect(run.cannotKeep(2).isEmpty)
    #expect(run.showing(2) == .held)
    #expect(run.cannotKeep(1) == [1])
    #expect(run.showing(1) == .direct)
    #expect(run.cannotKeep(1).isEmpty)
    #expect(run.ended(1, succeeded: true) == [1, 2])
    #expect(run.showing(2) == .direct)
  }

  @Test("after a signal nothing begins any more, and what has run is shown")
  func stop() {
    var run = ListRun(slots: 3, retries: 5)
    var list = ["a", "b", "c", "d"]
    _ = begin(&run, &list)
    #expect(run.ended(2, succeeded: false).isEmpty)
    // Its next try would be the last that counts: so this one is.
    #expect(run.stop() == [1])
    #expect(run.showing(1) == .direct)
    #expect(run.next() == nil && !run.wantsLine && !run.isOver)
    #expect(run.stop().isEmpty)
    #expect(run.ended(1, succeeded: false) == [1, 2, 3])
    #expect(run.ended(3, succeeded: false) == [3])
    #expect(run.isOver && run.exitStatus == 3)
  }

  @Test("a job that cannot begin waits for another one's end, and then fewer run at once")
  func postponed() {
    var run = ListRun(slots: 3)
    var list = ["a", "b", "c", "d"]
    #expect(begin(&run, &list) == [1, 2, 3])
    let isLater = run.postpone(3)
    #expect(isLater)
    #expect(begin(&run, &list).isEmpty)
    _ = run.ended(1, succeeded: true)
    #expect(begin(&run, &list) == [3])
    _ = run.ended(2, succeeded: true)
    #expect(begin(&run, &list) == [4])
    _ = run.ended(3, succeeded: true)
    let isAlone = !run.postpone(4)
    #expect(isAlone)
  }

  static let statuses: [(failed: Int, status: Int32)] = [(0, 0), (1, 1), (100, 100), (101, 101), (5000, 101)]

  @Test("the exit status is the number of jobs that failed, 101 for more than 100", arguments: statuses)
  func status(_ failed: Int, _ status: Int32) {
    var run = ListRun(slots: 1)
    for number in 1..<(failed + 1) {
      run.add(line: [65])
      _ = run.next()
      _ = run.ended(number, succeeded: false)
    }
    #expect(run.exitStatus == status)
  }

  /// Carries out what a `ListRun` says, in memory.
  private struct Carrier {
    var run: ListRun
    var kept: [Int: String] = [:]
    var shown = ""
    var begun = 0

    mutating func write(_ number: Int, _ text: String, hasRoom: Bool) {
      switch run.showing(number) {
      case .direct: shown += text
      case .held: break
      case .kept:
        kept[number, default: ""] += text
        if !hasRoom { show(run.cannotKeep(number)) }
      }
    }

    mutating func show(_ numbers: [Int]) { for number in numbers { shown += kept.removeValue(forKey: number) ?? "" } }
  }

  @Test("whatever the order of ends and tries, every job's last output is shown once, whole, in the order of the list")
  func everyOrder() {
    let fault = Fuzzing.one(in: 20).firstFault { generator in
      let slots = Int.random(in: 1...6, using: &generator)
      let retries = Int.random(in: 0...2, using: &generator)
      let jobs = Int.random(in: 0...30, using: &generator)
      let isStoppedAt = Bool.random(using: &generator) ? Int.random(in: 0...60, using: &generator) : Int.max
      let lacksRoom = UInt8.random(in: 0..<4, using: &generator) == 0
      var carrier = Carrier(run: ListRun(slots: slots, retries: retries))
      var running: [(number: Int, pieces: Int)] = []
      var expected: [Int: String] = [:]
      var listed = 0
      var failed: Set<Int> = []
      var steps = 0
      while !carrier.run.isOver {
        steps += 1
        if steps == isStoppedAt {
          carrier.show(carrier.run.stop())
          continue
        }
        if steps > 10_000 { return "it does not end" }
        if let start = carrier.run.next() {
          let number = start.job.number
          if start.isAgain { carrier.kept[number] = nil }
          // What was shown for want of room stays shown.
          expected[number] = lacksRoom ? expected[number] ?? "" : ""
          running.append((number, Int.random(in: 0...4, using: &generator)))
          if running.count > slots { return "more run than may" }
        } else if carrier.run.wantsLine, listed < jobs {
          listed += 1
          carrier.run.add(line: [UInt8(listed)])
        } else if carrier.run.wantsLine {
          carrier.run.endList()
        } else {
          // One that is held neither says anything nor ends.
          let free = running.indices.filter { carrier.run.showing(running[$0].number) != .held }
          guard let place = free.randomElement(using: &generator) else { return "all wait for each other" }
          let number = running[place].number
          if running[place].pieces > 0 {
            running[place].pieces -= 1
            let text = "\(number):\(UInt16.random(in: 0...999, using: &generator)) "
            expected[number, default: ""] += text
            carrier.write(number, text, hasRoom: !lacksRoom)
          } else {
            running.remove(at: place)
            let succeeded = Bool.random(using: &generator)
            if succeeded { failed.remove(number) } else { failed.insert(number) }
            carrier.show(carrier.run.ended(number, succeeded: succeeded))
          }
        }
      }
      let all = expected.keys.sorted().map { expected[$0] ?? "" }.joined()
      if carrier.shown != all { return "shown: \(carrier.shown), expected: \(all)" }
      if carrier.run.failed != failed.count { return "\(carrier.run.failed) failed, expected: \(failed.count)" }
      return carrier.kept.isEmpty ? nil : "kept for ever: \(carrier.kept)"
    }
    #expect(fault == nil)
  }
}
