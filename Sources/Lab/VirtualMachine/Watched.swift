import Synchronization

/// A value that others wait on: each change wakes all who wait.
final class Watched<Value: Sendable>: Sendable {
  private struct State {
    var value: Value
    var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var nextID: UInt64 = 0
  }
  private let state: Mutex<State>

  init(_ value: Value) { state = Mutex(State(value: value)) }

  /// Reads or changes the value; waiters then look at it again.
  func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    let (result, watchers) = state.withLock { state in (body(&state.value), Array(state.watchers.values)) }
    for watcher in watchers { watcher.yield() }
    return result
  }

  /// Reads or changes the value without waking anybody.
  func look<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { state.withLock { body(&$0.value) } }

  /// Waits until `body` gives something other than nil and returns it; returns nil after `bound` of the machines' time.
  ///
  /// `body` may change the value: whoever takes something out of it does so under the lock. Throws what `body` throws
  /// and `CancellationError`.
  func wait<Result: Sendable>(
    _ bound: Duration, until body: (inout Value) throws -> Result?
  ) async throws -> Result? {
    let watch = MachineWatch()
    let (ticks, tick) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.nextID += 1
      state.watchers[state.nextID] = tick
      return state.nextID
    }
    let alarm = Task {
      // Again and again: a wait for a processor is known only when it is over, so the watch may have run ahead.
      try? await Task.sleep(for: bound)
      while !Task.isCancelled {
        tick.yield()
        try? await Task.sleep(for: max(bound - watch.elapsed, .milliseconds(50)))
      }
    }
    defer {
      alarm.cancel()
      state.withLock { _ = $0.watchers.removeValue(forKey: id) }
    }
    tick.yield()
    for await _ in ticks {
      if let result = try state.withLock({ try body(&$0.value) }) { return result }
      if watch.isOver(bound) { return nil }
    }
    throw CancellationError()
  }
}
