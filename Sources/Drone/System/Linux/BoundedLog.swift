import Bytes

/// A log of bounded length, however many programs have written to it one after the other: once it is full it goes on anew, and
/// what was before is kept beside it, under the name with `.old`.
public struct BoundedLog {
  private let path: Path
  private let limit: Int

  public init(_ path: Path, limit: Int) {
    self.path = path
    self.limit = limit
  }

  /// Appends a line; it is lost where it cannot be written.
  public func append(_ line: [UInt8]) {
    do throws(SystemError) {
      let file = try Descriptor(path, .append, permissions: 0o600)
      // A former run may have left it full.
      let length = file.size ?? 0
      guard length > 0, length + Int64(line.count) > Int64(limit) else { return try file.write(line) }
      try? renameFile(path, to: Path(path.bytes + [UInt8](".old")))
      try appendToFile(path, line, permissions: 0o600)
    } catch {}
  }
}
