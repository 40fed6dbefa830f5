import CLinux

/// All signals of a process, blocked and read one by one, so that no handler ever runs.
public struct SignalQueue: ~Copyable {
  private let descriptor: Descriptor

  /// Blocks every signal of the calling process. Children started by `Program` get them unblocked.
  public init() throws(SystemError) {
    linux_block_signals()
    guard let descriptor = Descriptor(linux_signal_descriptor()) else { throw SystemError("signalfd") }
    self.descriptor = descriptor
  }

  /// Readable when a signal is pending: for `waitReadable`.
  public var number: Int32 { descriptor.number }

  /// The next pending signal; nil if there is none. Never waits.
  public func next() -> Int32? {
    let signal = linux_next_signal(descriptor.number)
    return signal > 0 ? signal : nil
  }
}
