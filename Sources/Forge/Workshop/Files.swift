import Foundation
import SystemPackage

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
  var out: [UInt8] = []
  try readPieces(of: path) { out.append(contentsOf: $0) }
  return out
}

/// Reads a file from its beginning to its end, in pieces of up to 1 MiB that are valid only within `body`.
public func readPieces(of path: FilePath, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
  try fileOperation(path, "Check the path and its permissions") {
    let file = try FileDescriptor.open(path, .readOnly)
    try file.closeAfter {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
      defer { buffer.deallocate() }
      while case let count = try file.read(into: buffer), count > 0 {
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }
}

public func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

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
