import Foundation
import SystemPackage

/// Writes an output so that its name only ever shows a whole file: `body` writes a temporary name beside it, which then
/// replaces `destination`. When `body` throws, the temporary is removed and a previous output stays as it was.
public func replacing<Result>(
  _ destination: FilePath, mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead],
  _ body: (FilePath) async throws -> Result
) async throws -> Result {
  let name = destination.lastComponent?.string ?? "output"
  let temporary = destination.removingLastComponent().appending(
    ".\(name).\(ProcessInfo.processInfo.processIdentifier).\(UInt32.random(in: 0 ... .max)).part")
  Leftovers.add(temporary)
  defer {
    // Gone already after a successful rename.
    try? FileManager.default.removeItem(atPath: temporary.string)
    Leftovers.remove(temporary)
  }
  let result = try await body(temporary)
  try fileOperation(destination, "make room for it or choose another folder") {
    guard chmod(temporary.string, mode.rawValue) == 0, rename(temporary.string, destination.string) == 0 else {
      throw Errno(rawValue: errno)
    }
  }
  return result
}

/// Writes `bytes` as a whole file or not at all.
public func write(
  _ bytes: some Sequence<UInt8>, to destination: FilePath,
  mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
) async throws {
  let bytes = [UInt8](bytes)
  try await write(to: destination, mode: mode) { append in try bytes.withUnsafeBytes(append) }
}

/// Writes a whole file or nothing: `body` hands the file's pieces to the function that it is given.
public func write(
  to destination: FilePath, mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead],
  _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
) async throws {
  try await replacing(destination, mode: mode) { temporary in
    let remedy = "Make room for it or choose another folder"
    // The final mode is set last; until then only the owner can read it.
    let file = try fileOperation(destination, remedy) {
      try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
    }
    try file.closeAfter {
      try body { piece in _ = try fileOperation(destination, remedy) { try file.writeAll(piece) } }
    }
  }
}

/// Temporary files to remove when the program is interrupted: a signal ends it without running any `defer`.
public enum Leftovers {
  private static let lock = NSLock()
  nonisolated(unsafe) private static var paths: Set<String> = []

  static func add(_ path: FilePath) { lock.withLock { _ = paths.insert(path.string) } }
  static func remove(_ path: FilePath) { lock.withLock { _ = paths.remove(path.string) } }

  /// Removes every temporary file and folder that is being written now.
  public static func removeAll() {
    lock.withLock {
      for path in paths { try? FileManager.default.removeItem(atPath: path) }
      paths = []
    }
  }
}
