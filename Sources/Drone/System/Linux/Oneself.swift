import Bytes
import CLinux

/// The name that ps(1), pidof(1) and killall(1) know the calling process by; at most 15 bytes of it count.
public func setProcessName(_ name: [UInt8]) { _ = withTerminated(name) { linux_set_process_name($0) } }

/// How soon the kernel ends a process when memory is short (proc_pid_oom_score_adj(5)). What it starts is the same unless it says
/// otherwise. Process 1 is never ended.
public enum SacrificeOrder: Sendable {
  case never
  /// Only when nobody else is left.
  case last
  case usual
  /// Before all that the node itself runs.
  case first

  fileprivate var score: StaticString {
    switch self {
    case .never: "-1000"
    case .last: "-900"
    case .usual: "0"
    case .first: "900"
    }
  }
}

/// Says when the calling process is to be ended for want of memory. Only root may ask for less than the usual.
public func setSacrificeOrder(_ order: SacrificeOrder) {
  try? writeFile("/proc/self/oom_score_adj", [UInt8](order.score))
}

/// Processor time of the calling process, in it and for it in the kernel, in nanoseconds (CLOCK_PROCESS_CPUTIME_ID).
public func processorNanoseconds() -> UInt64 {
  var now = timespec()
  guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0 else { return 0 }
  return UInt64(clamping: now.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: now.tv_nsec)
}

/// Writes to standard output; what does not go is lost.
public func writeStandardOutput(_ bytes: [UInt8]) {
  var done = 0
  while done < bytes.count {
    let went = bytes.withUnsafeBytes { CLinux.write(1, $0.baseAddress?.advanced(by: done), $0.count - done) }
    guard went > 0 || linux_errno() == EINTR else { return }
    done += max(went, 0)
  }
}

/// How many descriptors the calling process and what it starts may have (RLIMIT_NOFILE). What is not allowed is not set.
public var descriptorLimit: UInt64 {
  get { linux_descriptor_limit() }
  set { linux_set_descriptor_limit(newValue) }
}

extension Descriptor {
  /// Locks the open file for as long as it stays open; false when another process holds the lock.
  public func lock() -> Bool { linux_lock(number) == 0 }

  /// Makes the file empty.
  public func empty() throws(SystemError) {
    guard ftruncate(number, 0) == 0 else { throw SystemError("truncate") }
  }
}

/// One read(2) from standard input; empty at its end, or when it fails.
public func readStandardInput(upTo limit: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: max(limit, 0)) { buffer, count in
    var got = -1
    repeat { got = CLinux.read(0, buffer.baseAddress, buffer.count) } while got < 0 && linux_errno() == EINTR
    count = max(got, 0)
  }
}
