import Foundation
import SystemPackage

/// Runs a file operation and turns its error number into a sentence about `path`.
public func fileOperation<Result>(_ path: FilePath, _ remedy: String, _ body: () throws -> Result) throws -> Result {
  func failure(_ number: Errno?, _ reason: String) -> BuildError {
    var remedy = remedy.hasSuffix(".") ? remedy : remedy + "."
    if number == .permissionDenied || number == .notPermitted,
      let foreign = foreignTree(around: path, user: geteuid(), owner: owner(of:))
    {
      remedy =
        "\(foreign) belongs to another user, perhaps since sudo was used. Take it over: sudo chown -R \(geteuid()) \(foreign)"
    }
    return .file(path: path.string, reason: reason, remedy: remedy)
  }
  do {
    return try body()
  } catch let error as Errno {
    throw failure(error, "\(error)")
  } catch let error as CocoaError {
    let number = (error.underlying as? POSIXError).map { Errno(rawValue: $0.code.rawValue) }
    throw failure(number, number.map { "\($0)" } ?? error.localizedDescription)
  }
}

/// The file or folder in a folder of the user's that is not the user's, and at or above `path`; nil when there is none.
///
/// - Parameter owner: a path's; nil when it is not there.
func foreignTree(around path: FilePath, user: UInt32, owner: (FilePath) -> UInt32?) -> FilePath? {
  var place = path
  while true {
    let parent = place.removingLastComponent()
    guard parent != place, !parent.isEmpty else { return nil }
    if let found = owner(place), found != user, owner(parent) == user { return place }
    place = parent
  }
}

private func owner(of path: FilePath) -> UInt32? {
  var look = stat()
  return lstat(path.string, &look) == 0 ? look.st_uid : nil
}

/// Throws a sentence that names the path when makefiles, shells or compilers would take a part of it for something else.
///
/// - Parameters:
///   - what: what the path is, as a sentence's beginning.
///   - remedy: a sentence.
public func requirePlain(_ path: FilePath, _ what: String, _ remedy: String) throws {
  let plain = path.string.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...0xFF:
      true
    default: "/._-+@~".utf8.contains(byte)
    }
  }
  guard plain else {
    throw BuildError.input(
      "\(what) \"\(path)\" has a character in its path over which makefiles or compilers stumble: "
        + "letters, digits and / . _ - + @ ~ are safe. \(remedy)")
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
  var out: [UInt8] = []
  try readPieces(of: path) { out.append(contentsOf: $0) }
  return out
}

/// Reads a file from its beginning to its end, in pieces of up to 1 MiB that are valid only within `body`. Throws `BuildError`, also for
/// what is neither a regular file nor a drive: a pipe that nobody writes to would never end.
public func readPieces(of path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
  try fileOperation(path, "Check the path and its permissions") {
    let file = try FileDescriptor.open(path, .readOnly, options: .nonBlocking)
    try file.closeAfter {
      var look = stat()
      guard fstat(file.rawValue, &look) == 0 else { throw Errno(rawValue: errno) }
      switch look.st_mode & S_IFMT {
      case S_IFREG, S_IFBLK: break
      case S_IFDIR: throw Errno.isDirectory
      default:
        throw BuildError.file(
          path: path.string, reason: "it is neither a regular file nor a drive", remedy: "Copy its content into one.")
      }
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
      defer { buffer.deallocate() }
      while case let count = try file.read(into: buffer), count > 0 {
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }
}

public func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

/// Whether there is a folder, perhaps behind links.
public func isFolder(_ path: FilePath) -> Bool {
  var answer: ObjCBool = false
  return FileManager.default.fileExists(atPath: path.string, isDirectory: &answer) && answer.boolValue
}

/// Whether there is something else than a folder, perhaps behind links.
public func isFile(_ path: FilePath) -> Bool { exists(path) && !isFolder(path) }

/// The same path, independent of a later change of folder.
public func absolute(_ path: FilePath) -> FilePath {
  path.isAbsolute ? path : FilePath(FileManager.default.currentDirectoryPath).pushing(path)
}

/// Removes a file, or a folder with all that is in it.
public func removeTree(_ path: FilePath) throws {
  try fileOperation(path, "Remove it by hand") { try FileManager.default.removeItem(atPath: path.string) }
}

/// Moves a file or folder within the same file system.
public func move(_ from: FilePath, to destination: FilePath) throws {
  try fileOperation(destination, "Make room for it or choose another folder") {
    try FileManager.default.moveItem(atPath: from.string, toPath: destination.string)
  }
}
