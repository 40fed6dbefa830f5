/// How long to wait before a program that ended is started again: at once after a useful life, longer and longer when it
/// keeps ending quickly.
public struct BackOff: Sendable {
  /// A run of at least this length counts as useful.
  public static let usefulMilliseconds: UInt64 = 10_000
  public static let longestMilliseconds: UInt64 = 32_000

  /// Short runs one after the other, counted up to the longest wait.
  private var shortRuns: UInt64 = 0

  public init() {}

  /// The wait in milliseconds after a run of this length. The first short run is forgiven: 0, then 1, 2, 4 … 32 s.
  public mutating func delay(afterRunning milliseconds: UInt64) -> UInt64 {
    guard milliseconds < Self.usefulMilliseconds else {
      shortRuns = 0
      return 0
    }
    shortRuns = min(shortRuns + 1, 7)
    return shortRuns == 1 ? 0 : min(1000 << (shortRuns - 2), Self.longestMilliseconds)
  }

  /// Whether the longest wait has been reached: there is nothing new to say about it.
  public var isExhausted: Bool { shortRuns >= 7 }
}
