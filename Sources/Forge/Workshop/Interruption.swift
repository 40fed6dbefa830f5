import Dispatch
import Foundation

/// The program was asked to stop by a signal; outputs that were there before are untouched.
public struct Interrupted: Error, CustomStringConvertible, Sendable {
  /// The signal's number.
  public let signal: Int32

  public var description: String { "Interrupted: nothing was changed, and temporary files are removed." }
}

/// Runs a build so that Ctrl-C (SIGINT), SIGTERM or SIGHUP stops it cleanly: the task is cancelled, which ends the programs
/// that it runs, and temporary files are removed. Throws `Interrupted` then.
///
/// A build that does not end within 5 s of the signal is left behind: its temporary files are removed and this program
/// exits with 128 and the signal's number, as shells count.
public func interruptible<Result: Sendable>(
  _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  let task = Task { try await body() }
  let received = SignalNumber()
  let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      received.set(number)
      task.cancel()
      DispatchQueue.global().asyncAfter(deadline: .now() + 5) {
        Leftovers.removeAll()
        _exit(128 + number)
      }
    }
    source.resume()
    return source
  }
  defer { for source in sources { source.cancel() } }
  do {
    let result = try await task.value
    if let number = received.value { throw Interrupted(signal: number) }
    return result
  } catch {
    if let number = received.value { throw Interrupted(signal: number) }
    throw error
  }
}

private final class SignalNumber: @unchecked Sendable {
  private let lock = NSLock()
  private var number: Int32?

  var value: Int32? { lock.withLock { number } }
  func set(_ new: Int32) { lock.withLock { number = new } }
}
