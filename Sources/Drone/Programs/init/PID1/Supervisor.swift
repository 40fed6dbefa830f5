import Bytes
import Linux
import ProcessControl
import Reporting
import Supervision

/// A program that process 1 keeps an eye on.
struct Service {
  enum Renewal {
    /// Whenever it ends.
    case always
    /// When it ends other than by an exit status that is final.
    case afterFailure
    case never
    /// Until it has ended with an exit status that is final or somebody has ended it. Only the first run may speak, and only its end is told;
    /// later ones when `failure` says something new.
    case untilSuccess
    /// certaintyd: again after a fault, not against the operator's will; `locked`: its end restarts the drone.
    case guarding(locked: Bool)
  }

  let name: [UInt8]
  let program: Program
  let renewal: Renewal
  /// The descriptor on which its first run announces itself (`announceReady`).
  var announcement: Int32?
  /// Where a run leaves why it failed, as a sentence.
  var failure: Path?

  fileprivate(set) var process: Int32?
  fileprivate var startedAt: UInt64 = 0
  fileprivate var dueAt: UInt64?
  /// It has failed once and is tried again without a word.
  fileprivate var isQuiet = false
  /// The failure that has been told.
  fileprivate var told: [UInt8] = []
  fileprivate var backOff = BackOff()

  init(_ name: [UInt8], _ program: Program, renewal: Renewal) {
    self.name = name
    self.program = program
    self.renewal = renewal
  }
}

/// Process 1's loop: waits for signals, collects every child that ends, starts services again.
struct Supervisor: ~Copyable {
  private var signals = SignalQueue()
  private var services: [Service] = []
  private var awaited: Int32?
  private var awaitedEnding: Ending?
  /// Fed as long as this loop goes round.
  private let watchdogs: [Watchdog]

  init(feeding watchdogs: [Watchdog]) { self.watchdogs = watchdogs }

  /// Why a wait is over.
  enum Outcome: Equatable {
    case ended(Ending)
    /// The descriptor that was watched can be read or its other end is closed.
    case readable
    case timedOut
  }

  /// Starts the program and from now on keeps it running.
  mutating func keep(_ service: Service) {
    services.append(service)
    start(services.count - 1, at: millisecondsSinceStart())
  }

