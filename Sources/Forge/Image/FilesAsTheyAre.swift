import Foundation
import SystemPackage
import Workshop

/// The entries for a folder of the checkout whose files go into the image as they are.
///
/// Owner, times, umask and the order of the folder are left behind: everything belongs to root, a file is 0755 when
/// its owner may execute it and else 0644, a directory is 0755. Throws one sentence about anything that cannot be in
/// an image.
func filesAsTheyAre(_ folder: FilePath) throws -> [Entry] {
  var entries: [Entry] = []
  var ahead = [""]
  while let inner = ahead.popLast() {
    let found = try fileOperation(folder.appending(path: inner), "Check the folder and its permissions") {
      try names(in: folder.appending(path: inner))
    }
    for bytes in found.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let name = String(validating: bytes, as: UTF8.self) else {
        let shown = String(decoding: bytes, as: UTF8.self)
        throw BuildError.input("\(folder)\(inner)/\(shown) has a name that is not UTF-8. Rename it.")
      }
      let path = "\(inner)/\(name)"
      let entry = try entry(path, folder.appending(path: path))
      if entry.kind == .directory { ahead.append(path) }
      entries.append(entry)
    }
  }
  return entries
}

extension FilePath {
  /// This folder with an absolute path of the image below it.
  fileprivate func appending(path: String) -> FilePath { FilePath(string + path) }
}

private func entry(_ path: String, _ source: FilePath) throws -> Entry {
  let why = "rootfs\(path)"
  let origin = Origin.checkout(why)
  let refused: String
  switch try status(of: source).kind {
  case .regular(let executable): return .file(path, .file(source), executable: executable, why: why, origin: origin)
  case .directory: return .directory(path, why: why, origin: origin)
  case .symbolicLink:
    let target = try fileOperation(source, "Check its permissions") {
      try FileManager.default.destinationOfSymbolicLink(atPath: source.string)
    }
    return .link(path, to: target, why: why, origin: origin)
  case .other(let kind): refused = kind
  }
  throw BuildError.input("\(source) is a \(refused), which cannot be in an image. Remove it.")
}

/// The names in a folder, without `.` and `..`, as bytes and in no order.
private func names(in folder: FilePath) throws -> [[UInt8]] {
  guard let stream = opendir(folder.string) else { throw Errno(rawValue: errno) }
  defer { closedir(stream) }
  var names: [[UInt8]] = []
  while let item = readdir(stream) {
    let name = withUnsafeBytes(of: &item.pointee.d_name) { [UInt8]($0.prefix { $0 != 0 }) }
    if name != [0x2E] && name != [0x2E, 0x2E] { names.append(name) }
  }
  return names
}

/// What is known of a file without reading it.
struct FileStatus: Equatable {
  enum Kind: Equatable {
    case regular(executable: Bool)
    case directory
    case symbolicLink
    /// Named for a sentence.
    case other(String)
  }

  let kind: Kind
  /// Changes whenever the file does, as far as its size and times show.
  let identity: [UInt64]
}

/// Describes a path itself and does not follow a link.
func status(of path: FilePath) throws -> FileStatus {
  try fileOperation(path, "Check the path and its permissions") {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { throw Errno(rawValue: errno) }
    let kind: FileStatus.Kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular(executable: status.st_mode & S_IXUSR != 0)
      case S_IFDIR: .directory
      case S_IFLNK: .symbolicLink
      case S_IFSOCK: .other("socket")
      case S_IFIFO: .other("FIFO")
      case S_IFCHR, S_IFBLK: .other("device")
      default: .other("file of an unknown kind")
      }
    return FileStatus(
      kind: kind,
      identity: [
        UInt64(status.st_dev), UInt64(status.st_ino), UInt64(status.st_mode),
        UInt64(truncatingIfNeeded: status.st_size),
        UInt64(truncatingIfNeeded: status.st_mtim.tv_sec), UInt64(truncatingIfNeeded: status.st_mtim.tv_nsec),
        UInt64(truncatingIfNeeded: status.st_ctim.tv_sec), UInt64(truncatingIfNeeded: status.st_ctim.tv_nsec),
      ])
  }
}
