import Synchronization

/// How many machines may run at a time: emulation takes a whole processor, and a machine that starves looks like one
/// that hangs.
final class MachineSlots: Sendable {
  static let shared = MachineSlots(2)
  /// Set within a group, whose machines take no slots of their own.
  @TaskLocal static var isInGroup = false

  private let count: Int

  private struct State {
    var free: Int
    var waiting: [(id: UInt64, wanted: Int, resume: CheckedContinuation<Void, any Error>)] = []
    var nextID: UInt64 = 0
    /// Cancelled before they got into the queue.
    var cancelled: Set<UInt64> = []
  }
  private let state: Mutex<State>

  init(_ count: Int) {
    self.count = count
    state = Mutex(State(free: count))
  }

  /// Whether somebody waits for a slot.
  var isAwaited: Bool { state.withLock { !$0.waiting.isEmpty } }

  /// Runs `body` when a slot is free. Throws `CancellationError` when cancelled while waiting.
  func withSlot<Result>(_ body: () async throws -> Result) async throws -> Result {
    try await take(1)
    defer { give(1) }
    return try await body()
  }

  /// Runs `body` when all slots are free. Throws `CancellationError` when cancelled while waiting.
  func withAllSlots<Result>(_ body: () async throws -> Result) async throws -> Result {
    try await take(count)
    defer { give(count) }
    return try await body()
  }

  private func take(_ wanted: Int) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let outcome: Swift.Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
          if state.waiting.isEmpty, state.free >= wanted {
            state.free -= wanted
            return .success(())
          }
          state.waiting.append((id, wanted, continuation))
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
      // Whoever waited behind it may fit now.
      give(0)
    }
  }

  /// Frees slots and lets in whoever waits, first come first served.
  private func give(_ freed: Int) {
    let next = state.withLock { state in
      state.free += freed
      var next: [CheckedContinuation<Void, any Error>] = []
      while let first = state.waiting.first, first.wanted <= state.free {
        state.free -= first.wanted
        next.append(state.waiting.removeFirst().resume)
      }
      return next
    }
    for waiter in next { waiter.resume() }
  }
}
