import Synchronization
import VirtualMachine

/// A drone without a network at its shell, booted once for all tests that begin there. What it does at boot, with a network or
/// with keys is tested on machines that boot.
enum SavedShell: Hashable, CaseIterable {
  case plain
  /// certaintyd does not run.
  case unwatched
  /// certaintyd has looked once, waits no more, and tells the console all that it tells the kernel.
  case watched

  private func make() async throws -> SavedMachine {
    let words = self == .unwatched ? "ip=off certaintyd=off" : "ip=off"
    return try await saveMachine(try Image.direct(words), function: "\(self)") { machine in
      try await machine.expectShell()
      guard self == .watched else { return }
      try await machine.startCertaintyd()
      try await machine.run("dmesg -n 8")
    }
  }

  private static let made = Mutex<[SavedShell: Task<SavedMachine, any Error>]>([:])

  fileprivate var saved: SavedMachine {
    get async throws {
      let task = Self.made.withLock { made in
        let task = made[self] ?? Task.detached { try await make() }
        made[self] = task
        return task
      }
      return try await task.value
    }
  }
}

/// Starts a drone at its shell and passes it to `body`.
func withShell(
  _ shell: SavedShell = .plain, file: String = #fileID, function: String = #function,
  _ body: (VirtualMachine) async throws -> Void
) async throws {
  try await withSavedMachine(shell.saved, file: file, function: function) { machine in
    // Its prompt was printed before it was saved.
    try await machine.enter("")
    try await body(machine)
  }
}
