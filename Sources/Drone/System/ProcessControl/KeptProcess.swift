/// One program that is kept running: which process it is now, and when it is started again after that has ended. Who holds this
/// starts it (`Linux.Program`), collects it and says so. Times are milliseconds since the machine's start.
public struct KeptProcess: Sendable {
  /// The current run; nil between two.
  public private(set) var process: Int32?
  /// When it is to be started; nil while it runs and when it is to stay ended.
  public private(set) var dueAt: UInt64?
  private var startedAt: UInt64
  private var backOff = BackOff()

  /// - Parameter dueAt: when it is to be started first; nil when its holder says so by `begin`.
  public init(startedAt: UInt64 = 0, dueAt: UInt64? = nil) {
    self.startedAt = startedAt
    self.dueAt = dueAt
  }

  /// Whether it is time to start it.
  public func isDue(at now: UInt64) -> Bool { dueAt.map { $0 <= now } ?? false }

  /// Whether there is nothing new to say about its failures.
  public var hasFailedForLong: Bool { backOff.isExhausted }

  /// A run begins: it is about to be started.
  public mutating func begin(at now: UInt64) {
    startedAt = now
    dueAt = nil
  }

  /// The run that has begun is this process.
  public mutating func run(as process: Int32) { self.process = process }

  /// The run has ended, and none follows unless `schedule` says so.
  public mutating func end() { process = nil }

  /// Has it started again after a run that ended, or could not begin, at this time.
  public mutating func schedule(at now: UInt64) {
    dueAt = now &+ backOff.delay(afterRunning: now >= startedAt ? now - startedAt : 0)
  }
}
