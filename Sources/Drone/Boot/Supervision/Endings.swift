import Bytes
import ProcessControl

/// The exit status of a program that others told to end, as tyd on a node that was removed or before it had gone to the
/// background: it need not be started again.
public let toldToEnd: Int32 = 3

/// Whether a program has ended by itself with an exit status that says that there is no more to do.
func hasDoneItsWork(_ ending: Ending) -> Bool { ending == .exited(0) || ending == .exited(toldToEnd) }

/// Whether somebody ended the program: by one of the signals that people send; the others come from faults. (The kernel's
/// own end of programs when memory is short passes certaintyd over.)
func wasOrdered(_ ending: Ending) -> Bool {
  guard case .killed(let signal) = ending else { return false }
  switch Signal(rawValue: signal) {
  case .hangUp, .interrupt, .quit, .kill, .terminate: return true
  default: return false
  }
}

/// How a program ended, as a phrase; nil: not in time.
public func phrase(_ ending: Ending?) -> [UInt8] {
  switch ending {
  case .exited(let status): phrase("it ended with exit status ", status)
  case .killed(let signal): phrase("it was killed by signal ", signal)
  case .stopped(let signal): phrase("it was stopped by signal ", signal)
  case nil: [UInt8]("it took too long and was stopped")
  }
}

private func phrase(_ text: StaticString, _ number: Int32) -> [UInt8] { [UInt8](text) + decimalText(number) }
