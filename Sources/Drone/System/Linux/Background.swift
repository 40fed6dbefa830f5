import Bytes
import CLinux

/// Which of two processes one is after `forkProcess`.
public enum ForkSide: Equatable, Sendable {
  case parent(child: Int32)
  case child
}

/// Makes a second process like this one (fork(2)). For programs with one thread.
public func forkProcess() throws(SystemError) -> ForkSide {
  let child = linux_fork()
  guard child >= 0 else { throw SystemError("fork") }
  return child == 0 ? .child : .parent(child: child)
}

/// Leaves the terminal: a session of its own, no working directory that could keep a medium mounted. Descriptors stay.
public func leaveSession() {
  _ = setsid()
  _ = chdir("/")
}

/// Begins a session without a terminal (setsid(2)): keys and the shell's signals do not reach the process.
public func leaveTerminal() { _ = setsid() }

/// Makes standard input, output and error the file, `/dev/null` say.
public func redirectStandardDescriptors(to path: Path) throws(SystemError) {
  guard path.withCString({ linux_redirect_standard_descriptors($0) }) == 0 else {
    throw SystemError("open", path.bytes)
  }
}

/// A file with a process's number in it, locked as long as the process lives: so one can see that it runs, and only one
/// can. A child keeps its parent's lock.
public struct ProcessFile: ~Copyable {
  private let file: Descriptor

  /// Nil if another process holds the lock.
  public init?(_ path: Path) throws(SystemError) {
    let file = try Descriptor(path, .keep, permissions: 0o600)
    guard linux_lock(file.number) == 0 else {
      let failure = SystemError("lock", path.bytes)
      if failure.wouldBlock { return nil }
      throw failure
    }
    // The number of a former one may be anybody's by now.
    _ = ftruncate(file.number, 0)
    self.file = file
  }

  /// Writes the number of the process that stays into it.
  public func name(_ process: Int32) throws(SystemError) {
    var text: [UInt8] = []
    appendDecimal(UInt64(UInt32(bitPattern: process)), to: &text)
    text.append(UInt8(ascii: "\n"))
    guard ftruncate(file.number, 0) == 0, lseek(file.number, 0, SEEK_SET) == 0 else { throw SystemError("write") }
    try file.write(text)
  }

  /// Whether a process holds the file.
  public static func isHeld(_ path: Path) -> Bool {
    guard let file = try? Descriptor(path, .readNonBlocking) else { return false }
    return linux_lock(file.number) != 0 && SystemError("").wouldBlock
  }

  /// The process that holds the file; nil if none does, or it has not written its number yet.
  public static func holder(of path: Path) -> Int32? {
    guard isHeld(path), let text = try? readFile(path, limit: 16),
      let number = decimal(text.prefix { $0 != UInt8(ascii: "\n") })
    else { return nil }
    return Int32(exactly: number)
  }
}
