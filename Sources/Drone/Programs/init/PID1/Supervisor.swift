import DroneLayout
import Bytes
import Linux
import MemoryBudget
import ProcessControl
import Reporting
import Supervision

/// What process 1 needs to start a program that it keeps.
private struct Job {
  let program: Program
  /// The descriptor on which its first run announces itself (`announceReady`).
  let announcement: Int32?
  /// Where a run leaves why it failed, as a sentence.
  let reason: Path?
}

/// Process 1's loop: waits for signals, collects every child that ends, and carries out what follows by the rules of `Services`.
struct Supervisor: ~Copyable {
  private var signals = SignalQueue()
  private var services = Services<Job>()
  private var awaited: Int32?
  private var awaitedEnding: Ending?
  /// Fed as long as this loop goes round.
  private var watchdogs: [Watchdog]
  private var shortages = ShortageWatch()
  private var nextLook: UInt64 = 0
  /// Between two looks for shortages, in milliseconds.
  private static let lookPause: UInt64 = 5000

  init(feeding watchdogs: [Watchdog]) { self.watchdogs = watchdogs }

  /// Feeds these from now on as well.
  mutating func feed(_ more: [Watchdog]) { watchdogs += more }

  /// Why a wait is over.
  enum Outcome: Equatable {
    case ended(Ending)
    /// The descriptor that was watched can be read or its other end is closed.
    case readable
    case timedOut
  }

  /// Starts the program and from now on keeps it running.
  /// - Parameters:
  ///   - announcement: the descriptor on which its first run announces itself.
  ///   - reason: where a run leaves why it failed, as a sentence.
  mutating func keep(
    _ name: [UInt8], _ program: Program, _ renewal: Renewal, announcement: Int32? = nil, reason: Path? = nil
  ) {
    let job = Job(program: program, announcement: announcement, reason: reason)
    perform(services.keep(name, job, renewal, at: millisecondsSinceStart()))
  }

  /// Runs a program to its end; nil when it did not end within this many milliseconds and was killed.
  mutating func complete(_ program: Program, within milliseconds: UInt64) throws(SystemError) -> Ending? {
    let process = try program.start()
    switch run(until: millisecondsSinceStart() &+ milliseconds, process: process) {
    case .ended(let ending): return ending
    case .readable, .timedOut:
      sendSignal(.kill, to: process)
      return nil
    }
  }

  /// Does process 1's work until the time is reached (nil: for ever), the process ends or the descriptor can be read.
  @discardableResult
  mutating func run(until deadline: UInt64?, process: Int32? = nil, readable: Int32 = -1) -> Outcome {
    awaited = process
    awaitedEnding = nil
    while true {
      for watchdog in watchdogs { watchdog.feed() }
      collect()
      reportShortages()
      if let ending = awaitedEnding { return .ended(ending) }
      perform(services.step(at: millisecondsSinceStart()))
      let now = millisecondsSinceStart()
      if let deadline, now >= deadline { return .timedOut }
      var wait = signals.longestWait
      if let interval = feedingInterval(watchdogs) { wait = min(wait ?? Int.max, interval) }
      for time in [deadline, services.nextDue, nextLook] {
        if let time { wait = min(wait ?? Int.max, Int(clamping: time > now ? time - now : 0)) }
      }
      let ready = waitReadable([signals.number, readable], milliseconds: wait)
      while let signal = signals.next() { perform(services.receiveSignal(signal)) }
      if ready.count > 1, ready[1] {
        collect()
        return .readable
      }
    }
  }

  /// Says on the consoles what is full or short.
  private mutating func reportShortages() {
    let now = millisecondsSinceStart()
    guard now >= nextLook else { return }
    nextLook = now &+ Self.lookPause
    for text in shortages.news(lookForShortages()) { report(.degraded, "memory", text, everywhere: true) }
  }

  /// Reaps every child that has ended, also adopted ones.
  private mutating func collect() {
    while let (process, ending) = collectChild(noticingStops: true) {
      if process == awaited, !ending.isStop { awaitedEnding = ending }
      perform(services.receiveEnd(of: process, ending, at: millisecondsSinceStart()))
    }
  }

  private mutating func perform(_ commands: [Services<Job>.Command]) {
    for command in commands {
      switch command {
      case .start(let number, let isFirst, let isQuiet): start(number, isFirst: isFirst, isQuiet: isQuiet)
      case .report(let state, let name, let text, let everywhere): report(state, name, text, everywhere: everywhere)
      case .endGroup(let process): sendSignal(.terminate, toGroupOf: process)
      case .readReason(let number):
        guard let file = services.job(number)?.reason, let sentence = try? readFile(file, limit: 1024) else { break }
        perform(services.receiveReason(number, sentence))
      case .findRecord(let process, let ending): adopt(process, ending)
      case .forgetRootWatch:
        removeFile(WatchFiles.process)
        removeFile(WatchFiles.status)
      case .shutDown(let end, let reason, let milliseconds):
        pause(milliseconds: milliseconds)
        shutDown(end, reason, watchdogs)
      }
    }
  }

  private mutating func start(_ number: Int, isFirst: Bool, isQuiet: Bool) {
    guard let job = services.job(number) else { return }
    var program = job.program
    if isFirst, let announcement = job.announcement {
      program.third = announcement
      program.environment.append([UInt8](readyVariable) + [UInt8]("=3"))
    }
    do {
      services.receiveStart(number, process: isQuiet ? try startMute(program) : try program.start())
    } catch {
      perform(services.receiveFailedStart(number, error.text, at: millisecondsSinceStart()))
    }
  }

  /// Starts a program that nobody wants to hear.
  private func startMute(_ program: Program) throws(SystemError) -> Int32 {
    var program = program
    let nowhere = try Descriptor("/dev/null", .write)
    program.output = nowhere.number
    program.error = nowhere.number
    return try program.start()
  }

  /// Looks for the record of a program that went to the background by itself and has ended by a fault.
  private mutating func adopt(_ process: Int32, _ ending: Ending) {
    for name in directoryEntries(servicesFolder) {
      guard let bytes = try? readFile(servicesFolder / name, limit: 4096), let record = ServiceRecord(bytes),
        record.process == process
      else { continue }
      let program = Program(
        Path(record.path), arguments: [name] + record.arguments, environment: standardEnvironment())
      let job = Job(program: program, announcement: nil, reason: nil)
      return perform(services.adopt(name, job, after: ending, at: millisecondsSinceStart()))
    }
  }
}

/// Where programs that went to the background by themselves leave how they are started again.
let servicesFolder = Path(DronePath.services)
