/// What a pass's findings mean for the drone.
///
/// A difference is a changed root, at once. That something could not be read for want of memory or descriptors is not: it
/// is said, and the next pass looks again. Only when that goes on, nobody can vouch for the root any longer, and that
/// counts as a changed one.
public struct Vigil: Equatable, Sendable {
  public enum Verdict: Equatable, Sendable {
    case sound
    /// Something could not be looked at this time. `isNew`: the pass before had no such trouble, so it is worth a line.
    case unsure(Finding, isNew: Bool)
    /// The root is not what was sealed, or cannot be looked at for good: the finding that says most.
    case changed(Finding)
  }

  /// So many passes in a row without a full look are one too many.
  public static let patience = 5

  private var troubled = 0
  /// Passes since the start in which something could not be looked at.
  public private(set) var repeated: UInt64 = 0

  public init() {}

  public mutating func judge(_ findings: [Finding]) -> Verdict {
    if let telling = mostTelling(findings.filter { !$0.difference.isPassing }) { return .changed(telling) }
    guard let first = findings.first else {
      troubled = 0
      return .sound
    }
    troubled += 1
    repeated &+= 1
    return troubled >= Self.patience ? .changed(first) : .unsure(first, isNew: troubled == 1)
  }
}

/// The first finding that names what happened; one that only shows that something did, when there is no other.
func mostTelling(_ findings: [Finding]) -> Finding? {
  findings.first { $0.difference.weight > 0 } ?? findings.first
}
