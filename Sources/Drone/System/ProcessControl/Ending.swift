/// How a child ended.
public enum Ending: Equatable, Sendable {
  case exited(Int32)
  case killed(signal: Int32)
  /// Not ended, but stopped by a signal; told only to who asks for it.
  case stopped(signal: Int32)

  public var succeeded: Bool { self == .exited(0) }
}
