import Linux
import ProcessControl
import Reporting

/// A program that `network` keeps running for as long as it is wanted, with growing pauses when it keeps ending.
final class Child {
  private let program: () -> Program
  private var kept: KeptProcess
  /// How often it has been started.
  private(set) var runs = 0

  /// `program` is called at every start.
  init(now: UInt64, _ program: @escaping () -> Program) {
    self.program = program
    kept = KeptProcess(dueAt: now)
  }

  /// When it is to be started, on the clock of `millisecondsSinceStart`; nil while it runs.
  var nextStart: UInt64? { kept.dueAt }

  /// Starts the program if that is due.
  func start(now: UInt64) {
    guard kept.isDue(at: now) else { return }
    kept.begin(at: now)
    do {
      let null = try Descriptor("/dev/null", .nonBlocking)
      var program = program()
      program.input = null.number
      // What it says itself goes nowhere: each outcome is a line of `network`.
      program.error = null.number
      if program.output == nil { program.output = null.number }
      kept.run(as: try program.start())
      runs += 1
    } catch {
      report(.failed, "network", error.text)
      kept.schedule(at: now)
    }
  }

  /// Reports that a process ended; false if it is not this one.
  func ended(_ process: Int32, now: UInt64) -> Bool {
    guard process == kept.process else { return false }
    kept.end()
    kept.schedule(at: now)
    return true
  }

  /// Ends the program for good. The collector of children reaps it.
  func stop() {
    if let process = kept.process { sendSignal(.terminate, to: process) }
    kept = KeptProcess()
  }
}
