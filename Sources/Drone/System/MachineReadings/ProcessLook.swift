/// By what processes are ranked.
public enum ProcessOrder: UInt8, CaseIterable, Sendable {
  /// Processor time since the last look.
  case cpu = 0
  case memory = 1
  /// Processor time since they began.
  case time = 2
}

/// All processes of a machine at one moment, with what each used of a processor since the look before.
public struct ProcessLook: Sendable {
  public struct Process: Equatable, Sendable {
    public var reading: ProcessReading
    /// Thousandths of one processor.
    public var cpu: UInt32
  }

  public let processes: [Process]
  /// When, in milliseconds since the machine started.
  public let time: UInt64
  /// Whether there was a look before, so that `cpu` is of now and not of a whole life.
  public let isRate: Bool

  /// - Parameter former: without one, or for a process that began since, its whole life counts.
  public init(_ readings: [ProcessReading], at time: UInt64, since former: ProcessLook? = nil) {
    var known: [UInt32: (start: UInt64, time: UInt64)] = [:]
    for process in former?.processes ?? [] {
      known[process.reading.process] = (process.reading.start, process.reading.time)
    }
    let elapsed = former.map { time > $0.time ? time - $0.time : 0 }
    processes = readings.map { reading in
      var used = reading.time
      var span = ProcessLook.age(of: reading, at: time)
      if let elapsed {
        span = elapsed
        // The same number may be another process by now.
        if let before = known[reading.process], before.start == reading.start {
          used = reading.time > before.time ? reading.time - before.time : 0
        }
      }
      return Process(reading: reading, cpu: ProcessLook.share(of: used, in: span))
    }
    self.time = time
    isRate = former != nil
  }

  private static func age(of reading: ProcessReading, at time: UInt64) -> UInt64 {
    let (start, overflow) = reading.start.multipliedReportingOverflow(by: 1000 / ProcessReading.ticks)
    return !overflow && start < time ? time - start : 0
  }

  /// Thousandths; none of no time at all.
  private static func share(of ticks: UInt64, in milliseconds: UInt64) -> UInt32 {
    guard milliseconds > 0 else { return 0 }
    let (product, overflow) = ticks.multipliedReportingOverflow(by: 1_000_000 / ProcessReading.ticks)
    return overflow ? .max : UInt32(clamping: product / milliseconds)
  }

  /// The first `most` processes in this order, those that do nothing left out as far as `least` are there without them. By memory
  /// and time none is left out.
  public func busiest(_ order: ProcessOrder, most: Int, least: Int) -> [Process] {
    let sorted = processes.sorted { left, right in
      let (a, b) = (ProcessLook.rank(left, order), ProcessLook.rank(right, order))
      if a != b { return a > b }
      // A process of the kernel's that does nothing says less than one of somebody's.
      if (left.reading.virtual == 0) != (right.reading.virtual == 0) { return right.reading.virtual == 0 }
      return left.reading.process < right.reading.process
    }
    let first = sorted.prefix(max(0, most))
    guard order == .cpu else { return Array(first) }
    let busy = first.firstIndex { $0.cpu == 0 } ?? first.count
    return Array(first.prefix(max(busy, least)))
  }

  private static func rank(_ process: Process, _ order: ProcessOrder) -> UInt64 {
    switch order {
    case .cpu: UInt64(process.cpu)
    case .memory: process.reading.resident
    case .time: process.reading.time
    }
  }

  public var running: Int { processes.reduce(0) { $0 + ($1.reading.state == UInt8(ascii: "R") ? 1 : 0) } }
}

/// When a machine reads its processes again, so that many questions do not keep it busy.
public struct LookPlan: Sendable {
  /// A look this young answers for itself.
  static let fresh: UInt64 = 250
  /// One older than this says nothing of now.
  static let stale: UInt64 = 30_000
  /// The time between the two readings that a first question needs.
  public static let first: UInt64 = 500

  public enum Step: Equatable, Sendable {
    /// Answer from the last look.
    case answer
    /// Look, compare with the last look, and answer.
    case look
    /// Look, and again when `first` has passed.
    case begin
  }

  /// What a question at this time takes, by the last look.
  public static func step(_ last: ProcessLook?, at now: UInt64) -> Step {
    guard let last, now >= last.time, now - last.time <= stale else { return .begin }
    let age = now - last.time
    if last.isRate { return age < fresh ? .answer : .look }
    // Over less than that a tick would be a large share.
    return age < first ? .begin : .look
  }
}