  /// Runs a program to its end; nil when that was not reached in so many milliseconds, and the program was killed.
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
      if let ending = awaitedEnding { return .ended(ending) }
      let next = startDueServices()
      let now = millisecondsSinceStart()
      if let deadline, now >= deadline { return .timedOut }
      var wait = signals.longestWait
      if let interval = feedingInterval(watchdogs) { wait = min(wait ?? Int.max, interval) }
      for time in [deadline, next] {
        if let time { wait = min(wait ?? Int.max, Int(clamping: time > now ? time - now : 0)) }
      }
      let ready = waitReadable([signals.number, readable], milliseconds: wait)
      while let signal = signals.next() { obey(signal) }
      if ready.count > 1, ready[1] {
        collect()
        return .readable
      }
    }
  }

  /// Starts what is due; gives the time at which the next is.
  private mutating func startDueServices() -> UInt64? {
    var next: UInt64?
    let now = millisecondsSinceStart()
    for index in services.indices {
      guard let due = services[index].dueAt else { continue }
      if due <= now { start(index, at: now) }
      if let due = services[index].dueAt { next = min(next ?? .max, due) }
    }
    return next
  }

  private mutating func start(_ index: Int, at now: UInt64) {
    services[index].dueAt = nil
    services[index].startedAt = now
    var program = services[index].program
    if let announcement = services[index].announcement {
      services[index].announcement = nil
      program.third = announcement
      program.environment.append([UInt8](readyVariable) + [UInt8]("=3"))
    }
    do {
      services[index].process = services[index].isQuiet ? try startMute(program) : try program.start()
    } catch {
      if !services[index].backOff.isExhausted { report(.failed, services[index].name, error.text) }
      schedule(index, now: now)
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

  private mutating func schedule(_ index: Int, now: UInt64) {
    let ran = now >= services[index].startedAt ? now - services[index].startedAt : 0
    services[index].dueAt = now &+ services[index].backOff.delay(afterRunning: ran)
  }

  /// Collects every child that has ended, whoever started it.
  private mutating func collect() {
    while let (process, ending) = collectChild(noticingStops: true) {
      if case .stopped = ending {
        noticeStop(process, ending)
        continue
      }
      if process == awaited { awaitedEnding = ending }
      if !ending.succeeded { adopt(process, ending) }
      for index in services.indices where services[index].process == process {
        services[index].process = nil
        switch services[index].renewal {
        case .never: continue
        case .afterFailure where isFinal(ending): continue
        case .afterFailure:
          // What it started must not go on beside its successor.
          sendSignal(.terminate, toGroupOf: process)
          report(.failed, services[index].name, text(ending) + [UInt8]("; it is started again"))
        case .untilSuccess where isOrdered(ending):
          if services[index].isQuiet, ending.succeeded {
            report(.ok, services[index].name, [UInt8]("done at last"), everywhere: true)
          }
          continue
        case .untilSuccess:
          sendSignal(.terminate, toGroupOf: process)
          if !services[index].isQuiet {
            report(.degraded, services[index].name, text(ending) + [UInt8]("; it is tried again, quietly"))
          }
          tellFailure(index)
          services[index].isQuiet = true
        case .always: break
        case .guarding(let locked):
          switch judgeEndOfRootWatch(ending, locked: locked) {
          case .fault: break
          case .over: continue
          case .lossOfIntegrity(let milliseconds): restart(afterMilliseconds: milliseconds)
          }
        }
        schedule(index, now: millisecondsSinceStart())
      }
    }
  }

  /// Tells why a run that was not to be heard has failed, unless that is known.
  private mutating func tellFailure(_ index: Int) {
    guard let file = services[index].failure, let sentence = try? readFile(file, limit: 1024), !sentence.isEmpty,
      sentence != services[index].told
    else { return }
    if services[index].isQuiet { report(.degraded, services[index].name, sentence, everywhere: true) }
    services[index].told = sentence
  }

  /// A program that went to the background by itself, and told how it is started again, has ended by a fault: from now on
  /// it is a service like the others.
  private mutating func adopt(_ process: Int32, _ ending: Ending) {
    guard !services.contains(where: { $0.process == process }) else { return }
    for name in directoryEntries(servicesFolder) {
      guard let bytes = try? readFile(servicesFolder / name, limit: 4096), let record = ServiceRecord(bytes),
        record.process == process
      else { continue }
      report(.failed, name, text(ending) + [UInt8]("; it is started again"))
      let program = Program(
        Path(record.path), arguments: [name] + record.arguments, environment: standardEnvironment())
      services.removeAll { $0.name == name && $0.process == nil }
      var service = Service(name, program, renewal: .afterFailure)
      service.startedAt = millisecondsSinceStart()
      services.append(service)
      schedule(services.count - 1, now: millisecondsSinceStart())
      return
    }
  }

  /// A locked certaintyd that is stopped watches no more than one that has ended.
  private func noticeStop(_ process: Int32, _ ending: Ending) {
    for service in services where service.process == process {
      guard case .guarding(let locked) = service.renewal, locked else { continue }
      _ = judgeEndOfRootWatch(ending, locked: true)
      restart(afterMilliseconds: 0)
    }
  }

  private func restart(afterMilliseconds milliseconds: Int) {
    pause(milliseconds: milliseconds)
    shutDown(.restart, [UInt8]("loss of integrity"), watchdogs)
  }

  private func isFinal(_ ending: Ending) -> Bool {
    if case .exited(let status) = ending { Supervision.isFinal(exitStatus: status) } else { false }
  }

  /// It has done its work, or somebody wanted it to end.
  private func isOrdered(_ ending: Ending) -> Bool {
    switch ending {
    case .exited: isFinal(ending)
    case .killed(let signal): isAnOrder(signal)
    case .stopped: false
    }
  }

  private func obey(_ signal: Int32) {
    switch Signal(rawValue: signal) {
    case .terminate: shutDown(.restart, [UInt8]("SIGTERM"), watchdogs)
    case .interrupt: shutDown(.restart, [UInt8]("Ctrl-Alt-Del"), watchdogs)
    case .user1: shutDown(.halt, [UInt8]("SIGUSR1"), watchdogs)
    case .user2: shutDown(.powerOff, [UInt8]("SIGUSR2"), watchdogs)
    case .powerFailure: shutDown(.powerOff, [UInt8]("the power is failing"), watchdogs)
    case .hangUp, .kill, .quit, .resume, .stop, .backgroundRead, .resize, nil: break
    }
  }
}

/// Where programs that went to the background by themselves tell how they are started again.
let servicesFolder: Path = "/run/services"

/// How a program ended, as a phrase.
func text(_ ending: Ending?) -> [UInt8] {
  var out: [UInt8]
  switch ending {
  case .exited(let status):
    out = [UInt8]("it ended with exit status ")
    appendDecimal(UInt64(clamping: status), to: &out)
  case .killed(let signal):
    out = [UInt8]("it was killed by signal ")
    appendDecimal(UInt64(clamping: signal), to: &out)
  case .stopped(let signal):
    out = [UInt8]("it was stopped by signal ")
    appendDecimal(UInt64(clamping: signal), to: &out)
  case nil:
    out = [UInt8]("it took too long and was stopped")
  }
  return out
}
