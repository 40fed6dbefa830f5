import Foundation
import Linux
import ProcessControl
import SystemPackage
import Workshop

/// An army as a test sees it from a second terminal.
struct RunningArmy {
  /// What `droneforge army status --json` says.
  struct Standing: Decodable {
    struct Drone: Decodable {
      var drone: Int
      var address: String
      var power: String
      var plugged: Bool
      var starts: Int
      var process: Int32?
      var cluster: String?
      var id: String?
    }
    var drones: [Drone]
    var allInMilliseconds: Int?
    var deathsNoted: Int
    var framesDropped: Int

    subscript(number: Int) -> Drone { drones[number - 1] }
  }

  /// `XDG_RUNTIME_DIR` of the army and of those who look for it.
  let runtime: FilePath

  static var program: FilePath { get throws { try Image.file("bin/droneforge") } }

  static let environment: [String: String] = {
    var environment = ProcessInfo.processInfo.environment
    environment["TERM"] = "xterm"
    return environment
  }()

  /// Runs `body` with a runtime folder of its own, and looks that nothing is left in it.
  static func withRuntime<Result>(_ body: (RunningArmy) async throws -> Result) async throws -> Result {
    // A socket's path is short.
    let folder = FilePath("/tmp/army-\(UInt32.random(in: 0 ... .max))")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    return try await body(RunningArmy(runtime: folder))
  }

  var environment: [String: String] {
    Self.environment.merging(["XDG_RUNTIME_DIR": runtime.string]) { $1 }
  }

  /// What an army has left behind.
  var leftovers: [String] { (try? FileManager.default.contentsOfDirectory(atPath: runtime.string)) ?? ["?"] }

  @discardableResult
  func command(_ words: [String]) async throws -> String {
    // The kernel's timer ends a command that hangs; the test says which.
    let bound = try ["-k", "5", "60", RunningArmy.program.string, "army"] + words
    let output = try await Command("timeout", bound, environment: ["XDG_RUNTIME_DIR": runtime.string]).output()
    return String(decoding: output, as: UTF8.self)
  }

  /// How an army that was started ended, or is told to end. Throws what its threads do where it does not.
  func ending(of process: Int32, within bound: Duration = .seconds(60)) async throws -> Ending {
    let deadline = ContinuousClock.now + bound
    while true {
      if let (_, ending) = collectChild(process) { return ending }
      guard ContinuousClock.now < deadline else {
        throw BuildError.input("Process \(process) did not end within \(bound). Its threads: \(threads(of: process))")
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Each thread's name, state, place in the kernel, and the signals that it blocks or that wait for it (proc(5)).
  private func threads(of process: Int32) -> String {
    let folder = "/proc/\(process)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return threads.map { thread in
      func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: "\(folder)/\(thread)/\(name)") ?? Data(), as: UTF8.self)
      }
      let wanted = ["Name", "State", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"]
      let state = text("status").split(separator: "\n").filter { line in wanted.contains { line.hasPrefix($0) } }
      return "\(thread) in \(text("wchan")) (\(text("syscall").prefix(40))) \(state.joined(separator: ", "))"
    }.joined(separator: "; ")
  }

  func standing() async throws -> Standing {
    try JSONDecoder().decode(Standing.self, from: Data(try await command(["status", "--json"]).utf8))
  }

  /// Waits until the army stands as wanted; `meanwhile` is done again and again, such as taking in what a terminal gets.
  @discardableResult
  func waits(
    for wanted: String, within bound: Duration = .seconds(120), meanwhile: () -> Void = {},
    _ holds: (Standing) -> Bool
  ) async throws -> Standing {
    let deadline = ContinuousClock.now + bound
    while true {
      meanwhile()
      var answer = "none"
      do {
        let standing = try await standing()
        if holds(standing) { return standing }
        answer = "\(standing)"
      } catch let error as BuildError {
        // It may not have begun to listen yet.
        answer = "\(error)"
      }
      guard ContinuousClock.now < deadline else {
        throw BuildError.input("The army did not reach within \(bound): \(wanted). It stands so: \(answer)")
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }

  /// Processes of machines that are still there.
  static func alive(_ processes: [Int32]) -> [Int32] {
    processes.filter { process in
      guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
      return String(decoding: line, as: UTF8.self).contains("qemu-system")
    }
  }
}
