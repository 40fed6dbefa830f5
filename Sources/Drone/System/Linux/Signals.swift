import CLinux

/// The signals that mean something to a program of the drone, by their number (signal(7)).
public enum Signal: Int32, Sendable {
  case hangUp = 1
  case interrupt = 2
  case quit = 3
  case kill = 9
  case user1 = 10
  case user2 = 12
  case terminate = 15
  case resume = 18
  case stop = 20
  case backgroundRead = 21
  case resize = 28
  case powerFailure = 30
}

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
