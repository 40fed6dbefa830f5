import Addresses
import Bytes

/// Who may say that a node is removed, or allowed again: whoever holds the key of the cluster's authority.
///
/// A member without it can say neither, so a removed node, or one that lies, can neither come back nor throw others out.
public struct RemovalAuthority: Sendable {
  /// Whether the authority signed a statement (Ed25519, RFC 8032).
  let verifies: @Sendable (_ signature: [UInt8], _ statement: [UInt8]) -> Bool
  /// Its signature of a statement, `Removal.signatureLength` bytes; nil where its key is not.
  let signs: (@Sendable (_ statement: [UInt8]) -> [UInt8]?)?

  public init(
    verifies: @escaping @Sendable (_ signature: [UInt8], _ statement: [UInt8]) -> Bool,
    signs: (@Sendable (_ statement: [UInt8]) -> [UInt8]?)? = nil
  ) {
    self.verifies = verifies
    self.signs = signs
  }

  /// Nobody may.
  public static var nobody: RemovalAuthority { RemovalAuthority(verifies: { _, _ in false }) }
}

/// What became of an operator's `remove` or `allow`.
public enum RemovalOutcome: Equatable, Sendable {
  case done
  /// No node that this one knows, or knows to be removed, has the id, or it is this one's own.
  case unknown
  /// This node does not hold the authority's key.
  case unsigned
  /// As many nodes are removed as the list holds.
  case full
}

/// A node that was removed by an operator, or one that was and is allowed again.
///
/// Every `remove` and `allow` of a machine raises its counter by one, and the highest counter is believed; of two with
/// the same counter, made in two places at once, the removal is. What the authority did not sign is not believed at all.
struct Removal: Equatable {
  /// Counters above this are not believed, so that there is always a higher one.
  static let largestCounter: UInt32 = 0x7FFF_FFFF

  var isInForce: Bool
  var counter: UInt32
  var mac: MACAddress
  var fingerprint: Fingerprint
  var id: NodeID
  /// The authority's, of `statement`.
  var signature = [UInt8](repeating: 0, count: signatureLength)

  /// Bytes of an Ed25519 signature.
  static let signatureLength = 64

  /// What the authority signs: a line that nothing else which its key signs begins with, the cluster, and the entry as on the wire.
  func statement(of cluster: ClusterIdentifier) -> [UInt8] {
    var out = [UInt8]("droneforge removal\n")
    out.append(networkOrder: cluster.bits)
    appendFields(to: &out)
    return out
  }

  /// 1 + 4 + 6 + 32 + 2 bytes.
  func appendFields(to out: inout [UInt8]) {
    out.append(isInForce ? 1 : 0)
    out.append(networkOrder: counter)
    out.append(mac)
    out.append(fingerprint)
    out.append(networkOrder: id)
  }

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

  /// Whether `insert` would take it: it is newer than the known one, and there is room.
  func accepts(_ removal: Removal) -> Bool {
    if let known = entry(removal.mac) { return removal.supersedes(known) }
    return entries.count < RemovalList.capacity || entries.contains { !$0.isInForce }
  }

  /// Merges an entry that is newer than the known one; false when it is not, or when the list is full of removals in
  /// force.
  mutating func insert(_ removal: Removal, address: IPv4Address?, owed mask: UInt16) -> Bool {
    guard accepts(removal) else { return false }
    if let index = entries.firstIndex(where: { $0.mac == removal.mac }) {
      digest ^= entries[index].digest
      entries[index] = removal
      addresses[index] = address ?? addresses[index]
      owed[index] = mask
    } else {
      if entries.count >= RemovalList.capacity, let oldest = entries.firstIndex(where: { !$0.isInForce }) {
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
