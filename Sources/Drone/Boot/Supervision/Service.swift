import ProcessControl

/// When a program that process 1 keeps is started again.
public enum Renewal: Equatable, Sendable {
  /// Whenever it ends.
  case always
  /// When it ends other than by an exit status that is final.
  case afterFailure
  case never
  /// Until it has ended with an exit status that is final or somebody has ended it. Only the first run may speak, and only its
  /// end is reported; later ones when their failure has a new reason.
  case untilSuccess
  /// certaintyd: again after a fault, not against the operator's will; `locked`: its end restarts the drone.
  case guarding(locked: Bool)
}

/// A program that process 1 keeps, and how its runs went.
struct Service<Job> {
  let number: Int
  let name: [UInt8]
  let job: Job
  let renewal: Renewal
  var runs: KeptProcess
  var hasBeenStarted = false
  /// It has failed and is tried again without a word.
  var isQuiet = false
  /// A quiet run has failed, too: from now on a new reason is reported.
  var reportsReasons = false
  /// The reason that is known.
  var knownReason: [UInt8] = []

  init(number: Int, _ name: [UInt8], _ job: Job, _ renewal: Renewal, _ runs: KeptProcess = KeptProcess()) {
    self.number = number
    self.name = name
    self.job = job
    self.renewal = renewal
    self.runs = runs
  }
}
