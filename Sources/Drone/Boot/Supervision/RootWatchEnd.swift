import Bytes
import ProcessControl
import Reporting

/// Exit statuses of certaintyd.
public enum CertaintydExit {
  public static let same: Int32 = 0
  public static let different: Int32 = 1
  /// It could not look: no baseline, another one is running, wrong options.
  public static let impossible: Int32 = 2
  /// As `impossible`, but only for want of memory or descriptors: process 1 starts it again.
  public static let notNow: Int32 = 3
}

/// What the end of certaintyd means, and what is reported about it.
struct RootWatchEnd {
  enum Verdict: Equatable {
    /// It had a fault: it is started again.
    case fault
    /// Somebody wanted it, or it cannot do its work: nothing watches the root from now on.
    case over
    /// Only a watched root is to be trusted: the drone restarts.
    case lossOfIntegrity(afterMilliseconds: Int)
  }

  let verdict: Verdict
  /// Nil when certaintyd itself has reported the reason.
  let line: (state: BootStep.State, text: [UInt8], everywhere: Bool)?

  /// How long the reason can be read when a drone whose root must be watched cannot watch it, in milliseconds.
  private static var readingTime: Int { 10_000 }

  init(_ ending: Ending, locked: Bool) {
    if locked {
      let cannot = ending == .exited(CertaintydExit.impossible)
      let what = cannot ? [UInt8]("it cannot watch the root") : phrase(ending)
      verdict = .lossOfIntegrity(afterMilliseconds: cannot ? RootWatchEnd.readingTime : 0)
      line = (.failed, what + [UInt8](", and the boot line says certaintyd=locked: the drone restarts"), false)
      return
    }
    switch ending {
    case .exited(CertaintydExit.impossible), .stopped:
      // Whoever stopped it may let it continue.
      verdict = .over
      line = nil
    case .killed where wasOrdered(ending):
      verdict = .over
      line = (.degraded, phrase(ending) + [UInt8]("; nothing watches the root any longer"), true)
    case .exited, .killed:
      verdict = .fault
      line = (.failed, phrase(ending) + [UInt8]("; it is started again"), false)
    }
  }
}
