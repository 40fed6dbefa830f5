import Foundation
import SystemPackage

/// Runs `body` while no other program holds the same folder: two builds with one output folder run one after the other.
///
/// `waiting` is called once when somebody else holds it. The lock lies on the folder itself, leaves no file behind and
/// ends with the program, however that ends.
public func withFolderLock<Result>(
  on folder: FilePath, waiting: () -> Void, _ body: () async throws -> Result
) async throws -> Result {
  let descriptor = try fileOperation(folder, "Choose a folder that can be read") {
    try FileDescriptor.open(folder, .readOnly, options: [.directory, .closeOnExec])
  }
  defer { try? descriptor.close() }
  var told = false
  while flock(descriptor.rawValue, LOCK_EX | LOCK_NB) != 0 {
    guard errno == EWOULDBLOCK || errno == EINTR else {
      throw BuildError.file(
        path: folder.string, reason: "it cannot be locked (\(Errno(rawValue: errno)))",
        remedy: "Choose a folder on a local disk.")
    }
    if !told { waiting() }
    told = true
    try await Task.sleep(for: .milliseconds(200))
  }
  return try await body()
}
