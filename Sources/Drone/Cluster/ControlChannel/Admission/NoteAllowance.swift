/// How many lines a log gets of what anybody on the network can cause: so many in a minute, and at its end how many more there
/// were. Otherwise whoever wants to hide something fills the log until what was there before is gone.
public struct NoteAllowance: Sendable {
  public static let perMinute: UInt32 = 30

  private var written: UInt32 = 0
  private var omitted: UInt32 = 0
  /// When `step` is due, in milliseconds: a minute after the first line; nil while there is none.
  public private(set) var nextDue: UInt64?

  public init() {}

  /// Whether a line is to be written now, in milliseconds; it then counts.
  public mutating func admits(at now: UInt64) -> Bool {
    if nextDue == nil { nextDue = now &+ 60_000 }
    guard written < NoteAllowance.perMinute else {
      omitted &+= 1
      return false
    }
    written += 1
    return true
  }

  /// Ends the minute if it is over.
  /// - Returns: how many lines were left out in it; nil for none.
  public mutating func step(at now: UInt64) -> UInt32? {
    guard let due = nextDue, due <= now else { return nil }
    let count = omitted
    self = NoteAllowance()
    return count > 0 ? count : nil
  }
}
