import Addresses

/// Members that told removals which the authority did not sign. For a minute none of theirs is looked at, so that a lying member
/// costs one look a minute; honest ones pass on only what they have looked at themselves.
struct ForgerList {
  private static let patience: UInt64 = 60_000
  /// More liars at once than that cost a look more each.
  private static let capacity = 16

  private var entries: [(address: IPv4Address, until: UInt64)] = []

  func contains(_ address: IPv4Address, at now: UInt64) -> Bool {
    entries.contains { $0.address == address && now < $0.until }
  }

  mutating func insert(_ address: IPv4Address, at now: UInt64) {
    entries.removeAll { $0.until <= now || $0.address == address }
    if entries.count >= ForgerList.capacity { entries.removeFirst() }
    entries.append((address, now &+ ForgerList.patience))
  }
}
