import Synchronization

/// How many machines may run at a time. One that boots takes a whole processor, and one that starves looks like one that
/// hangs; one that waits for its next command takes next to nothing.
///
/// So a few always may, and further ones, up to a bound, when the computer has had something to spare: they are let in one
/// after the other, so that what the last one takes is seen before the next.
final class MachineSlots: Sendable {
  static let shared = {
    let processors = ComputerLoad.processors
    let load = ComputerLoad()
    return MachineSlots(always: processors, most: 4 * processors) { load.hasRoom(forMachines: $0) }
  }()

  private let always: Int
  let most: Int
  private let pause: Duration
  private let hasRoom: @Sendable (Int) -> Bool

  private struct State {
    var running = 0
    var waiting: [(id: UInt64, wanted: Int, resume: CheckedContinuation<Void, any Error>)] = []
    var nextID: UInt64 = 0
    /// Cancelled before they got into the queue.
    var cancelled: Set<UInt64> = []
    var isLooking = false
  }
  private let state = Mutex(State())

  /// - Parameters:
  ///   - always: as many machines may run whatever the load is.
  ///   - most: never more than so many; a group that is larger runs alone.
  ///   - pause: between two looks at the load while somebody waits.
  ///   - hasRoom: whether the computer has had enough to spare, since it was asked last, for so many machines more.
  init(always: Int, most: Int, pause: Duration = .seconds(1), hasRoom: @escaping @Sendable (Int) -> Bool) {
    self.always = always
    self.most = most
    self.pause = pause
    self.hasRoom = hasRoom
  }

  /// Whether somebody waits to be let in.
  var isAwaited: Bool { state.withLock { !$0.waiting.isEmpty } }

  /// Runs `body` when so many machines may run. Throws `CancellationError` when cancelled while waiting.
  func withSlots<Result>(_ count: Int, _ body: () async throws -> Result) async throws -> Result {
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
        let isCancelled = state.withLock { state in
          if state.cancelled.remove(id) != nil { return true }
          state.waiting.append((id, wanted, continuation))
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) } else { letIn() }
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
      letIn()
    }
  }

  private func give(_ count: Int) {
    state.withLock { $0.running -= count }
    letIn()
  }

  /// Lets in whoever may run, first come first served, and of those that need `room` the first alone.
  private func letIn(room: Bool = false) {
    let (next, mustLook) = state.withLock { state in
      var next: [CheckedContinuation<Void, any Error>] = []
      var room = room
      while let first = state.waiting.first {
        let all = state.running + first.wanted
        if state.running > 0, all > always {
          guard room, all <= most else { break }
          room = false
        }
        state.running = all
        next.append(state.waiting.removeFirst().resume)
      }
      let mustLook = !state.waiting.isEmpty && !state.isLooking
      if mustLook { state.isLooking = true }
      return (next, mustLook)
    }
    for waiter in next { waiter.resume() }
    if mustLook { Task.detached { await self.look() } }
  }

  /// Lets in by load as long as somebody waits.
  private func look() async {
    while true {
      try? await Task.sleep(for: pause)
      let wanted = state.withLock { state in
        if state.waiting.isEmpty { state.isLooking = false }
        return state.waiting.first?.wanted
      }
      guard let wanted else { return }
      letIn(room: hasRoom(wanted))
    }
  }
}
