import Linux

/// Waits for everything that a program waits for. Whatever wants to be called registers itself: a descriptor with what is to
/// be ready, a time, or both.
///
/// In each turn all sources that are ready are called in the order in which they registered, and then all whose time has
/// come: so what waits in a socket is read before anybody is blamed for silence.
final class Loop {
  /// One that waits. It is asked before each wait.
  final class Source {
    fileprivate let interest: () -> Interest?
    fileprivate let isReady: (Readiness, UInt64) -> Void
    fileprivate let due: () -> UInt64?
    fileprivate let isDue: (UInt64) -> Void
    fileprivate var isOver = false

    fileprivate init(
      _ interest: @escaping () -> Interest?, _ isReady: @escaping (Readiness, UInt64) -> Void,
      _ due: @escaping () -> UInt64?, _ isDue: @escaping (UInt64) -> Void
    ) {
      self.interest = interest
      self.isReady = isReady
      self.due = due
      self.isDue = isDue
    }

    /// It is never called again.
    func end() { isOver = true }
  }

  private var sources: [Source] = []
  /// Counted as they begin.
  private(set) var turns: UInt64 = 0
  /// The longest wait, in milliseconds.
  private static let longest: UInt64 = 60_000

  /// - Parameters:
  ///   - interest: what is waited for now; nil for nothing.
  ///   - isReady: what to do when it is there, at a time in milliseconds.
  ///   - due: when `isDue` is to be called whatever is ready; nil for never.
  @discardableResult
  func add(
    _ interest: @escaping () -> Interest?, isReady: @escaping (Readiness, UInt64) -> Void,
    due: @escaping () -> UInt64? = { nil }, isDue: @escaping (UInt64) -> Void = { _ in }
  ) -> Source {
    let source = Source(interest, isReady, due, isDue)
    sources.append(source)
    return source
  }

  /// Something that happens at a time and waits for nothing else.
  @discardableResult
  func add(due: @escaping () -> UInt64?, isDue: @escaping (UInt64) -> Void) -> Source {
    add({ nil }, isReady: { _, _ in }, due: due, isDue: isDue)
  }

  /// Waits once, and calls whoever is to be called.
  func turn() {
    turns &+= 1
    sources.removeAll { $0.isOver }
    let now = millisecondsSinceStart()
    var until = now &+ Loop.longest
    let sources = self.sources
    var interests: [Interest] = []
    interests.reserveCapacity(sources.count)
    for source in sources {
      if let due = source.due() { until = min(until, due) }
      interests.append(source.interest() ?? Interest(-1))
    }
    let ready = waitReady(interests, milliseconds: Int(clamping: until > now ? until &- now : 0))
    let then = millisecondsSinceStart()
    for (source, ready) in zip(sources, ready) where !ready.isEmpty && !source.isOver {
      source.isReady(ready, then)
    }
    let end = millisecondsSinceStart()
    for source in self.sources where !source.isOver {
      if let due = source.due(), due <= end { source.isDue(end) }
    }
  }
}
