import Bytes
import CLinux
import ProcessControl

/// A program to start: file, arguments, environment, and what it starts with.
public struct Program {
  public var path: Path
  /// The first is the name that the program is called by.
  public var arguments: [[UInt8]]
  /// `NAME=value` each.
  public var environment: [[UInt8]]
  public var directory: Path?
  /// Becomes the controlling terminal of a new session, and standard input, output and error.
  public var terminal: Path?
  /// Descriptors that become the child's 0, 1, 2 and 3; nil keeps 0–2 and leaves 3 closed.
  public var input: Int32?
  public var output: Int32?
  public var error: Int32?
  public var third: Int32?
  /// A session of its own, so that no terminal's signals reach it.
  public var newSession = false

  public init(_ path: Path, arguments: [[UInt8]], environment: [[UInt8]] = []) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
  }

  /// Starts the program and gives its process id. Throws also when its terminal cannot be opened or its file not
  /// executed. The caller (or process 1) must reap it.
  public func start() throws(SystemError) -> Int32 {
    let child = path.withCString { path in
      withStringList(arguments) { arguments in
        withStringList(environment) { environment in
          withOptional(directory) { directory in
            withOptional(terminal) { terminal in
              var request = linux_program()
              request.path = path
              request.arguments = arguments
              request.environment = environment
              request.directory = directory
              request.terminal = terminal
              request.descriptors = (input ?? -1, output ?? -1, error ?? -1, third ?? -1)
              request.new_session = newSession ? 1 : 0
              return linux_spawn(&request)
            }
          }
        }
      }
    }
    guard child > 0 else { throw SystemError("start", path.bytes) }
    return child
  }
}

private func withOptional(_ path: Path?, _ body: (UnsafePointer<CChar>?) -> Int32) -> Int32 {
  guard let path else { return body(nil) }
  return path.withCString { body($0) }
}

/// Calls `body` with a list of C strings that ends with a null pointer.
func withStringList(
  _ strings: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Int32
) -> Int32 {
  var pointers: [UnsafeMutablePointer<CChar>?] = []
  for string in strings {
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
    for (index, byte) in string.enumerated() { copy[index] = CChar(bitPattern: byte) }
    copy[string.count] = 0
    pointers.append(copy)
  }
  pointers.append(nil)
  let result = pointers.withUnsafeBufferPointer { body($0.baseAddress) }
  let number = linux_errno()
  for pointer in pointers { pointer?.deallocate() }
  linux_set_errno(number)
  return result
}

/// A child that ended, if there is one that nobody has collected yet. Never waits.
/// - Parameters:
///   - process: only this child; nil for any.
///   - noticingStops: also a child that was stopped, each time once.
public func collectChild(_ process: Int32? = nil, noticingStops: Bool = false) -> (process: Int32, ending: Ending)? {
  var status: Int32 = 0
  var child: Int32 = -1
  repeat {
    child = waitpid(process ?? -1, &status, WNOHANG | (noticingStops ? WUNTRACED : 0))
  } while child < 0 && linux_errno() == EINTR
  guard child > 0 else { return nil }
  return (child, ending(status))
}

/// Waits for one child to end; nil if it is not a child of the caller.
public func waitForChild(_ process: Int32) -> Ending? {
  var status: Int32 = 0
  var child: Int32 = -1
  repeat { child = waitpid(process, &status, 0) } while child < 0 && linux_errno() == EINTR
  return child == process ? ending(status) : nil
}

private func ending(_ status: Int32) -> Ending {
  if linux_stopped(status) != 0 { return .stopped(signal: linux_stop_signal(status)) }
  return linux_signalled(status) != 0
    ? .killed(signal: linux_termination_signal(status)) : .exited(linux_exit_status(status))
}

/// Sends a signal to a process; a process that is gone is as good.
public func sendSignal(_ signal: Signal, to process: Int32) { _ = kill(process, signal.rawValue) }

/// Sends a signal to every process of the group that the process leads.
public func sendSignal(_ signal: Signal, toGroupOf process: Int32) {
  if process > 1 { _ = kill(-process, signal.rawValue) }
}

/// Sends a signal to every process but the caller and process 1. False when there is none.
public func sendSignalToAll(_ signal: Signal) -> Bool { kill(-1, signal.rawValue) == 0 }

/// Whether /proc shows any living program but the caller and process 1. The kernel's own threads and the dead that nobody
/// has collected have no command line there.
public func anybodyElse() -> Bool {
  let folder: Path = "/proc"
  return directoryEntries(folder).contains { name in
    guard let process = decimal(name), process > 1, process != UInt64(UInt32(bitPattern: getpid())) else {
      return false
    }
    return (try? readFile(folder / name / "cmdline", limit: 1))?.isEmpty == false
  }
}

/// The calling process's id.
public var processID: Int32 { getpid() }

/// A variable of the environment.
public func environmentVariable(_ name: StaticString) -> [UInt8]? {
  withTerminated([UInt8](name)) { name in
    guard let value = getenv(name) else { return nil }
    return bytes(of: value)
  }
}

/// The bytes of a C string, without its zero.
public func bytes(of string: UnsafePointer<CChar>) -> [UInt8] {
  UnsafeBufferPointer(start: string, count: strlen(string)).map { UInt8(bitPattern: $0) }
}

/// The calling program's arguments as bytes, its own name first; what `main` was given.
public func commandLine(
  _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> [[UInt8]] {
  guard let arguments else { return [] }
  var words: [[UInt8]] = []
  for index in 0..<max(0, Int(count)) {
    guard let word = arguments[index] else { break }
    words.append(bytes(of: word))
  }
  return words
}
