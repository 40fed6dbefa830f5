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

/// Removes what `withTemporaryFolder` left in `folder` when a program was killed. The caller holds a lock under which alone
/// such folders are filled there.
public func removeUnfinished(in folder: FilePath) {
  for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []
  where name.hasPrefix(".work.") && name.hasSuffix(".part") {
    try? FileManager.default.removeItem(atPath: folder.appending(name).string)
  }
}

/// Puts a finished file or folder under the name of an output, which only ever shows a whole one: a previous one of that
/// name goes.
public func takePlace(of destination: FilePath, _ finished: FilePath) throws {
  try fileOperation(destination, "Make room for it or choose another folder") {
    if rename(finished.string, destination.string) == 0 { return }
    // A folder that holds something cannot be renamed over: change places with it.
    let exchange: UInt32 = 2  // RENAME_EXCHANGE
    guard [EEXIST, ENOTEMPTY, ENOTDIR, EISDIR].contains(errno),
      renameat2(AT_FDCWD, finished.string, AT_FDCWD, destination.string, exchange) == 0
    else { throw Errno(rawValue: errno) }
    try FileManager.default.removeItem(atPath: finished.string)
  }
}
