import Synchronization

/// How many machines may run at a time: emulation takes a whole processor, and a machine that starves looks like one
/// that hangs.
final class MachineSlots: Sendable {
  static let shared = MachineSlots(2)

  private struct State {
    var free: Int
    var waiting: [(id: UInt64, resume: CheckedContinuation<Void, any Error>)] = []
    var nextID: UInt64 = 0
    /// Cancelled before they got into the queue.
    var cancelled: Set<UInt64> = []
  }
  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(free: count)) }

  /// Runs `body` when a slot is free. Throws `CancellationError` when cancelled while waiting.
  func withSlot<Result>(_ body: () async throws -> Result) async throws -> Result {
    try await take()
    defer { give() }
    return try await body()
  }

  private func take() async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let outcome: Swift.Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
          if state.free > 0 {
            state.free -= 1
            return .success(())
          }
          state.waiting.append((id, continuation))
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
          state.cancelled.insert(id)
          return nil as CheckedContinuation<Void, any Error>?
        }
        return state.waiting.remove(at: index).resume
      }
      waiter?.resume(throwing: CancellationError())
    }
  }

  private func give() {
    let next = state.withLock { state in
      if !state.waiting.isEmpty { return state.waiting.removeFirst().resume as CheckedContinuation<Void, any Error>? }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}
