import Bytes
import CLinux
import Integrity
import Linux

/// The root filesystem of this machine, for the comparison with its baseline.
///
/// It keeps its buffers and at most one open file, so that looking at everything again and again needs no more memory
/// than the first time.
public struct SystemRoot: Root {
  private let prefix: [UInt8]
  private let procMounts: Path
  private let procModules: Path
  private let paths: UnsafeMutableBufferPointer<CChar>
  private let buffer: UnsafeMutableRawBufferPointer
  /// The file that is being hashed, and how far.
  private var file: Int32 = -1
  private var offset: UInt64 = 0
  private var digest = ContentDigest()

  /// PATH_MAX, the longest path that the kernel takes, its zero included.
  private static let longestPath = 4096
  private static let bufferSize = 4096

  /// - Parameter prefix: a folder that takes the place of the root; empty for the root itself.
  public init(
    prefix: [UInt8] = [], mounts: Path = "/proc/self/mountinfo", modules: Path = "/proc/modules"
  ) {
    self.prefix = prefix
    procMounts = mounts
    procModules = modules
    paths = .allocate(capacity: prefix.count + Self.longestPath)
    buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
    for (index, byte) in prefix.enumerated() { paths[index] = CChar(bitPattern: byte) }
  }

  /// Gives the buffers and the open file back. Nothing may be asked afterwards.
  public mutating func close() {
    closeFile()
    paths.deallocate()
    buffer.deallocate()
  }

  public mutating func observe(_ path: [UInt8]) throws(RootError) -> Observation {
    var found = linux_observation()
    guard linux_observe(try terminated(path), &found) == 0 else { throw failure() }
    return Observation(
      mode: found.mode, owner: found.owner, group: found.group, links: found.links, size: found.size,
      major: found.major, minor: found.minor, filesystem: found.filesystem, inode: found.inode,
      modified: found.modified, changed: found.changed)
  }

  public mutating func target(_ path: [UInt8], is expected: [UInt8]) throws(RootError) -> Bool {
    let length = linux_read_link(try terminated(path), buffer.baseAddress, buffer.count)
    guard length >= 0 else { throw failure() }
    guard length == expected.count else { return false }
    return expected.withUnsafeBytes { wanted in
      guard let wanted = wanted.baseAddress, let found = buffer.baseAddress else { return length == 0 }
      return memcmp(wanted, found, length) == 0
    }
  }

  public mutating func nameCount(_ directory: [UInt8]) throws(RootError) -> Int {
    let descriptor = linux_open_directory(try terminated(directory))
    guard descriptor >= 0 else { throw failure() }
    let count = linux_count_names(descriptor, buffer.baseAddress, buffer.count)
    let error = failure()
    _ = CLinux.close(descriptor)
    guard count >= 0 else { throw error }
    return Int(count)
  }

  public mutating func names(_ directory: [UInt8]) throws(RootError) -> [[UInt8]] {
    guard let stream = opendir(try terminated(directory)) else { throw failure() }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while true {
      linux_set_errno(0)
      guard let entry = readdir(stream) else { break }
      guard let start = linux_entry_name(entry) else { continue }
      let name = UnsafeBufferPointer(start: start, count: linux_entry_name_length(entry)).map {
        UInt8(bitPattern: $0)
      }
      if !name.spells(".") && !name.spells("..") { names.append(name) }
    }
    guard linux_errno() == 0 else { throw failure() }
    return names
  }

  public mutating func mountTable() throws(RootError) -> [UInt8] {
    do throws(SystemError) {
      return try readFile(procMounts)
    } catch {
      throw RootError(errno: error.number)
    }
  }

  public mutating func modules() throws(RootError) -> [UInt8] {
    do throws(SystemError) {
      return try readFile(procModules)
    } catch {
      if error.isMissing { return [] }
      throw RootError(errno: error.number)
    }
  }

  public mutating func digest(
    _ path: [UInt8], offset wanted: UInt64, count: UInt64, isLast: Bool
  ) throws(RootError) -> [UInt8]? {
    if wanted == 0 {
      closeFile()
      file = linux_open_file(try terminated(path))
      guard file >= 0 else { throw failure() }
      digest = ContentDigest()
      offset = 0
    }
    guard file >= 0, wanted == offset, let base = buffer.baseAddress else { throw RootError(errno: EIO) }
    var rest = count
    while rest > 0 {
      let got = CLinux.read(file, base, Int(min(rest, UInt64(buffer.count))))
      if got < 0, linux_errno() == EINTR { continue }
      guard got >= 0 else {
        let error = failure()
        closeFile()
        throw error
      }
      // Shorter than it was: the digest will show it.
      if got == 0 { break }
      let bytes = UnsafeBufferPointer(start: base.assumingMemoryBound(to: UInt8.self), count: got)
      digest.add(bytes.span)
      rest -= min(rest, UInt64(got))
    }
    offset &+= count
    guard isLast else { return nil }
    closeFile()
    return digest.finish()
  }

  private mutating func closeFile() {
    if file >= 0 { _ = CLinux.close(file) }
    file = -1
  }

  /// The path below the prefix as a C string; it holds until the next call.
  private func terminated(_ path: [UInt8]) throws(RootError) -> UnsafePointer<CChar> {
    guard path.count < Self.longestPath, let base = paths.baseAddress else { throw RootError(errno: ENAMETOOLONG) }
    let start = base + prefix.count
    path.withUnsafeBytes { bytes in
      if let from = bytes.baseAddress { _ = memcpy(start, from, bytes.count) }
    }
    start[path.count] = 0
    return UnsafePointer(base)
  }

  private func failure() -> RootError { RootError(errno: linux_errno()) }
}
