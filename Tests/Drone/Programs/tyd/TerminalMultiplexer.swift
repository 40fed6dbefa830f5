import Foundation
import SystemPackage
import Workshop

/// A terminal by tmux, which is not ours, with one program in it: what the program writes is what tmux makes of it.
struct TerminalMultiplexer: Sendable {
  private let socket: String
  let folder: FilePath

  /// Starts a shell in a terminal of this size, gives it to `body`, and ends everything.
  static func with<Result: Sendable>(
    columns: Int = 80, rows: Int = 24, _ body: (TerminalMultiplexer) async throws -> Result
  ) async throws -> Result {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let terminal = TerminalMultiplexer(socket: folder.appending("tmux").string, folder: folder)
      try await terminal.tmux([
        "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)", "-c", folder.string,
        "env PS1='$ ' LD_LIBRARY_PATH='\(TydProgram.libraries)' sh",
      ])
      do {
        let result = try await body(terminal)
        try await terminal.tmux(["kill-server"])
        return result
      } catch {
        _ = try? await terminal.tmux(["kill-server"])
        throw error
      }
    }
  }

  @discardableResult
  private func tmux(_ arguments: [String]) async throws -> String {
    let command = Command("tmux", ["-S", socket] + arguments, environment: ["LC_ALL": "C", "TMUX": nil])
    return String(decoding: try await command.output(), as: UTF8.self)
  }

  /// Presses keys by tmux's names: `q`, `Right`, `PageDown`, `C-c`.
  func press(_ keys: String...) async throws { try await tmux(["send-keys"] + keys) }

  /// Types a line.
  func type(_ line: String) async throws {
    try await tmux(["send-keys", "-l", line])
    try await press("Enter")
  }

  func resize(columns: Int, rows: Int) async throws {
    try await tmux(["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
  }

  /// What the terminal shows, without spaces at the lines' ends.
  func screen() async throws -> [String] {
    try await tmux(["capture-pane", "-p"]).split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Waits until the screen is as wanted.
  @discardableResult
  func waits(for wanted: String, _ holds: ([String]) -> Bool) async throws -> [String] {
    let deadline = ContinuousClock.now + .seconds(30)
    while true {
      let screen = try await screen()
      if holds(screen) { return screen }
      guard ContinuousClock.now < deadline else {
        throw BuildError.input("The terminal did not show \(wanted). It shows:\n\(screen.joined(separator: "\n"))")
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
