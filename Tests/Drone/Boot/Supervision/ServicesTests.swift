import ProcessControl
import Reporting
import TestSupport
import Testing

@testable import Supervision

private typealias Rules = Services<String>

@Suite("What process 1 does when something ends")
struct ServicesTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func line(_ state: BootStep.State, _ text: String, everywhere: Bool = false) -> Rules.Command {
    .report(state, name: bytes("x"), bytes(text), everywhere: everywhere)
  }

  /// One service, started at 0 as process 7.
  private func running(_ renewal: Renewal) -> Rules {
    var rules = Rules()
    #expect(rules.keep(bytes("x"), "job", renewal, at: 0) == [.start(0, isFirst: true, isQuiet: false)])
    rules.receiveStart(0, process: 7)
    return rules
  }

  @Test("what is kept is started at once, and then there is nothing to do")
  func start() {
    var rules = running(.always)
    #expect(rules.job(0) == "job")
    #expect(rules.job(1) == nil)
    #expect(rules.nextDue == nil)
    #expect(rules.step(at: .max) == [])
  }

  @Test(
    "a program is started again or not as its renewal and its end say",
    arguments: [
      (.always, .exited(0), true), (.always, .exited(1), true), (.always, .killed(signal: 9), true),
      (.afterFailure, .exited(0), false), (.afterFailure, .exited(toldToEnd), false), (.afterFailure, .exited(1), true),
      (.afterFailure, .killed(signal: 15), true), (.afterFailure, .killed(signal: 11), true),
      (.never, .exited(0), false), (.never, .exited(1), false), (.never, .killed(signal: 11), false),
      (.untilSuccess, .exited(0), false), (.untilSuccess, .exited(toldToEnd), false), (.untilSuccess, .exited(1), true),
      (.untilSuccess, .killed(signal: 15), false), (.untilSuccess, .killed(signal: 9), false),
      (.untilSuccess, .killed(signal: 11), true),
    ] as [(Renewal, Ending, Bool)])
  func renewal(_ renewal: Renewal, _ ending: Ending, _ expected: Bool) {
    var rules = running(renewal)
    _ = rules.receiveEnd(of: 7, ending, at: 5)
    #expect(rules.nextDue == (expected ? 5 : nil))
    #expect(rules.step(at: 4) == [])
    #expect(rules.step(at: 5).count == (expected ? 1 : 0))
  }

  @Test("a shell is renewed without a word; what failed is told, and its group ended before its successor starts")
  func words() {
    var shell = running(.always)
    #expect(shell.receiveEnd(of: 7, .killed(signal: 9), at: 5) == [])
    #expect(shell.step(at: 5) == [.start(0, isFirst: false, isQuiet: false)])

    var network = running(.afterFailure)
    #expect(
      network.receiveEnd(of: 7, .exited(1), at: 5) == [
        .endGroup(of: 7), line(.failed, "it ended with exit status 1; it is started again"),
      ])
  }

  @Test("a program that keeps ending at once is started ever later, and a useful life makes up for it")
  func backOff() {
    var rules = running(.always)
    var now: UInt64 = 0
    var waits: [UInt64] = []
    for process in Int32(7)..<12 {
      _ = rules.receiveEnd(of: process, .exited(0), at: now)
      let due = rules.nextDue ?? .max
      waits.append(due - now)
      now = due
      #expect(rules.step(at: now).count == 1)
      rules.receiveStart(0, process: process + 1)
    }
    #expect(waits == [0, 1000, 2000, 4000, 8000])
    _ = rules.receiveEnd(of: 12, .exited(0), at: now + BackOff.usefulMilliseconds)
    #expect(rules.nextDue == now + BackOff.usefulMilliseconds)
  }

  @Test("a program that cannot be started is tried again, and named until there is nothing new to say")
  func failedStart() {
    var rules = Rules()
    _ = rules.keep(bytes("x"), "job", .never, at: 0)
    var now: UInt64 = 0
    var lines = 0
    for _ in 0..<20 {
      lines += rules.receiveFailedStart(0, bytes("start /x: no such file"), at: now).count
      now = rules.nextDue ?? .max
      #expect(rules.step(at: now) == [.start(0, isFirst: false, isQuiet: false)])
    }
    #expect(lines == 7)
    #expect(rules.receiveFailedStart(1, [], at: 0) == [])
  }

  @Test("what is tried until it succeeds says its first failure, then only new reasons, and that it is done at last")
  func untilSuccess() {
    var rules = running(.untilSuccess)
    #expect(
      rules.receiveEnd(of: 7, .exited(1), at: 0) == [
        .endGroup(of: 7), line(.degraded, "it ended with exit status 1; it is tried again, quietly"), .readReason(0),
      ])
    // The first run has said it itself.
    #expect(rules.receiveReason(0, bytes("no address yet")) == [])
    for (process, reason, told) in [(Int32(8), "no address yet", false), (9, "", false), (10, "refused", true)] {
      #expect(rules.step(at: .max) == [.start(0, isFirst: false, isQuiet: true)])
      rules.receiveStart(0, process: process)
      #expect(rules.receiveEnd(of: process, .killed(signal: 11), at: 0) == [.endGroup(of: process), .readReason(0)])
      #expect(rules.receiveReason(0, bytes(reason)) == (told ? [line(.degraded, reason, everywhere: true)] : []))
    }
    #expect(rules.step(at: .max).count == 1)
    rules.receiveStart(0, process: 11)
    #expect(rules.receiveEnd(of: 11, .exited(0), at: 0) == [line(.ok, "done at last", everywhere: true)])
    #expect(rules.nextDue == nil)
  }

  @Test(
    "who was told to end, or ended by somebody, is not called done",
    arguments: [Ending.exited(toldToEnd), .killed(signal: 15)])
  func notDone(_ ending: Ending) {
    var rules = running(.untilSuccess)
    _ = rules.receiveEnd(of: 7, .exited(1), at: 0)
    _ = rules.step(at: 0)
    rules.receiveStart(0, process: 8)
    #expect(rules.receiveEnd(of: 8, ending, at: 0) == [])
  }

  @Test(
    "certaintyd starts again after a fault, not against the operator's will",
    arguments: [
      (.exited(CertaintydExit.impossible), false, nil),
      (
        .killed(signal: 15), false,
        (BootStep.State.degraded, "it was killed by signal 15; nothing watches the root any longer", true)
      ),
      (
        .killed(signal: 9), false,
        (.degraded, "it was killed by signal 9; nothing watches the root any longer", true)
      ),
      (.killed(signal: 11), true, (.failed, "it was killed by signal 11; it is started again", false)),
      (.exited(CertaintydExit.notNow), true, (.failed, "it ended with exit status 3; it is started again", false)),
      (.exited(0), true, (.failed, "it ended with exit status 0; it is started again", false)),
    ] as [(Ending, Bool, (BootStep.State, String, Bool)?)])
  func guarding(_ ending: Ending, _ isRenewed: Bool, _ told: (BootStep.State, String, Bool)?) {
    var rules = running(.guarding(locked: false))
    let lines = told.map { [line($0.0, $0.1, everywhere: $0.2)] } ?? []
    #expect(rules.receiveEnd(of: 7, ending, at: 5) == [.forgetRootWatch] + lines)
    #expect((rules.nextDue != nil) == isRenewed)
  }

  @Test(
    "any end of a locked certaintyd restarts the drone, and so does stopping it; that it cannot watch can be read first",
    arguments: [
      (.exited(CertaintydExit.impossible), "it cannot watch the root", 10_000),
      (.exited(0), "it ended with exit status 0", 0), (.killed(signal: 15), "it was killed by signal 15", 0),
      (.killed(signal: 11), "it was killed by signal 11", 0), (.stopped(signal: 20), "it was stopped by signal 20", 0),
    ] as [(Ending, String, Int)])
  func locked(_ ending: Ending, _ what: String, _ milliseconds: Int) {
    var rules = running(.guarding(locked: true))
    #expect(
      rules.receiveEnd(of: 7, ending, at: 5) == [
        .forgetRootWatch, line(.failed, what + ", and the boot line says certaintyd=locked: the drone restarts"),
        .shutDown(.restart, reason: bytes("loss of integrity"), afterMilliseconds: milliseconds),
      ])
  }

  @Test(
    "a stop is no end, but for a locked certaintyd",
    arguments: [.always, .afterFailure, .never, .untilSuccess, .guarding(locked: false)] as [Renewal])
  func stopped(_ renewal: Renewal) {
    var rules = running(renewal)
    #expect(rules.receiveEnd(of: 7, .stopped(signal: 20), at: 5) == [])
    #expect(rules.nextDue == nil)
    #expect(rules.receiveEnd(of: 8, .stopped(signal: 20), at: 5) == [])
  }

  @Test("of what others started, only who ended by a fault is looked up; with a record it becomes a service")
  func adoption() {
    var rules = running(.untilSuccess)
    #expect(rules.receiveEnd(of: 99, .exited(0), at: 5) == [])
    #expect(rules.receiveEnd(of: 99, .killed(signal: 11), at: 5) == [.findRecord(of: 99, .killed(signal: 11))])
    // The first run went to the background and ended well.
    #expect(rules.receiveEnd(of: 7, .exited(0), at: 5) == [])
    #expect(
      rules.adopt(bytes("x"), "other", after: .killed(signal: 11), at: 6) == [
        line(.failed, "it was killed by signal 11; it is started again")
      ])
    #expect(rules.job(0) == nil)
    #expect(rules.job(1) == "other")
    #expect(rules.step(at: 6) == [.start(1, isFirst: false, isQuiet: false)])
    rules.receiveStart(1, process: 100)
    #expect(rules.receiveEnd(of: 100, .exited(toldToEnd), at: 7) == [])
    #expect(rules.nextDue == nil)
  }

  @Test(
    "a program that goes to the background and keeps ending there is adopted ever later, and a useful life makes up for it"
  )
  func adoptionBacksOff() {
    var rules = running(.untilSuccess)
    _ = rules.receiveEnd(of: 7, .exited(0), at: 5)
    var now: UInt64 = 10
    var waits: [UInt64] = []
    for number in 1..<6 {
      _ = rules.adopt(bytes("x"), "job", after: .killed(signal: 11), at: now)
      let due = rules.nextDue ?? .max
      waits.append(due - now)
      now = due
      #expect(rules.step(at: now) == [.start(number, isFirst: false, isQuiet: false)])
      rules.receiveStart(number, process: 100)
      // Its child goes on in the background.
      #expect(rules.receiveEnd(of: 100, .exited(0), at: now) == [])
    }
    #expect(waits == [0, 1000, 2000, 4000, 8000])
    now += BackOff.usefulMilliseconds
    _ = rules.adopt(bytes("x"), "job", after: .killed(signal: 11), at: now)
    #expect(rules.nextDue == now)
  }

  @Test("a service of the same name that runs is kept beside the one that is adopted")
  func besides() {
    var rules = running(.always)
    _ = rules.adopt(bytes("x"), "other", after: .exited(1), at: 6)
    #expect(rules.job(0) == "job")
    #expect(rules.job(1) == "other")
  }

  @Test(
    "signals order the drone's end",
    arguments: [
      (15, (.restart, "SIGTERM")), (2, (.restart, "Ctrl-Alt-Del")), (10, (.halt, "SIGUSR1")),
      (12, (.powerOff, "SIGUSR2")), (30, (.powerOff, "the power is failing")), (1, nil), (3, nil), (9, nil), (17, nil),
      (18, nil), (0, nil), (-1, nil), (.max, nil),
    ] as [(Int32, (MachineEnd, String)?)])
  func orders(_ signal: Int32, _ order: (MachineEnd, String)?) {
    let expected = order.map { [Rules.Command.shutDown($0.0, reason: bytes($0.1), afterMilliseconds: 0)] }
    #expect(Rules().receiveSignal(signal) == expected ?? [])
  }

  @Test("whatever happens: one run of a service at a time, none of what must not run again, and no wait above 32 s")
  func everything() {
    for seed in 0..<UInt64(300) {
      var generator = SeededGenerator(seed: seed)
      var life = Life(&generator)
      let fault = life.firstFault(&generator)
      #expect(fault == nil, "seed \(seed)")
    }
  }
}

