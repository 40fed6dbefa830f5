/// A job of a list.
public struct ListedJob: Equatable, Sendable {
  /// From 1 on, in the order of the list.
  public let number: Int
  public let line: [UInt8]
}

/// Which job of a list begins next, whose output is shown when, and how all of it ends.
///
/// The outputs of jobs come in the order of the list. It is the *turn* of the first job that is not over: its output is shown directly,
/// that of later ones is kept. A job that may be tried again is kept in its turn, too: what it says counts only if it was its last try.
public struct ListRun: Sendable {
  public struct Start: Equatable, Sendable {
    public let job: ListedJob
    /// It failed before; what is kept of that is to be forgotten.
    public let isAgain: Bool
  }

  /// What becomes of a running job's output now.
  public enum Showing: Equatable, Sendable {
    case direct
    case kept
    /// There is no room to keep it: it stays with the job until that has its turn.
    case held
  }

  private struct Job: Sendable {
    let line: [UInt8]
    var triesLeft: Int
    var isRunning = true
    var hasNoRoom = false
  }

  private let retries: Int
  private let isOrdered: Bool
  private var slots: Int
  /// Those that have begun and are not over.
  private var jobs: [Int: Job] = [:]
  private var running = 0
  private var added: ListedJob?
  private var lastNumber = 0
  /// Jobs to be tried again, the first of the list first.
  private var again: [Int] = []
  private var turn = 1
  private var overBeforeTurn: Set<Int> = []
  private var listIsOver = false
  private var isStopped = false
  /// Jobs that are over and did not succeed.
  public private(set) var failed = 0

  /// - Parameters:
  ///   - slots: the most jobs at once, at least 1.
  ///   - isOrdered: otherwise every output is shown directly.
  public init(slots: Int, retries: Int = 0, isOrdered: Bool = true) {
    self.slots = max(1, slots)
    self.retries = retries
    self.isOrdered = isOrdered
  }

  // What runs

  /// Whether a line more of the list would begin to run now.
  public var wantsLine: Bool { !listIsOver && !isStopped && running < slots && again.isEmpty && added == nil }

  public mutating func add(line: [UInt8]) {
    guard wantsLine else { return }
    lastNumber += 1
    added = ListedJob(number: lastNumber, line: line)
  }

  public mutating func endList() { listIsOver = true }

  /// The next job to begin; nil when none can now.
  public mutating func next() -> Start? {
    guard running < slots, !isStopped else { return nil }
    if let number = again.first, let job = jobs[number] {
      again.removeFirst()
      jobs[number]?.isRunning = true
      running += 1
      return Start(job: ListedJob(number: number, line: job.line), isAgain: true)
    }
    guard let job = added else { return nil }
    added = nil
    jobs[job.number] = Job(line: job.line, triesLeft: retries)
    running += 1
    return Start(job: job, isAgain: false)
  }

  /// What was to begin could not: it waits until another one has ended. False when there is no other one.
  public mutating func postpone(_ number: Int) -> Bool {
    guard jobs[number]?.isRunning == true, running > 1 else { return false }
    running -= 1
    slots = running
    queueAgain(number)
    return true
  }

  /// A try has ended.
  /// - Returns: the jobs whose kept output is to be shown now, in this order.
  public mutating func ended(_ number: Int, succeeded: Bool) -> [Int] {
    guard let job = jobs[number], job.isRunning else { return [] }
    running -= 1
    if !succeeded, job.triesLeft > 0, !isStopped {
      jobs[number]?.triesLeft -= 1
      queueAgain(number)
      return []
    }
    return finish(number, succeeded)
  }

  /// Nothing more begins.
  /// - Returns: as `ended` does.
  public mutating func stop() -> [Int] {
    let wasDirect = isDirect(turn)
    let before = turn
    isStopped = true
    added = nil
    var shown: [Int] = []
    for number in again { shown += finish(number, false) }
    again = []
    // Nothing is tried again any more, so what the job in its turn says counts.
    if turn == before, !wasDirect, isDirect(turn) { shown.append(turn) }
    return shown
  }

  public var isOver: Bool { running == 0 && again.isEmpty && added == nil && (listIsOver || isStopped) }

  /// 0 when every job has succeeded, else how many have not: at most 101.
  public var exitStatus: Int32 { Int32(clamping: min(failed, 101)) }

  // What is shown

  public func showing(_ number: Int) -> Showing {
    if isDirect(number) { return .direct }
    return jobs[number]?.hasNoRoom == true ? .held : .kept
  }

  /// There is no room for more of this job's output.
  /// - Returns: as `ended` does.
  public mutating func cannotKeep(_ number: Int) -> [Int] {
    guard showing(number) == .kept else { return [] }
    jobs[number]?.hasNoRoom = true
    return isDirect(number) ? [number] : []
  }

  private func isDirect(_ number: Int) -> Bool {
    guard isOrdered else { return true }
    guard number == turn, let job = jobs[number] else { return false }
    return job.isRunning && (job.triesLeft == 0 || isStopped || job.hasNoRoom)
  }

  private mutating func queueAgain(_ number: Int) {
    jobs[number]?.isRunning = false
    again.insert(number, at: again.firstIndex { $0 > number } ?? again.count)
  }

  private mutating func finish(_ number: Int, _ succeeded: Bool) -> [Int] {
    jobs[number] = nil
    if !succeeded { failed += 1 }
    guard isOrdered else { return [] }
    overBeforeTurn.insert(number)
    var shown: [Int] = []
    while overBeforeTurn.remove(turn) != nil {
      shown.append(turn)
      turn += 1
    }
    if !shown.isEmpty, isDirect(turn) { shown.append(turn) }
    return shown
  }
}
