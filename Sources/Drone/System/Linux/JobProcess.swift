import CLinux
import ProcessControl

/// A user and his groups.
public struct Identity: Hashable, Sendable {
  public var user: UInt32
  public var group: UInt32
  public var groups: [UInt32]

  public init(user: UInt32, group: UInt32, groups: [UInt32]) {
    self.user = user
    self.group = group
    self.groups = groups
  }

  fileprivate func withC<Result>(_ body: (linux_identity) -> Result) -> Result {
    groups.withUnsafeBufferPointer {
      body(linux_identity(user: user, group: group, groups: $0.baseAddress, group_count: Int32(clamping: $0.count)))
    }
  }
}

/// Makes the calling process that user's for good, without capabilities and without a way to any.
public func become(_ identity: Identity) throws(SystemError) {
  let result = identity.withC { one in
    var one = one
    return linux_become(&one)
  }
  guard result == 0 else { throw SystemError("setuid") }
}

/// A user's program, started with everything that it finds: see `linux_start_job`.
public struct UserProgram {
  public var arguments: [[UInt8]]
  public var environment: [[UInt8]]
  public var directory: Path
  public var identity: Identity
  public var mask: UInt16
  /// Soft and hard limit of each resource, from 0 on.
  public var limits: [(soft: UInt64, hard: UInt64)]
  public var hasTerminal: Bool
  /// `cgroup.procs` of the group that it is to run in, open for writing.
  public var group: Int32?

  public init(
    arguments: [[UInt8]], environment: [[UInt8]], directory: Path, identity: Identity, mask: UInt16,
    limits: [(soft: UInt64, hard: UInt64)], hasTerminal: Bool
  ) {
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.identity = identity
    self.mask = mask
    self.limits = limits
    self.hasTerminal = hasTerminal
  }

  /// Starts it in a session of its own with these as 0, 1 and 2, and gives its process id. Throws also when it cannot be executed.
  public func start(_ input: Int32, _ output: Int32, _ error: Int32) throws(SystemError) -> Int32 {
    let numbers = limits.flatMap { [$0.soft, $0.hard] }
    var stage: Int32 = 0
    let child = directory.withCString { directory in
      withStringList(arguments) { arguments in
        withStringList(environment) { environment in
          numbers.withUnsafeBufferPointer { numbers in
            identity.withC { identity in
              var job = linux_job()
              job.directory = directory
              job.arguments = arguments
              job.environment = environment
              job.identity = identity
              job.mask = UInt32(mask)
              job.descriptors = (input, output, error)
              job.has_terminal = hasTerminal ? 1 : 0
              job.limits = numbers.baseAddress
              job.limit_count = Int32(clamping: limits.count)
              job.group = group ?? -1
              let child = linux_start_job(&job)
              stage = job.stage
              return child
            }
          }
        }
      }
    }
    guard child > 0 else {
      switch Int(stage) {
      case linux_job_directory: throw SystemError("enter", self.directory.bytes)
      case linux_job_execution: throw SystemError("execute", arguments.first ?? [])
      default: throw SystemError("begin", arguments.first ?? [])
      }
    }
    return child
  }
}

/// The caller's own resource limits, from resource 0 on (getrlimit(2)); `UInt64.max` for none.
public func resourceLimits() -> [(soft: UInt64, hard: UInt64)] {
  var limits: [(soft: UInt64, hard: UInt64)] = []
  var soft: UInt64 = 0
  var hard: UInt64 = 0
  while linux_get_limit(Int32(clamping: limits.count), &soft, &hard) == 0 { limits.append((soft, hard)) }
  return limits
}

/// Becomes another program, which is looked for in PATH; returns only why that failed.
public func execute(_ arguments: [[UInt8]], environment: [[UInt8]]) -> SystemError {
  _ = withStringList(arguments) { arguments in
    withStringList(environment) { environment in
      linux_execute(arguments, environment)
      return 0
    }
  }
  return SystemError("execute", arguments.first ?? [])
}

/// The whole environment, `NAME=value` each.
public func wholeEnvironment() -> [[UInt8]] {
  var out: [[UInt8]] = []
  var place = linux_environment()
  while let entry = place?.pointee {
    out.append(bytes(of: entry))
    place = place?.advanced(by: 1)
  }
  return out
}

