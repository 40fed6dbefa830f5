import Linux
import ProcessControl
import Reporting
import Supervision

/// A program that `network` keeps running for as long as it is wanted, with growing pauses when it keeps ending.
final class Child {
  private let program: () -> Program
  private var process: Int32?
  private var started: UInt64 = 0
  private var backOff = BackOff()
  /// How often it has been started.
  private(set) var runs = 0
  /// When it is to be started, on the clock of `millisecondsSinceStart`; nil while it runs.
  private(set) var nextStart: UInt64?

  /// `program` is called at every start.
  init(now: UInt64, _ program: @escaping () -> Program) {
    self.program = program
    nextStart = now
  }

  /// Starts the program if that is due.
  func start(now: UInt64) {
    guard let due = nextStart, now >= due else { return }
    started = now
    do {
      let null = try Descriptor("/dev/null", .nonBlocking)
      var program = program()
      program.input = null.number
      // What it says itself goes nowhere: each outcome is a line of `network`.
      program.error = null.number
      if program.output == nil { program.output = null.number }
      process = try program.start()
      nextStart = nil
      runs += 1
    } catch {
      report(.failed, "network", error.text)
      nextStart = now &+ BackOff.longestMilliseconds
    }
  }

  /// Reports that a process ended; false if it is not this one.
  func ended(_ process: Int32, now: UInt64) -> Bool {
    guard process == self.process else { return false }
    self.process = nil
    nextStart = now &+ backOff.delay(afterRunning: now &- started)
    return true
  }

  /// Ends the program for good. The collector of children reaps it.
  func stop() {
    if let process { sendSignal(.terminate, to: process) }
    process = nil
    nextStart = nil
  }
}
