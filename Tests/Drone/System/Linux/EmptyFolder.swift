import Foundation
import Linux

/// A new folder in the system's folder for what lives shortly.
func emptyFolder() throws -> Path {
  let url = FileManager.default.temporaryDirectory.appending(path: "linux-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  return Path(Array(url.path.utf8))
}
