import Foundation
import Subprocess
import SystemPackage

/// A program run to its end, with its arguments as a list: no shell ever reads them.
public struct Command: Sendable {
  /// A path, or a name to be found in PATH.
  public var executable: String
  public var arguments: [String]
  /// Added to the inherited environment; a nil value removes the name.
  public var environment: [String: String?]
  public var workingDirectory: String?

  public init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    workingDirectory: String? = nil
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
  }

  /// Runs to the end with output and errors appended to the file `log`.
  ///
  /// Throws `BuildError.commandFailed` on any status but 0, with the log's last lines. Cancelling the task ends the
  /// program (SIGTERM, then SIGKILL after 2 s).
  public func run(log: FilePath) async throws {
    let file = try FileDescriptor.open(
      log, .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite, .groupRead, .otherRead])
    defer { try? file.close() }
    try file.writeAll("$ \(([executable] + arguments).joined(separator: " "))\n".utf8)
    let result = try await started {
      try await Subprocess.run(
        configuration, input: .none, output: .fileDescriptor(file, closeAfterSpawningProcess: false),
        error: .fileDescriptor(file, closeAfterSpawningProcess: false))
    }
    guard result.terminationStatus.isSuccess else {
      throw BuildError.commandFailed(
        command: executable, status: "\(result.terminationStatus)", log: log.string, lastLines: lastLines(of: log, 8))
    }
  }

  /// Runs to the end and returns what it wrote to standard output, at most `limit` bytes.
  ///
  /// Throws `BuildError.commandFailed` on any status but 0, with the last lines of standard error.
  public func output(limit: Int = 64 << 20) async throws -> [UInt8] {
    let result = try await started {
      try await Subprocess.run(
        configuration, input: .none, output: .bytes(limit: limit), error: .string(limit: 1 << 20))
    }
    try requireSuccess(result.terminationStatus, errors: result.standardError)
    return result.standardOutput
  }

  /// Runs to the end and writes what it writes to standard output to a file that is open. Throws as `output` does.
  public func output(to file: FileDescriptor) async throws {
    let result = try await started {
      try await Subprocess.run(
        configuration, input: .none, output: .fileDescriptor(file, closeAfterSpawningProcess: false),
        error: .string(limit: 1 << 20))
    }
    try requireSuccess(result.terminationStatus, errors: result.standardError)
  }

  private func requireSuccess(_ status: TerminationStatus, errors: String) throws {
    guard status.isSuccess else {
      let lines = errors.split(separator: "\n").suffix(8).map(String.init)
      throw BuildError.commandFailed(command: executable, status: "\(status)", log: nil, lastLines: lines)
    }
  }

  private var configuration: Subprocess.Configuration {
    var values: [Environment.Key: String?] = [:]
    for (name, value) in environment { values[.init(rawValue: name) ?? "_"] = value }
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
    return Subprocess.Configuration(
      executable: executable.contains("/") ? .path(FilePath(executable)) : .name(executable),
      arguments: Arguments(arguments),
      environment: .inherit.updating(values),
      workingDirectory: workingDirectory.map { FilePath($0) },
      platformOptions: options)
  }

  private func started<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
      return try await body()
    } catch let error as SubprocessError {
      if Task.isCancelled { throw CancellationError() }
      throw BuildError.notStarted(command: executable, reason: "\(error)")
    }
  }
}

/// The last `count` lines of a text file; empty when it cannot be read.
public func lastLines(of file: FilePath, _ count: Int) -> [String] {
  guard let data = FileManager.default.contents(atPath: file.string) else { return [] }
  return String(decoding: data.suffix(64 << 10), as: UTF8.self).split(separator: "\n").suffix(count).map(String.init)
}
