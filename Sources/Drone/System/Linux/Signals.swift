import CLinux

/// All signals of a process, blocked and taken one by one, so that no handler ever runs.
public struct SignalQueue: ~Copyable {
  /// Readable when a signal is pending, for `waitReadable`; -1 if the kernel has no signalfd(2).
  public let number: Int32

  /// Blocks every signal of the calling process. Children started by `Program` get them unblocked.
  public init() {
    linux_block_signals()
    number = linux_signal_descriptor()
  }

  deinit { if number >= 0 { _ = close(number) } }

  /// How many milliseconds one may wait before looking for a signal: without signalfd(2) nothing ends a wait early.
  public var longestWait: Int? { number < 0 ? 200 : nil }

  /// The next pending signal; nil if there is none. Never waits.
  public func next() -> Int32? {
    let signal = linux_next_signal(number)
    return signal > 0 ? signal : nil
  }
}

/// Lets signals act again on a process whose parent has blocked them for itself.
public func unblockSignals() { linux_unblock_signals() }

/// From now on children that end can be collected, whatever the program that started this one thinks of its own.
public func noticeChildren() { linux_notice_children() }

/// From now on a write to a pipe that nobody reads throws, and does not end the program.
public func ignoreBrokenPipes() { linux_ignore_broken_pipes() }
