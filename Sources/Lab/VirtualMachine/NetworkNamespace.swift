import Foundation
import SystemPackage
import Workshop

/// A network of its own for tests: a bridge with an address, tap devices for machines, and servers that nobody else sees.
///
///     try await withNetworkNamespace(address: "192.168.1.1/24") { network in
///       let tap = try await network.tap()
///       try await network.run("dnsmasq", ["--interface=lan", "--dhcp-range=192.168.1.100,192.168.1.150"])
///       …
///     }
///
/// It is made of Linux namespaces for network, mounts and processes, so that ending its first process ends everything in
/// it, also when this program is killed. As root it needs CAP_SYS_ADMIN; otherwise user namespaces.
public struct NetworkNamespace: Sendable {
  /// The bridge's name.
  public static let bridge = "lan"
  /// `unshare`, whose namespaces the commands enter.
  private let holder: String
  /// Shown in place of /etc inside; files written here are the servers' configuration.
  public let configuration: FilePath

  fileprivate init(holder: pid_t, configuration: FilePath) {
    self.holder = "\(holder)"
    self.configuration = configuration
  }

  private static var isRoot: Bool { geteuid() == 0 }

  /// What goes before the emulator's command: only the network is this one's, files and processes are the caller's.
  var enteringNetwork: [String] {
    ["nsenter", "--no-fork", "--target", holder, "--net"]
      + (Self.isRoot ? [] : ["--user", "--preserve-credentials"]) + ["--"]
  }

  private var entering: [String] {
    ["--target", holder, "--net", "--mount", "--pid=/proc/\(holder)/ns/pid_for_children"]
      + (Self.isRoot ? [] : ["--user", "--preserve-credentials"]) + ["--"]
  }

  /// Runs a program inside and returns its output. A server that makes itself a daemon lives until the namespace ends.
  @discardableResult
  public func run(_ program: String, _ arguments: [String]) async throws -> String {
    String(decoding: try await Command("nsenter", entering + [program] + arguments).output(), as: UTF8.self)
  }

  /// Runs a program of which only the network is this one's, files and processes are the caller's, and returns its output.
  @discardableResult
  public func runOnNetwork(_ program: String, _ arguments: [String]) async throws -> String {
    let words = enteringNetwork + [program] + arguments
    return String(decoding: try await Command(words[0], Array(words[1...])).output(), as: UTF8.self)
  }

  /// Runs a program of which only the network is this one's while `body` does, which is given what it writes, and ends it
  /// (SIGTERM). Throws what `body` throws, or why the program ended before.
  public func whileRunningOnNetwork<Result: Sendable>(
    _ program: String, _ arguments: [String], _ body: @escaping @Sendable (ProgramOutput) async throws -> Result
  ) async throws -> Result {
    let words = enteringNetwork + [program] + arguments
    let output = ProgramOutput()
    return try await withThrowingTaskGroup(of: Result?.self) { tasks in
      tasks.addTask {
        try await Command(words[0], Array(words[1...])).run { await output.add($0) }
        return nil
      }
      tasks.addTask { try await body(output) }
      while let result = try await tasks.next() {
        guard let result else { continue }
        tasks.cancelAll()
        // It has ended when this returns.
        while let _ = try? await tasks.next() {}
        return result
      }
      throw BuildError.input("\(program) has ended by itself; it said:\n\(await output.lines.joined(separator: "\n"))")
    }
  }

  /// Whether a program run inside succeeds.
  public func succeeds(_ program: String, _ arguments: [String]) async throws -> Bool {
    do {
      try await run(program, arguments)
      return true
    } catch BuildError.commandFailed {
      return false
    }
  }

  /// Makes a tap device on a bridge and returns its name.
  public func tap(_ name: String = "tap0", on bridge: String = bridge) async throws -> String {
    try await run("ip", ["tuntap", "add", "dev", name, "mode", "tap"])
    try await run("ip", ["link", "set", name, "master", bridge, "up"])
    return name
  }

  /// Makes a further bridge with an address (with prefix length), and a router of this namespace: it forwards from each
  /// bridge to the others what is for one computer, and nothing that is for all or for a group.
  public func route(to bridge: String, address: String) async throws {
    try await addBridge(bridge, address: address)
    try await run("sh", ["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])
  }

  private func addBridge(_ name: String, address: String) async throws {
    try await run("ip", ["link", "add", name, "type", "bridge"])
    try await run("ip", ["address", "add", address, "dev", name])
    try await run("ip", ["link", "set", name, "up"])
  }

  /// Writes a file into the /etc of the programs inside.
  public func configure(_ name: String, _ text: String) async throws {
    try await write(text.utf8, to: configuration.appending(name))
  }

  fileprivate func setUp(address: String) async throws {
    try await configure("passwd", "root:x:0:0:root:/:/bin/sh\n")
    try await configure("group", "root:x:0:\n")
    try await configure("hosts", "127.0.0.1 localhost\n")
    try await configure("nsswitch.conf", "hosts: files\nethers: files\n")
    try await run("mount", ["--bind", configuration.string, "/etc"])
    try await run("ip", ["link", "set", "lo", "up"])
    try await addBridge(Self.bridge, address: address)
  }

  fileprivate static var making: [String] {
    ["--net", "--mount", "--pid", "--fork", "--kill-child"] + (isRoot ? [] : ["--user", "--map-root-user"])
      // It ends when its standard input does, which is when we do.
      + ["cat"]
  }
}

/// What a running program has written so far, line by line.
public actor ProgramOutput {
  public private(set) var lines: [String] = []

  func add(_ line: String) { lines.append(line) }

  /// Waits until a line holds a text, and gives the lines; those of the moment when it does not come in time.
  public func lines(until text: String, within bound: Duration = .seconds(60)) async throws -> [String] {
    let end = ContinuousClock.now + bound
    while ContinuousClock.now < end, !lines.contains(where: { $0.contains(text) }) {
      try await Task.sleep(for: .milliseconds(50))
    }
    return lines
  }
}

/// Makes a network namespace whose bridge has `address` (with prefix length), gives it to `body`, and ends everything in
/// it when `body` returns, throws or is cancelled.
public func withNetworkNamespace<Result: Sendable>(
  address: String, _ body: (NetworkNamespace) async throws -> Result
) async throws -> Result {
  let folder = FilePath(NSTemporaryDirectory()).appending("network-\(UUID())")
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  // `cat` answers only once the namespaces stand.
  return try await Command("unshare", NetworkNamespace.making).running(
    silence: .input(
      "A network namespace could not be made: run as root with CAP_SYS_ADMIN, or allow user namespaces "
        + "(sysctl user.max_user_namespaces).")
  ) { holder in
    let namespace = NetworkNamespace(holder: holder, configuration: folder)
    try await namespace.setUp(address: address)
    return try await body(namespace)
  }
}
