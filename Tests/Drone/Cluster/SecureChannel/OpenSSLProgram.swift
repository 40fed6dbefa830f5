import Foundation

/// Runs the `openssl` program; gives its status and what it wrote.
func openssl(_ arguments: String...) throws -> (status: Int32, text: String) {
  let process = try started(arguments, input: nil)
  let output = try (process.standardOutput as? Pipe)?.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// Starts it with standard output and error in one pipe.
func started(_ arguments: [String], input: FileHandle?) throws -> Process {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/openssl")
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  process.standardInput = input ?? FileHandle.nullDevice
  try process.run()
  return process
}

func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "secure-channel-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}
