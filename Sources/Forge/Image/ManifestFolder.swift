import Foundation
import SystemPackage
import Workshop

/// Writes a manifest as a folder, every date `date` (seconds since 1970), whatever the umask. Owners are the caller.
///
/// Throws `BuildError` when it holds a device, a file is no longer what was resolved, or the folder cannot be written.
public func write(_ manifest: ResolvedManifest, asFolder folder: FilePath, date: UInt32 = imageDate) async throws {
  try makeFolder(folder)
  for resolved in manifest.entries {
    let entry = resolved.entry
    let path = FilePath(folder.string + entry.path)
    switch entry.kind {
    case .directory: try makeFolder(path)
    case .file:
      try await write(to: path, mode: FilePermissions(rawValue: mode_t(entry.mode))) { append in
        try resolved.content?.forEachPiece(append)
      }
    case .symbolicLink(let target):
      try fileOperation(path, "Choose another folder") {
        try FileManager.default.createSymbolicLink(atPath: path.string, withDestinationPath: target)
      }
    case .characterDevice: throw BuildError.input("\(entry.path) is a device, which only an archive can hold.")
    }
  }
  // Writing into a directory changes its date: the innermost are dated last but one, the folder itself last.
  for entry in manifest.entries.reversed().map(\.entry) {
    let isLink = if case .symbolicLink = entry.kind { true } else { false }
    try settle(FilePath(folder.string + entry.path), isLink ? nil : entry.mode, date)
  }
  try settle(folder, 0o755, date)
}

/// Sets the mode and date of a file or folder; a link has only a date.
private func settle(_ path: FilePath, _ mode: UInt16?, _ date: UInt32) throws {
  try fileOperation(path, "Choose another folder") {
    let date = timespec(tv_sec: Int(date), tv_nsec: 0)
    if let mode, chmod(path.string, mode_t(mode)) != 0 { throw Errno(rawValue: errno) }
    guard utimensat(AT_FDCWD, path.string, [date, date], AT_SYMLINK_NOFOLLOW) == 0 else {
      throw Errno(rawValue: errno)
    }
  }
}
