import Foundation

/// Machines that run for one purpose, and what they cost.
struct MachineGroup: Sendable {
  /// The one in whose `body` this is: its machines are let in already.
  @TaskLocal static var current: MachineGroup?

  /// `BootTests enter`
  let name: String

  init(file: String, function: String) {
    let suite = file.split(separator: "/").last?.split(separator: ".").first ?? ""
    name = "\(suite) \(function.prefix { $0 != "(" })"
  }

  /// The file that `DRONEFORGE_MACHINE_REPORT` names gets a line for each machine (its time from power-on to its end, and the
  /// emulator's of the processor) and each group (its time, and how long it waited to be let in), in seconds.
  private static let report = ProcessInfo.processInfo.environment["DRONEFORGE_MACHINE_REPORT"]

  /// A machine that is about to end.
  func count(_ emulator: EmulatorProcess, since start: ContinuousClock.Instant) {
    write("machine", ContinuousClock.now - start, .seconds(emulator.processorSeconds))
  }

  func end(began start: ContinuousClock.Instant, waited: Duration) {
    write("group", ContinuousClock.now - start, waited)
  }

  private func write(_ kind: String, _ first: Duration, _ second: Duration) {
    guard let report = Self.report, let file = FileHandle(forWritingAtPath: report) else { return }
    let seconds = [first, second].map { String(format: "%.2f", $0 / .seconds(1)) }
    _ = try? file.seekToEnd()
    try? file.write(contentsOf: Data("\(kind)\t\(seconds[0])\t\(seconds[1])\t\(name)\n".utf8))
  }
}

/// Lets machines run that only make sense together: waits until there is room for all of them. They take turns at the
/// processor, as members of a cluster do that have nothing to say. Within a group it lets in nobody else: a group has all
/// that it needs.
public func withMachineGroup<Result: Sendable>(
  of count: Int, file: String = #fileID, function: String = #function, _ body: () async throws -> Result
) async throws -> Result {
  guard MachineGroup.current == nil else { return try await body() }
  let group = MachineGroup(file: file, function: function)
  let asked = ContinuousClock.now
  return try await MachineSlots.shared.withSlots(count) {
    let start = ContinuousClock.now
    defer { group.end(began: start, waited: start - asked) }
    return try await MachineGroup.$current.withValue(group, operation: body)
  }
}

/// Lets machines run while nobody else's do, for what depends on this computer answering within a fraction of a second.
public func withMachinesAlone<Result: Sendable>(
  file: String = #fileID, function: String = #function, _ body: () async throws -> Result
) async throws -> Result {
  try await withMachineGroup(of: MachineSlots.shared.most, file: file, function: function, body)
}