/// A pseudo terminal: what is written to `master` was typed, and what a program writes is read there.
public struct TerminalPair: ~Copyable {
  public let master: Descriptor
  public let slave: Descriptor

  /// - Parameter multiplexer: `ptmx` of a mounted devpts.
  public init(_ multiplexer: Path) throws(SystemError) {
    var other: Int32 = -1
    let number = multiplexer.withCString { linux_open_terminal_pair($0, &other) }
    guard let master = Descriptor(number), let slave = Descriptor(other) else {
      throw SystemError("open terminal", multiplexer.bytes)
    }
    self.master = master
    self.slave = slave
  }

  /// Closes the slave here.
  public consuming func keepingMaster() -> Descriptor { master }
}

extension Descriptor {
  /// Tells a terminal its size; who has it in the foreground gets SIGWINCH.
  public func setTerminalSize(columns: UInt16, rows: UInt16) {
    _ = linux_set_terminal_size(number, Int32(columns), Int32(rows))
  }
}

/// Sends a signal to every process of a group; nobody left is as good.
public func sendSignal(number: UInt8, toGroup group: Int32) {
  if group > 1 { _ = linux_signal_group(group, Int32(number)) }
}

/// Sends a signal to one process; false when it is gone, or the caller may not.
public func signalProcess(_ process: UInt32, _ signal: UInt8) -> Bool {
  guard let process = Int32(exactly: process), process > 1 else { return false }
  return kill(process, Int32(signal)) == 0
}

/// Sends a signal to every process of the group that a child leads, or to the child alone while it does not lead one yet.
public func sendSignal(number: UInt8, toGroupOfChild child: Int32) {
  guard child > 1 else { return }
  if linux_signal_group(child, Int32(number)) != 0 { _ = kill(child, Int32(number)) }
}

/// Ends the calling process by the signal, as one that nobody handled ends it; returns if it does not.
public func dieBySignal(_ number: UInt8) { linux_raise(Int32(number)) }

/// Standard input's terminal, read and written as it comes.
public enum TransparentTerminal {
  /// False when standard input is no terminal.
  public static func begin() -> Bool { linux_terminal_transparent(0) == 0 }
  public static func end() { _ = linux_terminal_restore(0) }
  /// In characters; nil when standard input is no terminal.
  public static func size() -> (columns: UInt16, rows: UInt16)? {
    var columns: Int32 = 0
    var rows: Int32 = 0
    guard linux_terminal_size(0, &columns, &rows) == 0 else { return nil }
    return (UInt16(clamping: columns), UInt16(clamping: rows))
  }
}

/// Whether the calling process may read the terminal now (tcgetpgrp(3)).
public func isForeground(_ terminal: Int32) -> Bool { linux_terminal_is_ours(terminal) != 0 }

/// Writes all bytes to a descriptor that others may have made non-blocking; false when nobody reads them any more.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  var done = 0
  while done < bytes.count {
    let went = bytes.withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done) }
    if went >= 0 {
      done += went
    } else if linux_errno() == EAGAIN {
      _ = waitWritable(descriptor, milliseconds: 1000)
    } else if linux_errno() != EINTR {
      return false
    }
  }
  return true
}

/// What goes of the bytes into a descriptor without waiting, 0 if nothing does now.
public func writeSome(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(SystemError) -> Int {
  // A pipe that can be written to has so much room, and more would wait (PIPE_BUF, pipe(7)).
  guard waitReady([Interest(descriptor, .writable)], milliseconds: 0) != [[]] else { return 0 }
  let went = bytes.prefix(4096).withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress, $0.count) }
  if went >= 0 { return went }
  let failure = SystemError("write")
  if failure.wouldBlock || failure.number == EINTR { return 0 }
  throw failure
}

/// Whether the calling process may execute the file (access(2)).
public func isExecutable(_ path: Path) -> Bool {
  path.withCString { linux_is_executable($0) } != 0
}

/// Makes standard output and error these descriptors, and standard input empty.
public func redirectOutputs(to output: Int32, error: Int32) {
  _ = dup2(output, 1)
  _ = dup2(error, 2)
  let empty = Path("/dev/null").withCString { linux_open($0, O_RDONLY, 0) }
  if empty > 0 {
    _ = dup2(empty, 0)
    _ = close(empty)
  }
}
