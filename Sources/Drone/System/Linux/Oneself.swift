import Bytes
import CLinux

/// The name that ps(1), pidof(1) and killall(1) know the calling process by; at most 15 bytes of it count.
public func setProcessName(_ name: [UInt8]) { _ = withTerminated(name) { linux_set_process_name($0) } }

/// Keeps the calling process alive when the kernel ends others for want of memory (proc_pid_oom_score_adj(5)).
public func sparedWhenMemoryIsShort() { try? writeFile("/proc/self/oom_score_adj", [UInt8]("-1000")) }

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
