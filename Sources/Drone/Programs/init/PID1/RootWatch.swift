import BootLine
import Bytes
import Integrity
import Linux
import ProcessControl
import Reporting

/// How long the reason can be read when a drone whose root must be watched cannot watch it.
private let readingTime = 10_000

/// Starts certaintyd and waits until it knows the root as it is now. What the drone itself still changes in its root must
/// be done before.
func startRootWatch(_ line: BootLine, _ supervisor: inout Supervisor) {
  guard line.certaintyd != .off else {
    return report(.degraded, "certaintyd", "off, as the boot line asks: nothing watches the root")
  }
  var arguments: [[UInt8]] = []
  // One that has to be started again takes no other baseline than this.
  if let text = try? readFile(Path([UInt8](Baseline.path))) {
    arguments = [[UInt8]("--baseline"), sha256(text).flatMap { hexadecimalByte($0) }]
  }
  var service = Service(
    [UInt8]("certaintyd"), ownProgram("certaintyd", arguments),
    renewal: .guarding(locked: line.certaintyd == .locked))
  do {
    let pipe = try Pipe()
    service.announcement = pipe.output.number
    supervisor.keep(service)
    let ready = pipe.keepingInput()
    let outcome = supervisor.run(until: millisecondsSinceStart() &+ 5000, readable: ready.number)
    if outcome == .timedOut { report(.degraded, "certaintyd", "not ready yet; the boot goes on") }
  } catch {
    report(.failed, "certaintyd", error.text)
    supervisor.keep(service)
  }
}

/// What the end of certaintyd means.
enum RootWatchEnd {
  /// It had a fault: it is started again.
  case fault
  /// Somebody wanted it, or it cannot do its work: nothing watches the root from now on.
  case over
  /// Only a watched root is to be trusted: the drone restarts.
  case lossOfIntegrity(afterMilliseconds: Int)
}

/// Judges how certaintyd ended, and says it.
func judgeEndOfRootWatch(_ ending: Ending, locked: Bool) -> RootWatchEnd {
  removeFile(WatchFiles.process)
  removeFile(WatchFiles.status)
  let name: StaticString = "certaintyd"
  if locked {
    let cannot = ending == .exited(CertaintydExit.impossible)
    let what = cannot ? [UInt8]("it cannot watch the root") : text(ending)
    report(.failed, name, what + [UInt8](", and the boot line says certaintyd=locked: the drone restarts"))
    return .lossOfIntegrity(afterMilliseconds: cannot ? readingTime : 0)
  }
  switch ending {
  case .exited(CertaintydExit.impossible), .stopped:
    // It has said why itself; who stops it may let it go on.
    return .over
  case .killed(let signal) where isAnOrder(signal):
    report(.degraded, name, text(ending) + [UInt8]("; nothing watches the root any longer"), everywhere: true)
    return .over
  default:
    report(.failed, name, text(ending) + [UInt8]("; it is started again"))
    return .fault
  }
}

/// The signals by which people end programs; the others come from faults. The kernel's own end of programs when memory
/// is short passes certaintyd over.
func isAnOrder(_ signal: Int32) -> Bool {
  switch Signal(rawValue: signal) {
  case .hangUp, .interrupt, .quit, .kill, .terminate: true
  default: false
  }
}
