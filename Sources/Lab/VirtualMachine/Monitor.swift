import Foundation

/// The emulator's control connection: QMP, the QEMU Machine Protocol, one JSON object per line.
final class Monitor: Sendable {
  private struct State: Sendable {
    var unfinished: [UInt8] = []
    /// Answers by the id of their command.
    var answers: [Int: [UInt8]] = [:]
    var nextID = 1
    /// `SHUTDOWN`'s reason: `guest-reset`, `guest-shutdown`, `host-signal`, …
    var shutdown: String?
    var closed = false
  }

  /// The emulator's words for what went wrong.
  struct Refused: Error { let reason: String }

  private let channel: Channel
  private let state = Watched(State())

  init(_ channel: Channel) {
    self.channel = channel
    channel.read { [state] piece in
      state.change { Self.receive(piece, &$0) }
    }
    // A new connection takes commands only after this one; its answer needs no waiting for.
    channel.write(#"{"execute":"qmp_capabilities"}"#.utf8)
    channel.write("\n".utf8)
  }

  private static func receive(_ piece: [UInt8], _ state: inout State) {
    if piece.isEmpty { state.closed = true }
    state.unfinished += piece
    while let end = state.unfinished.firstIndex(of: 10) {
      let line = [UInt8](state.unfinished[..<end])
      state.unfinished.removeSubrange(...end)
      guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else { continue }
      if let id = object["id"] as? Int {
        state.answers[id] = line
      } else if object["event"] as? String == "SHUTDOWN", let data = object["data"] as? [String: Any] {
        state.shutdown = data["reason"] as? String ?? "unknown"
      }
    }
  }

  /// Runs a command and returns its `return` value when that is text, else an empty text.
  ///
  /// Throws `Refused` when the emulator reports an error, is gone, or does not answer within 10 s.
  @discardableResult
  func execute(_ command: String, _ arguments: [String: any Sendable] = [:]) async throws -> String {
    let id = state.look { state in
      state.nextID += 1
      return state.nextID
    }
    let request: [String: Any] = ["execute": command, "arguments": arguments, "id": id]
    guard channel.write([UInt8](try JSONSerialization.data(withJSONObject: request)) + [10]) else {
      throw Refused(reason: "it is gone")
    }
    let answer = try await state.wait(.seconds(10)) { state in
      if let answer = state.answers.removeValue(forKey: id) { return answer }
      if state.closed { throw Refused(reason: "it is gone") }
      return nil as [UInt8]?
    }
    guard let answer else { throw Refused(reason: "no answer to \(command) within 10 s") }
    let object = try JSONSerialization.jsonObject(with: Data(answer)) as? [String: Any] ?? [:]
    if let error = object["error"] as? [String: Any] {
      throw Refused(reason: "\(command): \(error["desc"] as? String ?? "refused")")
    }
    return object["return"] as? String ?? ""
  }

  /// Runs a command of the monitor for people and returns what it prints.
  func execute(forPeople line: String) async throws -> String {
    try await execute("human-monitor-command", ["command-line": line])
  }

  /// Waits until the emulator is gone and returns the reason it named; nil when it is still there after `bound`.
  func end(within bound: Duration) async throws -> MachineEnd? {
    try await state.wait(bound) { state in
      guard state.closed else { return nil }
      return switch state.shutdown {
      case "guest-reset": MachineEnd.reset
      case "guest-shutdown": MachineEnd.powerOff
      case let reason: MachineEnd.emulator(reason ?? "without a word")
      }
    }
  }

  /// How the machine ended, when it has.
  var ended: MachineEnd? {
    get async { try? await end(within: .zero) }
  }

  /// Ends the emulator at once.
  func quit() {
    channel.write(#"{"execute":"quit"}"#.utf8)
    channel.write("\n".utf8)
  }

  func close() { channel.shutDown() }
}