/// A process 1 whose programs end as they like.
private struct Life {
  private var rules = Rules()
  private var renewals: [Int: Renewal] = [:]
  private var processes: [Int: Int32] = [:]
  private var over: Set<Int> = []
  private var now: UInt64 = 0
  private var nextProcess: Int32 = 2
  private var fault: String?

  init(_ generator: inout SeededGenerator) {
    for number in 0..<5 {
      let all: [Renewal] = [
        .always, .afterFailure, .never, .untilSuccess, .guarding(locked: false), .guarding(locked: true),
      ]
      renewals[number] = all.randomElement(using: &generator) ?? .never
    }
  }

  mutating func firstFault(_ generator: inout SeededGenerator) -> String? {
    for number in 0..<5 {
      perform(rules.keep([UInt8(number)], "", renewals[number] ?? .never, at: now), &generator)
    }
    for _ in 0..<200 where fault == nil {
      now += UInt64.random(in: 0...20_000, using: &generator)
      if Bool.random(using: &generator) { perform(rules.step(at: now), &generator) }
      if let (number, process) = processes.min(by: { $0.value < $1.value }),
        Int.random(in: 0..<3, using: &generator) > 0
      {
        let endings: [Ending] = [
          .exited(0), .exited(1), .exited(2), .exited(3), .killed(signal: 9), .killed(signal: 11), .stopped(signal: 20),
        ]
        let ending = endings.randomElement(using: &generator) ?? .exited(0)
        if !ending.isStop {
          processes[number] = nil
          if renewals[number] == .never { over.insert(number) }
          if renewals[number] != .always, hasDoneItsWork(ending), renewals[number] != .guarding(locked: false),
            renewals[number] != .guarding(locked: true)
          {
            over.insert(number)
          }
        }
        perform(rules.receiveEnd(of: process, ending, at: now), &generator)
      }
      if let due = rules.nextDue, due > now + BackOff.longestMilliseconds { fault = "due at \(due), it is \(now)" }
    }
    return fault
  }

  private mutating func perform(_ commands: [Rules.Command], _ generator: inout SeededGenerator) {
    for command in commands {
      switch command {
      case .start(let number, _, _):
        if processes[number] != nil { fault = "\(number) runs already" }
        if over.contains(number) { fault = "\(number) must not run again" }
        if Int.random(in: 0..<4, using: &generator) == 0 {
          perform(rules.receiveFailedStart(number, [], at: now), &generator)
        } else {
          processes[number] = nextProcess
          rules.receiveStart(number, process: nextProcess)
          nextProcess += 1
        }
      case .endGroup(let process):
        if processes.values.contains(process) { fault = "the group of \(process), which runs, is ended" }
      case .readReason(let number):
        perform(rules.receiveReason(number, [UInt8.random(in: 0...2, using: &generator)]), &generator)
      case .shutDown:
        if !renewals.values.contains(.guarding(locked: true)) { fault = "the drone ends for nothing" }
      case .findRecord, .forgetRootWatch, .report: break
      }
    }
  }
}
