/// Why a virtual machine did not do what was expected of it: the reason, what was last seen, and how to look by hand.
public struct MachineFailure: Error, Sendable, CustomStringConvertible {
  public enum Reason: Sendable, Equatable {
    /// The text did not appear within the time.
    case notSeen(String, within: Duration)
    /// The kernel gave up; the line says why.
    case kernelPanic(String)
    /// The machine ended while something was still expected of it.
    case ended(MachineEnd)
    /// It went on running when it should have ended.
    case stillRunning(Duration)
    /// The emulator refused a command or did not answer.
    case monitor(String)
  }

  public let reason: Reason
  /// The last lines of the serial console.
  public let console: [String]
  /// The screen's lines, when it could still be read.
  public let screen: [String]
  /// What the emulator itself printed.
  public let emulator: [String]
  /// A command for a shell that starts the same machine.
  public let byHand: String

  public var description: String {
    let sentence =
      switch reason {
      case .notSeen(let text, let bound): "\"\(text)\" did not appear within \(bound)."
      case .kernelPanic(let line): "The kernel gave up: \(line)"
      case .ended(let end): "The machine ended too early: \(end)."
      case .stillRunning(let bound): "The machine was still running after \(bound)."
      case .monitor(let what): "The emulator's monitor: \(what)."
      }
    return sentence + section("Last lines of the serial console", console) + section("Screen", screen)
      + section("The emulator said", emulator) + "\nTo look at it by hand (leave with Ctrl-A X):\n  \(byHand)"
  }

  private func section(_ title: String, _ lines: [String]) -> String {
    lines.isEmpty ? "" : "\n\(title):\n" + lines.map { "  | \($0)" }.joined(separator: "\n")
  }
}

/// How a machine ended.
public enum MachineEnd: Sendable, Equatable, CustomStringConvertible {
  /// The guest reset itself: a reboot, or a triple fault.
  case reset
  /// The guest switched the power off.
  case powerOff
  /// The emulator ended for a reason of its own.
  case emulator(String)

  public var description: String {
    switch self {
    case .reset: "it was reset"
    case .powerOff: "it switched itself off"
    case .emulator(let reason): "the emulator ended (\(reason))"
    }
  }
}
