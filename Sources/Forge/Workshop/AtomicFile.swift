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
  try await replacing(destination, mode: mode) { temporary in
    try fileOperation(destination, "Make room for it or choose another folder") {
      // The final mode is set last; until then only the owner can read it.
      let file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
      try file.closeAfter { _ = try file.writeAll(bytes) }
    }
  }
}

/// Runs a file operation and turns its error number into a sentence about `path`.
public func fileOperation<Result>(_ path: FilePath, _ remedy: String, _ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as Errno {
    throw BuildError.file(path: path.string, reason: "\(error)", remedy: remedy.hasSuffix(".") ? remedy : remedy + ".")
  } catch let error as CocoaError {
    let number = (error.underlying as? POSIXError)?.code.rawValue
    let reason = number.map { "\(Errno(rawValue: $0))" } ?? error.localizedDescription
    throw BuildError.file(path: path.string, reason: reason, remedy: remedy.hasSuffix(".") ? remedy : remedy + ".")
  }
}

/// Makes a folder and its parents.
public func makeFolder(_ path: FilePath) throws {
  try fileOperation(path, "Choose a folder that can be written") {
    try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
  }
}

/// A whole file's bytes.
public func contents(of path: FilePath) throws -> [UInt8] {
  try fileOperation(path, "Check the path and its permissions") {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
      var out: [UInt8] = []
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
      defer { buffer.deallocate() }
      while case let count = try file.read(into: buffer), count > 0 { out.append(contentsOf: buffer[..<count]) }
      return out
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
