/// Which nodes are lost, with the jobs that run there: those that tyd has held for dead for a while. tyd holds a node for dead after
/// 2.5 to 4.5 s of silence; one that was cut off for three seconds is given the time to come back.
public struct LostNodes: Sendable {
  /// In milliseconds.
  public static let grace: UInt64 = 1800

  /// Since when the nodes of these addresses have been seen dead.
  private var deadSince: [UInt32: UInt64] = [:]
  /// The addresses of those that are lost.
  public private(set) var all: Set<UInt32> = []

  public init() {}

  /// The nodes of these addresses are dead now, and all others are not.
  public mutating func observe(dead: Set<UInt32>, at now: UInt64) {
    let former = deadSince
    deadSince = [:]
    for address in dead { deadSince[address] = former[address] ?? now }
    all = []
    for (address, since) in deadSince where now >= since &+ LostNodes.grace { all.insert(address) }
  }
}
