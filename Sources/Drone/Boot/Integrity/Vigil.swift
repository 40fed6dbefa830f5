/// What a pass's findings mean for the drone.
///
/// A difference means a changed root, at once. Something that could not be read for want of memory or descriptors does not:
/// it is reported, and the next pass tries again. When that goes on, nobody can vouch for the root any longer, and it
/// counts as changed.
public struct Vigil: Equatable, Sendable {
  public enum Verdict: Equatable, Sendable {
    case sound
    /// Something could not be checked this time. `isNew`: the previous pass had no such trouble, so it is worth a line.
    case unsure(Finding, isNew: Bool)
    /// The root is not what was sealed, or can no longer be checked; the most significant finding.
    case changed(Finding)
  }

  /// This many incomplete passes in a row count as a change.
  public static let patience = 5

  private var troubled = 0
  /// Incomplete passes since the start.
  public private(set) var repeated: UInt64 = 0

  public init() {}

  public mutating func judge(_ findings: [Finding]) -> Verdict {
    if let finding = mostSignificant(findings.filter { !$0.difference.isPassing }) { return .changed(finding) }
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
func mostSignificant(_ findings: [Finding]) -> Finding? {
  findings.first { $0.difference.weight > 0 } ?? findings.first
}
