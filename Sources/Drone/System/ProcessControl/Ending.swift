/// How a child ended.
public enum Ending: Equatable, Sendable {
  case exited(Int32)
  case killed(signal: Int32)
  /// Not ended, but stopped by a signal; reported only on request.
  case stopped(signal: Int32)

  public var succeeded: Bool { self == .exited(0) }
  public var isStop: Bool { if case .stopped = self { true } else { false } }
}
