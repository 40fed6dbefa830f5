import Bytes
import CLinux

/// A whole file, at most `limit` bytes of it.
public func readFile(_ path: Path, limit: Int = 1 << 20) throws(SystemError) -> [UInt8] {
  let file = try Descriptor(path, .readNonBlocking)
  do {
    return try file.readToEnd(limit: limit)
  } catch {
    throw SystemError(error.call, path.bytes, number: error.number)
  }
}

/// Writes a file in place: for files of the kernel in /proc and /sys, which take one write.
public func writeFile(_ path: Path, _ bytes: [UInt8]) throws(SystemError) {
  let file = try Descriptor(path, .write)
  do {
    try file.write(bytes)
  } catch {
    throw SystemError(error.call, path.bytes, number: error.number)
  }
}

/// Replaces a file as a whole: readers see the old bytes or the new ones, never a part. The folder must be writable.
public func replaceFile(_ path: Path, _ bytes: [UInt8], permissions: UInt32 = 0o644) throws(SystemError) {
  var name = path.bytes + [UInt8](".")
  appendDecimal(UInt64(UInt32(bitPattern: getpid())), to: &name)
  let temporary = Path(name)
  do {
    let file = try Descriptor(temporary, .create, permissions: permissions)
    try file.write(bytes)
  } catch {
    removeFile(temporary)
    throw SystemError(error.call, path.bytes, number: error.number)
  }
  let result = temporary.withCString { from in path.withCString { rename(from, $0) } }
  guard result == 0 else {
    let failure = SystemError("rename", path.bytes)
    removeFile(temporary)
    throw failure
  }
}

/// A file for the calling process alone, which has no name any more and goes when it is closed.
public func openUnnamedFile(in folder: Path) throws(SystemError) -> Descriptor {
  let path = folder / ([UInt8](".") + hexadecimalText(randomBytes(12) ?? decimalText(getpid())))
  let file = try Descriptor(path, .new, permissions: 0o600)
  removeFile(path)
  return file
}

/// Appends bytes to a file in one write, making it if it is missing.
public func appendToFile(_ path: Path, _ bytes: [UInt8], permissions: UInt32 = 0o644) throws(SystemError) {
  let file = try Descriptor(path, .append, permissions: permissions)
  try file.write(bytes)
}

/// Gives a file another name, in the place of what has that name.
public func renameFile(_ path: Path, to target: Path) throws(SystemError) {
  guard path.withCString({ from in target.withCString { rename(from, $0) } }) == 0 else {
    throw SystemError("rename", path.bytes)
  }
}

/// Removes a file or link; one that is missing is as good.
public func removeFile(_ path: Path) { _ = path.withCString { unlink($0) } }

/// Makes a folder; one that is there already is as good.
public func makeDirectory(_ path: Path, permissions: UInt32 = 0o755) throws(SystemError) {
  guard path.withCString({ mkdir($0, mode_t(permissions)) }) == 0 || linux_errno() == EEXIST else {
    throw SystemError("mkdir", path.bytes)
  }
}

/// Removes an empty folder.
public func removeDirectory(_ path: Path) throws(SystemError) {
  guard path.withCString({ rmdir($0) }) == 0 else { throw SystemError("rmdir", path.bytes) }
}

/// Makes a symbolic link, replacing what has its name.
public func makeSymbolicLink(_ path: Path, to target: [UInt8]) throws(SystemError) {
  removeFile(path)
  guard withTerminated(target, { target in path.withCString { symlink(target, $0) } }) == 0 else {
    throw SystemError("symlink", path.bytes)
  }
}

/// What a symbolic link points to.
public func symbolicLink(_ path: Path) throws(SystemError) -> [UInt8] {
  var failure: SystemError?
  let target = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
    let length = path.withCString { linux_read_link($0, buffer.baseAddress, buffer.count) }
    if length < 0 { failure = SystemError("readlink", path.bytes) }
    count = max(length, 0)
  }
  if let failure { throw failure }
  return target
}

/// Whether there is something by that name (a link counts by what it points to).
public func exists(_ path: Path) -> Bool { path.withCString { access($0, F_OK) } == 0 }

/// The names in a folder in byte order, `.` and `..` left out; empty if it cannot be read.
public func directoryEntries(_ path: Path) -> [[UInt8]] {
  guard let stream = path.withCString({ opendir($0) }) else { return [] }
  defer { closedir(stream) }
  var names: [[UInt8]] = []
  while let entry = readdir(stream) {
    guard let start = linux_entry_name(entry) else { continue }
    let name = UnsafeBufferPointer(start: start, count: linux_entry_name_length(entry)).map { UInt8(bitPattern: $0) }
    if name != [UInt8(ascii: ".")] && name != [UInt8](repeating: UInt8(ascii: "."), count: 2) { names.append(name) }
  }
  names.sort { $0.lexicographicallyPrecedes($1) }
  return names
}

/// Sets the mode bits that a new file of this process does not get.
public func setCreationMask(_ mask: UInt32) { _ = umask(mode_t(mask)) }
