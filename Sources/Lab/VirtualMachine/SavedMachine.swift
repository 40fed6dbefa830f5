import Foundation
import SystemPackage
import Workshop

/// The whole state of a machine, from which others go on without a boot.
///
/// All that go on from it share what it had: the kernel's random numbers, its keys, what its clock says. So a key that one of them
/// makes, another makes as well, and what depends on keys or on the time of day must boot. Hence no network card: without one
/// a drone is in no cluster and talks to nobody.
public final class SavedMachine: Sendable {
  let configuration: MachineConfiguration
  /// Has no name any more, and so goes with this program.
  private let file: FileDescriptor

  fileprivate init(_ configuration: MachineConfiguration, _ file: FileDescriptor) {
    self.configuration = configuration
    self.file = file
  }

  deinit { try? file.close() }

  /// Where the emulator reads the state: the program that it starts for it opens the file anew, from its beginning.
  var source: String { "exec:cat /proc/\(getpid())/fd/\(file.rawValue)" }
}

/// Starts a machine, and keeps its state as `prepare` leaves it. Throws what `prepare` throws, `MachineFailure`, and
/// `BuildError` for a machine with a network card or with UEFI.
public func saveMachine(
  _ configuration: MachineConfiguration, file: String = #fileID, function: String = #function,
  _ prepare: (VirtualMachine) async throws -> Void
) async throws -> SavedMachine {
  guard configuration.cards.isEmpty else {
    throw BuildError.input("A machine with a network card is not saved: those that go on from it would have its keys.")
  }
  guard !configuration.firmware.isUEFI else {
    throw BuildError.input("A machine with UEFI is not saved: what its firmware stores is no part of its state.")
  }
  let state = FilePath(NSTemporaryDirectory()).appending("saved-\(UUID())")
  defer { try? FileManager.default.removeItem(atPath: state.string) }
  return try await withVirtualMachine(configuration, file: file, function: function) { machine in
    try await prepare(machine)
    try await machine.save(to: state)
    return SavedMachine(configuration, try FileDescriptor.open(state, .readOnly, options: .closeOnExec))
  }
}

/// Starts a machine where the saved one stopped, passes it to `body`, and ends it. Throws what `withVirtualMachine` throws.
public func withSavedMachine<Result: Sendable>(
  _ saved: SavedMachine, file: String = #fileID, function: String = #function,
  _ body: (VirtualMachine) async throws -> Result
) async throws -> Result {
  var configuration = saved.configuration
  configuration.extraArguments += ["-incoming", saved.source]
  return try await withVirtualMachine(configuration, file: file, function: function) { machine in
    try await machine.waitForState()
    return try await body(machine)
  }
}
