import Foundation
import Subprocess
import SystemPackage

/// A program run to its end, with its arguments as a list: no shell ever reads them.
public struct Command: Sendable {
  /// A path, or a name to be found in PATH.
  public var executable: String
  public var arguments: [String]
  /// Added to what is inherited; a nil value removes the name.
  public var environment: [String: String?]
  /// The variables that it gets of this program's; nil for all.
  let inherited: Set<String>?
  public var workingDirectory: String?

  /// With this program's environment: for the laboratory. A build's programs are started by `tool`.
  public init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    workingDirectory: String? = nil
  ) {
    self.init(
      executable, arguments, environment: environment, inheriting: nil, workingDirectory: workingDirectory)
  }

  init(
    _ executable: String, _ arguments: [String], environment: [String: String?], inheriting inherited: Set<String>?,
    workingDirectory: String?
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.inherited = inherited
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

  /// Runs to the end and gives each line of output and errors to `line` as it comes.
  ///
  /// Throws `BuildError.commandFailed` on any status but 0, with the last lines. Cancelling the task ends the program
  /// (SIGTERM, then SIGKILL after 2 s).
  public func run(_ line: (String) async -> Void) async throws {
    let result = try await started {
      try await Subprocess.run(configuration, input: .none, output: .sequence, error: .combinedWithOutput) {
        execution in
        var last: [String] = []
        for try await text in execution.standardOutput.strings() {
          await line(text)
          last = last.suffix(7) + [text]
        }
        return last
      }
    }
    guard result.terminationStatus.isSuccess else {
      throw BuildError.commandFailed(
        command: executable, status: "\(result.terminationStatus)", log: nil, lastLines: result.closureResult)
    }
  }

  /// Runs while `body` does, with these descriptors as its standard input, output and error; they are closed here once it
  /// has them. Gives what `body` gives, and throws what it throws, or `BuildError.notStarted`.
  public func running<Result: Sendable>(
    input: FileDescriptor, output: FileDescriptor, error: FileDescriptor, _ body: () async throws -> Result
  ) async throws -> Result {
    try await started {
      try await Subprocess.run(
        configuration, input: .fileDescriptor(input, closeAfterSpawningProcess: true),
        output: .fileDescriptor(output, closeAfterSpawningProcess: true),
        error: .fileDescriptor(error, closeAfterSpawningProcess: true)
      ) { _ in try await body() }.closureResult
    }
  }

  /// Runs while `body` does, which gets its process number once it has answered a line of input with output; its input
  /// ends after that. Throws what `body` throws, `silence` when it ends without an answer, or `BuildError.notStarted`.
  public func running<Result: Sendable>(
    silence: BuildError, _ body: (pid_t) async throws -> Result
  ) async throws -> Result {
    // One that has ended already is silent, and no reason to end.
    signal(SIGPIPE, SIG_IGN)
    return try await started {
      try await Subprocess.run(configuration, input: .inputWriter, output: .sequence, error: .discarded) { execution in
        _ = try? await execution.standardInputWriter.write("ready\n")
        var answers = execution.standardOutput.makeAsyncIterator()
        guard try await answers.next() != nil else { throw silence }
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await body(execution.processIdentifier.value)) } catch { outcome = .failure(error) }
        try? await execution.standardInputWriter.finish()
        return try outcome.get()
      }.closureResult
    }
  }

  private func requireSuccess(_ status: TerminationStatus, errors: String) throws {
    guard status.isSuccess else {
      let lines = errors.split(separator: "\n").suffix(8).map(String.init)
      throw BuildError.commandFailed(command: executable, status: "\(status)", log: nil, lastLines: lines)
    }
  }

  private var configuration: Subprocess.Configuration {
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
    return Subprocess.Configuration(
      executable: executable.contains("/") ? .path(FilePath(executable)) : .name(executable),
      arguments: Arguments(arguments),
      environment: programEnvironment,
      workingDirectory: workingDirectory.map { FilePath($0) },
      platformOptions: options)
  }

  private var programEnvironment: Environment {
    var values: [Environment.Key: String] = [:]
    for (name, value) in variables(beside: ProcessInfo.processInfo.environment) {
      if let key = Environment.Key(rawValue: name) { values[key] = value }
    }
    return .custom(values)
  }

  /// The program's variables where this program's are `own`.
  func variables(beside own: [String: String]) -> [String: String] {
    var values = own.filter { inherited?.contains($0.key) ?? true }
    for (name, value) in environment { values[name] = value }
    return values
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
