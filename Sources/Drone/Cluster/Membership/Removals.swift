import Addresses
import Bytes

/// A node that was removed by an operator, or one that was and is allowed again.
///
/// Every `remove` and `allow` of a machine raises its counter by one, and the highest counter is believed; of two with
/// the same counter, made in two places at once, the removal is.
struct Removal: Equatable {
  /// Counters above this are not believed, so that there is always a higher one.
  static let largestCounter: UInt32 = 0x7FFF_FFFF

  var isInForce: Bool
  var counter: UInt32
  var mac: MACAddress
  var fingerprint: Fingerprint
  var id: NodeID

  func supersedes(_ other: Removal) -> Bool {
    counter != other.counter ? counter > other.counter : isInForce && !other.isInForce
  }

  /// Of what the list has to agree on.
  var digest: UInt32 {
    let mixed = SplitMix64.mix(mac.bits ^ UInt64(counter) << 32 ^ (isInForce ? 0x5555_5555_5555_5555 : 0))
    return UInt32(truncatingIfNeeded: mixed >> 32)
  }
}

/// The removed nodes, and which of them are allowed again: one entry for each machine.
struct RemovalList {
  /// The longest list: an operator who has to remove as many makes a new cluster.
  static let capacity = 256

  private(set) var entries: [Removal] = []
  /// The last known address of each, and the neighbours that have not been told of the entry yet.
  private(set) var addresses: [IPv4Address] = []
  var owed: [UInt16] = []
  private(set) var digest: UInt32 = 0

  var isOwing: Bool { owed.contains { $0 != 0 } }

  func entry(_ mac: MACAddress) -> Removal? { entries.first { $0.mac == mac } }

  /// Whether a machine or a key may not be in the cluster.
  func forbids(_ mac: MACAddress, _ fingerprint: Fingerprint) -> Bool {
    entries.contains { $0.isInForce && ($0.mac == mac || $0.fingerprint == fingerprint) }
  }

  func forbids(_ mac: MACAddress) -> Bool { entries.contains { $0.isInForce && $0.mac == mac } }

  func forbids(_ address: IPv4Address) -> Bool {
    for (index, entry) in entries.enumerated() where entry.isInForce && addresses[index] == address { return true }
    return false
  }

  /// Merges an entry that is newer than the known one; false when it is not, or when the list is full of removals in
  /// force.
  mutating func insert(_ removal: Removal, address: IPv4Address?, owed mask: UInt16) -> Bool {
    if let index = entries.firstIndex(where: { $0.mac == removal.mac }) {
      guard removal.supersedes(entries[index]) else { return false }
      digest ^= entries[index].digest
      entries[index] = removal
      addresses[index] = address ?? addresses[index]
      owed[index] = mask
    } else {
      if entries.count >= RemovalList.capacity {
        guard let oldest = entries.firstIndex(where: { !$0.isInForce }) else { return false }
        digest ^= entries[oldest].digest
        entries.remove(at: oldest)
        addresses.remove(at: oldest)
        owed.remove(at: oldest)
      }
      entries.append(removal)
      addresses.append(address ?? .unspecified)
      owed.append(mask)
    }
    digest ^= removal.digest
    return true
  }
}

extension SplitMix64 {
  /// A number below `bound`, 0 if that is 0.
  mutating func next(below bound: Int) -> Int {
    guard bound > 0 else { return 0 }
    return Int(next32() >> 1) % bound
  }

  mutating func next(below bound: UInt64) -> UInt64 { bound == 0 ? 0 : UInt64(next32()) % bound }
}
