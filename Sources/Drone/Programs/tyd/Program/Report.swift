import Bytes
import Linux
import Reporting

/// What tyd tells of its work: as coloured lines to whoever started it until it goes to the background, and for as long as
/// it lives into a log of bounded length.
final class Report {
  let isSilent: Bool
  let isDebugging: Bool
  /// Somebody still looks at standard output.
  var isInForeground = true
  private let log: BoundedLog

  init(log: Path, isSilent: Bool, isDebugging: Bool) {
    self.log = BoundedLog(log, limit: 64 << 10)
    self.isSilent = isSilent
    self.isDebugging = isDebugging
  }

  /// A step and how it went. `isLogged`: false for what the log says already.
  func step(_ state: BootStep.State, _ name: StaticString, _ detail: [UInt8], isLogged: Bool = true) {
    let step = BootStep(state, [UInt8](name), detail, milliseconds: millisecondsSinceStart())
    if isLogged { write(step.line(coloured: false), state) }
    if isInForeground && (!isSilent || state == .failed) { writeStandardOutput(step.line(coloured: true)) }
  }

  /// Something that only the log, and with --debug the terminal, is told.
  func note(_ name: StaticString, _ detail: [UInt8]) {
    let line = BootStep(.ok, [UInt8](name), detail, milliseconds: millisecondsSinceStart()).line(coloured: false)
    write(line)
    if isInForeground && isDebugging { writeStandardOutput(line) }
  }

  /// What others on the network can cause has a bound.
  func noteOmitted(_ count: UInt32) {
    note(
      "strangers", decimalText(count) + [UInt8](" more lines about others on this network were left out in a minute"))
  }

  private func write(_ line: [UInt8], _ state: BootStep.State = .ok) {
    // On a full Linux the unit's own output goes to the log.
    if exists(servicesFolder) { writeToSystemLog(systemLogLine(line, tag: "tyd", state)) }
    log.append(line)
  }
}
