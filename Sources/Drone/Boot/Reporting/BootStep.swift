import Bytes

/// One step of the boot and how it went: a line on the consoles and in the boot log.
public struct BootStep {
  public enum State: Sendable, CaseIterable {
    /// Everything that the step is for was done.
    case ok
    /// The drone continues with less than it should have.
    case degraded
    /// Nothing came of the step.
    case failed

    /// Padded to one width, so that what follows stands in a column.
    var word: StaticString {
      switch self {
      case .ok: "ok      "
      case .degraded: "degraded"
      case .failed: "failed  "
      }
    }

    /// ECMA-48 SGR: green, yellow, red.
    var colour: StaticString {
      switch self {
      case .ok: "\u{1B}[32m"
      case .degraded: "\u{1B}[1;33m"
      case .failed: "\u{1B}[1;31m"
      }
    }
  }

  public let state: State
  public let name: [UInt8]
  public let detail: [UInt8]
  /// Since the kernel started.
  public let milliseconds: UInt64

  public init(_ state: State, _ name: [UInt8], _ detail: [UInt8], milliseconds: UInt64) {
    self.state = state
    self.name = name
    self.detail = detail
    self.milliseconds = milliseconds
  }

  /// The line with its line feed: time in seconds, name, state, detail. Control bytes in the name or the detail (they may
  /// come from the network) become `?`, so that they never reach a terminal.
  public func line(coloured: Bool) -> [UInt8] {
    var out = secondsText(milliseconds)
    out = [UInt8](repeating: UInt8(ascii: " "), count: max(0, 8 - out.count)) + out + [UInt8](" s  ")
    let shown = name.map(printable)
    out += shown + [UInt8](repeating: UInt8(ascii: " "), count: max(0, 10 - shown.count) + 2)
    if coloured { out += [UInt8](state.colour) }
    out += [UInt8](state.word)
    if coloured { out += [UInt8]("\u{1B}[0m") }
    if !detail.isEmpty { out += [UInt8]("  ") + detail.map(printable) }
    while out.last == UInt8(ascii: " ") { out.removeLast() }
    out.append(UInt8(ascii: "\n"))
    return out
  }
}

extension BootStep.State {
  /// syslog(3): facility 3, daemons, with the severity of information, a warning, an error.
  fileprivate var priority: StaticString {
    switch self {
    case .ok: "<30>"
    case .degraded: "<28>"
    case .failed: "<27>"
    }
  }
}

/// A line of a log, such as `BootStep.line`, as the machine's log service takes it (RFC 3164 §4.1 without time and host, which
/// the service adds): `<30>drone: 1.23 s  mounts  ok`.
/// - Parameter tag: the program that says it.
public func systemLogLine(_ line: [UInt8], tag: StaticString, _ state: BootStep.State = .ok) -> [UInt8] {
  var text = line.drop { $0 == UInt8(ascii: " ") }
  while text.last == UInt8(ascii: "\n") { text.removeLast() }
  return [UInt8](state.priority) + [UInt8](tag) + [UInt8](": ") + text.map(printable)
}

/// Seconds with two decimals, cut off: 1234 is `1.23`.
func secondsText(_ milliseconds: UInt64) -> [UInt8] { decimalText(milliseconds / 10, places: 2) }
