import Foundation
import SystemPackage

/// Shows where a long build is: one line per step with its number, name, time and log.
///
///     [2/6] kernel 6.1 … 4 min 10 s (log: …/kernel.log)
///
/// On a terminal the line counts up while the step runs; elsewhere it is printed at its start and its end.
public actor Progress {
  private let total: Int
  private let terminal: Bool
  private let quiet: Bool
  private var number = 0

  /// `total`: how many steps there will be.
  public init(total: Int, quiet: Bool = false) {
    self.total = total
    self.quiet = quiet
    terminal = isatty(STDERR_FILENO) == 1
  }

  /// Runs one step; `log` is where its programs write.
  public func step<Result: Sendable>(
    _ name: String, log: FilePath? = nil, _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    number += 1
    let label = "[\(number)/\(total)] \(name)"
    let hint = log.map { " (log: \($0))" } ?? ""
    let start = ContinuousClock.now
    let ticker = Task { [terminal, quiet] in
      guard !quiet else { return }
      guard terminal else { return Self.print("\(label) …\(hint)\n") }
      while !Task.isCancelled {
        Self.print("\r\u{1B}[K\(label) … \(spoken(ContinuousClock.now - start))\(hint)")
        try? await Task.sleep(for: .seconds(1))
      }
    }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    ticker.cancel()
    await ticker.value
    let word = if case .success = outcome { "done" } else { "FAILED" }
    if !quiet {
      Self.print("\(terminal ? "\r\u{1B}[K" : "")\(label): \(word) in \(spoken(ContinuousClock.now - start))\n")
    }
    return try outcome.get()
  }

  /// A step that was not needed; the reason is shown.
  public func skip(_ name: String, _ reason: String) {
    number += 1
    if !quiet { Self.print("[\(number)/\(total)] \(name): \(reason)\n") }
  }

  /// A note about a running step; shown on its own line.
  public func note(_ sentence: String) {
    if !quiet { notice("  \(sentence)") }
  }

  fileprivate static func print(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// Prints a notice, which is not a failure, on standard error: on its own line, yellow on a terminal.
public func notice(_ sentence: String) {
  let terminal = isatty(STDERR_FILENO) == 1
  Progress.print(terminal ? "\r\u{1B}[K\u{1B}[33m\(sentence)\u{1B}[0m\n" : "\(sentence)\n")
}

/// A duration as people say it: `0.4 s`, `12 s`, `4 min 10 s`.
public func spoken(_ duration: Duration) -> String {
  let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  if seconds < 10 { return String(format: "%.1f s", seconds) }
  if seconds < 60 { return "\(Int(seconds)) s" }
  return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
}
