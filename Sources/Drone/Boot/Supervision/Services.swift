import Bytes
import ProcessControl
import Reporting

/// The programs that process 1 keeps, and what follows when one ends, fails or is stopped, and when a signal comes: the rules
/// alone. Who holds this hands in what has happened and carries out the commands in their order. Times are milliseconds since
/// the machine's start.
///
///     for command in services.receiveEnd(of: process, ending, at: now) { perform(command) }
///
/// `Job` is what the holder needs to start a program; nothing here looks into it.
public struct Services<Job> {
  public enum Command: Equatable {
    /// Start the job of this service, and say by `receiveStart` or `receiveFailedStart` what came of it. A quiet run's output goes
    /// nowhere.
    case start(Int, isFirst: Bool, isQuiet: Bool)
    /// Write a line of the boot's timeline.
    case report(BootStep.State, name: [UInt8], [UInt8], everywhere: Bool)
    /// End the group that the process led: what it started must not go on beside its successor.
    case endGroup(of: Int32)
    /// Read why the last run of this service failed, and hand it in by `receiveReason`.
    case readReason(Int)
    /// Look for the record of a process that nobody here has started, and if there is one hand it in by `adopt`.
    case findRecord(of: Int32, Ending)
    /// Remove what certaintyd leaves for others while it runs.
    case forgetRootWatch
    case shutDown(MachineEnd, reason: [UInt8], afterMilliseconds: Int)
  }

  private var services: [Service<Job>] = []
  private var nextNumber = 0

  public init() {}

  /// What to start for this service; nil when it is kept no longer.
  public func job(_ number: Int) -> Job? { index(number).map { services[$0].job } }

  /// When `step` has something to do again; nil: as long as nothing happens, never.
  public var nextDue: UInt64? { services.compactMap { $0.runs.dueAt }.min() }

  /// Keeps a program from now on.
  public mutating func keep(_ name: [UInt8], _ job: Job, _ renewal: Renewal, at now: UInt64) -> [Command] {
    append(name, job, renewal)
    return [start(services.count - 1, at: now)]
  }

  /// Starts what is due.
  public mutating func step(at now: UInt64) -> [Command] {
    var commands: [Command] = []
    for index in services.indices where services[index].runs.isDue(at: now) { commands.append(start(index, at: now)) }
    return commands
  }

  public mutating func receiveStart(_ number: Int, process: Int32) {
    if let index = index(number) { services[index].runs.run(as: process) }
  }

  /// Reports that a program could not be started.
  public mutating func receiveFailedStart(_ number: Int, _ reason: [UInt8], at now: UInt64) -> [Command] {
    guard let index = index(number) else { return [] }
    let isNew = !services[index].runs.hasFailedForLong
    services[index].runs.schedule(at: now)
    return isNew ? [report(.failed, index, reason)] : []
  }

  /// Reports how a child of process 1 ended, or that it was stopped; also adopted children.
  public mutating func receiveEnd(of process: Int32, _ ending: Ending, at now: UInt64) -> [Command] {
    guard let index = services.firstIndex(where: { $0.runs.process == process }) else {
      if case .stopped = ending { return [] }
      return ending.succeeded ? [] : [.findRecord(of: process, ending)]
    }
    if case .stopped = ending { return stop(index, ending) }
    services[index].runs.end()
    var commands: [Command] = []
    switch services[index].renewal {
    case .always: break
    case .never: return []
    case .afterFailure:
      if hasDoneItsWork(ending) { return [] }
      commands = [
        .endGroup(of: process), report(.failed, index, phrase(ending) + [UInt8]("; it is started again")),
      ]
    case .untilSuccess:
      let isQuiet = services[index].isQuiet
      if hasDoneItsWork(ending) || wasOrdered(ending) {
        return isQuiet && ending.succeeded ? [report(.ok, index, [UInt8]("done at last"), everywhere: true)] : []
      }
      commands.append(.endGroup(of: process))
      if !isQuiet {
        commands.append(report(.degraded, index, phrase(ending) + [UInt8]("; it is tried again, quietly")))
      }
      commands.append(.readReason(services[index].number))
      services[index].reportsReasons = isQuiet
      services[index].isQuiet = true
    case .guarding(let locked):
      let end = RootWatchEnd(ending, locked: locked)
      commands = self.commands(end, index)
      if end.verdict == .over { return commands }
    }
    services[index].runs.schedule(at: now)
    return commands
  }

  /// Reports why the last run of a service failed, in its own words; empty when there are none.
  public mutating func receiveReason(_ number: Int, _ reason: [UInt8]) -> [Command] {
    guard let index = index(number), !reason.isEmpty, reason != services[index].knownReason else { return [] }
    services[index].knownReason = reason
    return services[index].reportsReasons ? [report(.degraded, index, reason, everywhere: true)] : []
  }

  /// Keeps a program that went to the background by itself, told how it is started again, and has ended by a fault: from now on
  /// it is a service like the others.
  public mutating func adopt(_ name: [UInt8], _ job: Job, after ending: Ending, at now: UInt64) -> [Command] {
    // The run that has ended is the one that its last start left in the background.
    let isEarlier = { (service: Service<Job>) in service.name == name && service.runs.process == nil }
    let runs = services.last(where: isEarlier)?.runs ?? KeptProcess(startedAt: now)
    services.removeAll(where: isEarlier)
    append(name, job, .afterFailure, runs)
    let index = services.count - 1
    services[index].hasBeenStarted = true
    services[index].runs.schedule(at: now)
    return [report(.failed, index, phrase(ending) + [UInt8]("; it is started again"))]
  }

  /// Reports a signal to process 1: some are orders to end the drone.
  public func receiveSignal(_ number: Int32) -> [Command] {
    guard let order = Order(signal: number) else { return [] }
    return [.shutDown(order.end, reason: [UInt8](order.reason), afterMilliseconds: 0)]
  }

  /// A locked certaintyd that is stopped watches no more than one that has ended.
  private func stop(_ index: Int, _ ending: Ending) -> [Command] {
    guard case .guarding(locked: true) = services[index].renewal else { return [] }
    return commands(RootWatchEnd(ending, locked: true), index)
  }

  private func commands(_ end: RootWatchEnd, _ index: Int) -> [Command] {
    var commands: [Command] = [.forgetRootWatch]
    if let line = end.line { commands.append(report(line.state, index, line.text, everywhere: line.everywhere)) }
    if case .lossOfIntegrity(let milliseconds) = end.verdict {
      commands.append(
        .shutDown(.restart, reason: [UInt8]("loss of integrity"), afterMilliseconds: milliseconds))
    }
    return commands
  }

  private mutating func append(
    _ name: [UInt8], _ job: Job, _ renewal: Renewal, _ runs: KeptProcess = KeptProcess()
  ) {
    services.append(Service(number: nextNumber, name, job, renewal, runs))
    nextNumber &+= 1
  }

  private mutating func start(_ index: Int, at now: UInt64) -> Command {
    let isFirst = !services[index].hasBeenStarted
    services[index].hasBeenStarted = true
    services[index].runs.begin(at: now)
    return .start(services[index].number, isFirst: isFirst, isQuiet: services[index].isQuiet)
  }

  private func report(
    _ state: BootStep.State, _ index: Int, _ text: [UInt8], everywhere: Bool = false
  ) -> Command {
    .report(state, name: services[index].name, text, everywhere: everywhere)
  }

  private func index(_ number: Int) -> Int? { services.firstIndex { $0.number == number } }
}
