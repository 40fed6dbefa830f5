import Foundation
import Workshop

extension VirtualMachine {
  /// Types a command in the shell on the serial console, as `run` does; it must succeed. Returns what it printed, and throws a
  /// sentence with that when its exit status is not 0.
  @discardableResult
  public func succeeds(_ command: String, within bound: Duration = patience) async throws -> String {
    let (output, status) = try await run(command, within: bound)
    guard status == 0 else {
      throw BuildError.input("\(command): exit status \(status); it printed:\n\(output)")
    }
    return output
  }

  /// What a command printed, without the newline at its end.
  public func output(_ command: String) async throws -> String {
    try await run(command).output.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
