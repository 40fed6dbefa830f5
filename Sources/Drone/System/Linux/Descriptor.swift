import CLinux

/// An open file, socket or pipe: closed when the value goes. All are close-on-exec.
public struct Descriptor: ~Copyable {
  public let number: Int32

  /// Takes ownership of a descriptor that a system call returned; nil for -1.
  public init?(_ number: Int32) {
    guard number >= 0 else { return nil }
    self.number = number
  }

  deinit { _ = close(number) }

  public struct OpenMode: Sendable {
    let flags: Int32
    public static let read = OpenMode(flags: O_RDONLY)
    public static let write = OpenMode(flags: O_WRONLY)
    /// Both ways without ever waiting: terminals, device nodes.
    public static let nonBlocking = OpenMode(flags: O_RDWR | O_NONBLOCK | O_NOCTTY)
    /// Reading without waiting for a medium or a carrier.
    public static let readNonBlocking = OpenMode(flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    public static let writeNonBlocking = OpenMode(flags: O_WRONLY | O_NONBLOCK | O_NOCTTY)
    /// A new or emptied file.
    public static let create = OpenMode(flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
    /// The same, as a shell opens it: what a link names as well.
    public static let replace = OpenMode(flags: O_WRONLY | O_CREAT | O_TRUNC)
    /// A file that is not there yet.
    public static let new = OpenMode(flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
    /// A file as it is, or a new one.
    public static let keep = OpenMode(flags: O_RDWR | O_CREAT | O_NOFOLLOW)
    /// Writes append to the file, even with other writers.
    public static let append = OpenMode(flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW)
  }

  /// Opens a file; `permissions` count only when it is created.
  public init(_ path: Path, _ mode: OpenMode, permissions: UInt32 = 0o644) throws(SystemError) {
    let number = path.withCString { linux_open($0, mode.flags, permissions) }
    guard number >= 0 else { throw SystemError("open", path.bytes) }
    self.number = number
  }

  /// A second descriptor of what another number stands for.
  public init(duplicating number: Int32) throws(SystemError) {
    let number = linux_duplicate(number)
    guard number >= 0 else { throw SystemError("dup") }
    self.number = number
  }

  /// At most `limit` bytes, as one read(2) gives them; empty at the end of the file.
  public func read(upTo limit: Int) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: max(limit, 0)) { buffer, count in
      var got = -1
      repeat { got = CLinux.read(number, buffer.baseAddress, buffer.count) } while got < 0 && linux_errno() == EINTR
      if got < 0 { failure = SystemError("read") }
      count = max(got, 0)
    }
    if let failure { throw failure }
    return bytes
  }

  /// Everything up to the end of the file, at most `limit` bytes.
  public func readToEnd(limit: Int) throws(SystemError) -> [UInt8] {
    var all: [UInt8] = []
    while all.count < limit {
      let part = try read(upTo: min(4096, limit - all.count))
      if part.isEmpty { break }
      all += part
    }
    return all
  }

  /// Exactly the bytes at an offset of a file or device, fewer only at its end.
  public func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: max(count, 0)) { buffer, filled in
      filled = 0
      while filled < count {
        let got = pread(number, buffer.baseAddress?.advanced(by: filled), count - filled, off_t(offset) + off_t(filled))
        if got < 0 && linux_errno() == EINTR { continue }
        if got < 0 { failure = SystemError("read") }
        if got <= 0 { break }
        filled += got
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// One write of the bytes at an offset of a file; gives how many went.
  public func writeSome(_ bytes: ArraySlice<UInt8>, at offset: Int64) throws(SystemError) -> Int {
    var went = -1
    repeat {
      went = bytes.withUnsafeBytes { linux_write_at(number, $0.baseAddress, $0.count, offset) }
    } while went < 0 && linux_errno() == EINTR
    guard went >= 0 else { throw SystemError("write") }
    return went
  }

  /// A file's size in bytes.
  public var size: Int64? {
    let end = lseek(number, 0, SEEK_END)
    return end < 0 ? nil : Int64(end)
  }

  /// Writes all bytes, in as many calls as needed. With a non-blocking descriptor it throws when there is no room.
  public func write(_ bytes: [UInt8]) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      done += try writeSome(bytes, from: done)
    }
  }

  /// One write(2) of the bytes from `start` on; gives how many went.
  public func writeSome(_ bytes: [UInt8], from start: Int = 0) throws(SystemError) -> Int {
    let went = bytes.withUnsafeBufferPointer { buffer in
      guard start >= 0, start < buffer.count, let base = buffer.baseAddress else { return 0 }
      var went = -1
      repeat {
        went = CLinux.write(number, base + start, buffer.count - start)
      } while went < 0 && linux_errno() == EINTR
      return went
    }
    guard went >= 0 else { throw SystemError("write") }
    return went
  }
}

/// Opens the file as each of the descriptors 0, 1 and 2 that is closed.
public func fillStandardDescriptors(_ path: Path) {
  _ = path.withCString { linux_fill_standard_descriptors($0) }
}

/// Writes to standard error; nothing can be done when that fails.
public func writeStandardError(_ bytes: [UInt8]) {
  _ = bytes.withUnsafeBytes { CLinux.write(2, $0.baseAddress, $0.count) }
}

/// Two ends of a pipe(2), both close-on-exec.
public struct Pipe: ~Copyable {
  public let input: Descriptor
  public let output: Descriptor

  public init() throws(SystemError) {
    var numbers: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutablePointer(to: &numbers) {
      $0.withMemoryRebound(to: Int32.self, capacity: 2) { linux_pipe($0) }
    }
    guard result == 0, let input = Descriptor(numbers.0), let output = Descriptor(numbers.1) else {
      throw SystemError("pipe")
    }
    self.input = input
    self.output = output
  }

  /// Closes the output's end here, so that the other holder alone decides when the input ends.
  public consuming func keepingInput() -> Descriptor { input }

  /// Closes the input's end here.
  public consuming func keepingOutput() -> Descriptor { output }
}

/// Waits until one of the descriptors can be read (or its other end is gone) or the time has passed.
/// Gives a flag for each; none is set after a time-out or a signal. A negative number is left out.
/// - Parameter milliseconds: the longest wait; nil for ever.
public func waitReadable(_ descriptors: [Int32], milliseconds: Int?) -> [Bool] {
  var list = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  let bound = Int32(clamping: milliseconds ?? -1)
  let count = list.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), bound) }
  guard count > 0 else { return descriptors.map { _ in false } }
  return list.map { $0.revents != 0 }
}

/// Waits until bytes can be written to the descriptor, at most this long; false if they cannot.
public func waitWritable(_ descriptor: Int32, milliseconds: Int) -> Bool {
  var one = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
  return poll(&one, 1, Int32(clamping: milliseconds)) > 0 && one.revents & Int16(POLLOUT) != 0
}
