import Foundation
import Glibc
import Synchronization

/// A thread with a network of its own: an empty network namespace that ends with it. Programs started on it are in that
/// network too, so `ip` and `nft` can say what our code made of it.
public final class NetworkThread: Sendable {
  private typealias Work = @Sendable () -> Void

  /// What is to be done on the thread, and its end.
  private final class Orders: Sendable {
    private let list = Mutex<[Work?]>([])
    private let waiting = DispatchSemaphore(value: 0)

    func put(_ work: Work?) {
      list.withLock { $0.append(work) }
      waiting.signal()
    }

    /// Nil at the end.
    func take() -> Work? {
      waiting.wait()
      return list.withLock { $0.removeFirst() }
    }
  }

  private final class Slot<Value: Sendable>: Sendable {
    private let content = Mutex<Value?>(nil)
    private let filled = DispatchSemaphore(value: 0)

    func put(_ value: Value) {
      content.withLock { $0 = value }
      filled.signal()
    }

    func take() -> Value? {
      filled.wait()
      return content.withLock { $0 }
    }
  }

  public struct Refused: Error, CustomStringConvertible { public let description: String }

  private let orders = Orders()
  /// The thread's number, by which `ip link set … netns` finds its network.
  public let number: pid_t

  /// Whether this machine and user may make network namespaces with a packet filter, and have the programs to look.
  public static let isPossible: Bool =
    geteuid() == 0 && access("/usr/sbin/ip", X_OK) == 0
    && (try? NetworkThread().command("nft", "list", "ruleset")) != nil

  public init() throws {
    let answer = Slot<pid_t>()
    Thread.detachNewThread { [orders] in
      let newNetwork: Int32 = 0x4000_0000  // CLONE_NEWNET
      guard LinuxCall.unshare(newNetwork) == 0 else {
        answer.put(-errno)
        return
      }
      answer.put(LinuxCall.gettid())
      while let work = orders.take() { work() }
    }
    number = answer.take() ?? -1
    guard number > 0 else { throw Refused(description: "unshare: \(String(cString: strerror(-number)))") }
  }

  deinit { orders.put(nil) }

  /// Does something on the thread and waits for its result.
  public func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    let slot = Slot<Result<Value, any Error>>()
    orders.put { slot.put(Result { try body() }) }
    guard let result = slot.take() else { throw Refused(description: "no result") }
    return try result.get()
  }

  /// Runs a program, of /usr/sbin unless it is a path, in the network and gives what it prints.
  @discardableResult
  public func command(_ program: String, _ arguments: String...) throws -> String {
    try run {
      let (status, text) = try execute([program.hasPrefix("/") ? program : "/usr/sbin/\(program)"] + arguments)
      guard status == 0 else { throw Refused(description: "\(program) \(arguments.joined(separator: " ")): \(text)") }
      return text
    }
  }

  /// Joins two networks by a cable: `eth0` in each, up, with these addresses; an empty one is none.
  public static func join(_ left: NetworkThread, _ leftAddress: String, _ right: NetworkThread, _ rightAddress: String)
    throws
  {
    try left.command(
      "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", "\(right.number)")
    for (side, address) in [(left, leftAddress), (right, rightAddress)] {
      if !address.isEmpty { try side.command("ip", "address", "add", address, "dev", "eth0") }
      try side.command("ip", "link", "set", "lo", "up")
      try side.command("ip", "link", "set", "eth0", "up")
    }
  }
}

/// Runs a program as a child of this very thread, whose network it is to share, and gives its status and what it printed.
private func execute(_ words: [String]) throws -> (status: Int32, text: String) {
  var ends: [Int32] = [-1, -1]
  guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
    throw NetworkThread.Refused(description: "no pipe")
  }
  defer { close(ends[0]) }
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
  var arguments = words.map { strdup($0) } + [nil]
  defer { for argument in arguments { free(argument) } }
  var child = pid_t()
  let result = posix_spawn(&child, words[0], &actions, nil, &arguments, environ)
  close(ends[1])
  guard result == 0 else {
    throw NetworkThread.Refused(description: "\(words[0]): \(String(cString: strerror(result)))")
  }
  var output: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while case let count = read(ends[0], &buffer, buffer.count), count > 0 { output += buffer.prefix(count) }
  var status: Int32 = 0
  while waitpid(child, &status, 0) < 0 && errno == EINTR {}
  return (status, String(decoding: output, as: UTF8.self))
}

/// Calls of the C library that its Swift module leaves out, because they are GNU's.
private enum LinuxCall {
  static func unshare(_ flags: Int32) -> Int32 {
    guard let call = dlsym(nil, "unshare") else { return -1 }
    return unsafeBitCast(call, to: (@convention(c) (Int32) -> Int32).self)(flags)
  }

  static func gettid() -> pid_t {
    guard let call = dlsym(nil, "gettid") else { return -1 }
    return unsafeBitCast(call, to: (@convention(c) () -> pid_t).self)()
  }
}
