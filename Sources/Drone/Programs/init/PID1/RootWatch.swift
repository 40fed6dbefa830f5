import DroneLayout
import BootLine
import Bytes
import Integrity
import Linux
import Reporting
import Supervision

/// Starts certaintyd and waits until it knows the root as it is now. What the drone itself still changes in its root must
/// be done before.
func startRootWatch(_ line: BootLine, _ supervisor: inout Supervisor) {
  guard line.certaintyd != .off else {
    return report(.degraded, "certaintyd", "off, as the boot line asks: nothing watches the root")
  }
  var arguments: [[UInt8]] = []
  // One that has to be started again takes no other baseline than this.
  if let text = try? readFile(Path([UInt8](Baseline.path))) {
    arguments = [[UInt8]("--baseline"), hexadecimalText(contentDigest(text))]
  }
  let program = ownProgram(.certaintyd, arguments)
  let renewal = Renewal.guarding(locked: line.certaintyd == .locked)
  do {
    let pipe = try Pipe()
    supervisor.keep([UInt8]("certaintyd"), program, renewal, announcement: pipe.output.number)
    let ready = pipe.keepingInput()
    let outcome = supervisor.run(until: millisecondsSinceStart() &+ 5000, readable: ready.number)
    if outcome == .timedOut { report(.degraded, "certaintyd", "not ready yet; the boot goes on") }
  } catch {
    report(.failed, "certaintyd", error.text)
    supervisor.keep([UInt8]("certaintyd"), program, renewal)
  }
}
