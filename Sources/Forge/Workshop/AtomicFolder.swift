import CRename
import Foundation
import SystemPackage

/// Runs `body` with a new, empty folder inside `folder` that is removed afterwards, also when the program is interrupted.
public func withTemporaryFolder<Result>(
  in folder: FilePath, _ body: (FilePath) async throws -> Result
) async throws -> Result {
  let temporary = folder.appending(
    ".work.\(ProcessInfo.processInfo.processIdentifier).\(UInt32.random(in: 0 ... .max)).part")
  Leftovers.add(temporary)
  defer {
    try? FileManager.default.removeItem(atPath: temporary.string)
    Leftovers.remove(temporary)
  }
  try fileOperation(folder, "Choose a folder that can be written") {
    try FileManager.default.createDirectory(atPath: temporary.string, withIntermediateDirectories: true)
  }
  return try await body(temporary)
}

/// Makes a folder of outputs so that its name only ever shows a whole one: `body` fills a temporary folder beside it,
/// which then replaces `destination`. When `body` throws, a previous folder stays as it was.
public func replacingFolder<Result>(
  _ destination: FilePath, _ body: (FilePath) async throws -> Result
) async throws -> Result {
  try await withTemporaryFolder(in: destination.removingLastComponent()) { temporary in
    let result = try await body(temporary)
    try fileOperation(destination, "Make room for it or choose another folder") {
      guard chmod(temporary.string, 0o755) == 0 else { throw Errno(rawValue: errno) }
      if rename(temporary.string, destination.string) == 0 { return }
      // A folder that holds something cannot be renamed over: change places with it, and what was there before is
      // removed under the temporary name.
      let exchange: UInt32 = 2  // RENAME_EXCHANGE
      guard [EEXIST, ENOTEMPTY, ENOTDIR].contains(errno),
        renameat2(AT_FDCWD, temporary.string, AT_FDCWD, destination.string, exchange) == 0
      else { throw Errno(rawValue: errno) }
    }
    return result
  }
}
