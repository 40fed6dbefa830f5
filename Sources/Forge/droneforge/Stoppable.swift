import ArgumentParser
import Foundation
import Workshop

/// Runs a build that Ctrl-C stops: says so then, and ends the program with the exit status that shells count.
func stoppable<Result: Sendable>(_ build: @escaping @Sendable () async throws -> Result) async throws -> Result {
  do {
    return try await interruptible(build)
  } catch let interruption as Interrupted {
    FileHandle.standardError.write(Data("\n\(interruption)\n".utf8))
    throw ExitCode(128 + interruption.signal)
  }
}
