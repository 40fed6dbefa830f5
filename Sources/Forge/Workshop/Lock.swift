import Foundation
import SystemPackage

/// Runs `body` while no other program holds the lock on `path`: of two builds in one place, one waits for the other.
///
/// `waiting` is called once when somebody else holds it. The lock lies on a folder itself and leaves nothing behind; where
/// there is no folder, it lies on an empty file, which stays. It ends with the program, however that ends.
public func withLock<Result>(
  on path: FilePath, waiting: () -> Void = {}, _ body: () async throws -> Result
) async throws -> Result {
  let descriptor = try fileOperation(path, "Choose a folder that can be read and written") {
    if isFolder(path) {
      return try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
    }
    return try FileDescriptor.open(
      path, .readWrite, options: [.create, .closeOnExec], permissions: [.ownerReadWrite, .groupRead, .otherRead])
  }
  defer { try? descriptor.close() }
  var told = false
  while flock(descriptor.rawValue, LOCK_EX | LOCK_NB) != 0 {
    guard errno == EWOULDBLOCK || errno == EINTR else {
      throw BuildError.file(
        path: path.string, reason: "it cannot be locked (\(Errno(rawValue: errno)))",
        remedy: "Choose a folder on a local disk.")
    }
    if !told { waiting() }
    told = true
    try await Task.sleep(for: .milliseconds(200))
  }
  return try await body()
}
