import Addresses
import Tunnels

/// What a machine's kernel holds for the cluster, and what it therefore does with a packet.
struct Kernel {
  /// A security association with the number of its key.
  struct Association {
    let value: TunnelAssociation
    /// This machine's address when it was installed.
    let own: UInt32
    let key: Int
    /// No two have the same.
    let order: UInt64
    var packets: UInt64 = 0
  }

  /// What becomes of a packet to an address.
  enum Fate {
    /// The filter does not let it out.
    case kept
    /// The filter lets it out, and nothing demands ESP of it: only the filter's last look keeps it.
    case inClear
    /// It waits, and the kernel asks for keys.
    case waits
    case protected(spi: UInt32, key: Int)
  }

  /// Peers of whom ESP is demanded, by this machine's address in the upper half.
  private(set) var policies: Set<UInt64> = []
  private(set) var permitted: Set<UInt32> = []
  var associations: [UInt32: [Association]] = [:]
  /// Packets that wait for keys, and until when nobody is asked for them again.
  var waiting: [UInt32: (packets: [[UInt8]], askedUntil: UInt64)] = [:]

  /// As the kernel's queue for a destination without an association.
  static let mostWaiting = 100
  /// The life of a question for keys, as tyd sets it.
  static let question: UInt64 = 3000

  // MARK: Policies and filter

  mutating func require(_ peer: IPv4Address, own: IPv4Address) { policies.insert(Kernel.pair(own, peer)) }
  mutating func release(_ peer: IPv4Address, own: IPv4Address) {
    policies.remove(Kernel.pair(own, peer))
    waiting[peer.bits] = nil
  }
  mutating func permit(_ peer: IPv4Address) { permitted.insert(peer.bits) }
  mutating func forbid(_ peer: IPv4Address) { permitted.remove(peer.bits) }

  private static func pair(_ own: IPv4Address, _ peer: IPv4Address) -> UInt64 {
    UInt64(own.bits) << 32 | UInt64(peer.bits)
  }

  func demands(_ peer: UInt32, own: IPv4Address) -> Bool {
    policies.contains(Kernel.pair(own, IPv4Address(bits: peer)))
  }

  /// Of whom ESP is demanded by this own address.
  func demanded(own: IPv4Address) -> Set<UInt32> {
    Set(policies.lazy.filter { $0 >> 32 == UInt64(own.bits) }.map { UInt32(truncatingIfNeeded: $0) })
  }

  /// Of whom ESP is demanded by whatever own address.
  var demanded: [IPv4Address] {
    Set(policies.map { UInt32(truncatingIfNeeded: $0) }).sorted().map { IPv4Address(bits: $0) }
  }

  /// After a crash: what a former run let in, or demanded of others than these or by another address, goes.
  mutating func keepOnly(_ peers: [IPv4Address], own: IPv4Address) {
    let kept = Set(peers.map { $0.bits })
    permitted.formIntersection(kept)
    policies = policies.filter { $0 >> 32 == UInt64(own.bits) && kept.contains(UInt32(truncatingIfNeeded: $0)) }
  }

  // MARK: Associations

  mutating func add(_ association: Association) {
    associations[association.value.peer.bits, default: []].append(association)
  }

  mutating func remove(_ association: TunnelAssociation) {
    associations[association.peer.bits]?.removeAll { $0.value == association }
    if associations[association.peer.bits]?.isEmpty == true { associations[association.peer.bits] = nil }
  }

  /// Whether this is the other end of a peer's association.
  func hasTwin(of other: Association) -> Bool {
    associations[other.own]?.contains {
      $0.key == other.key && $0.value.spi == other.value.spi && $0.value.direction != other.value.direction
    } == true
  }

  /// As tyd reads them: those of this machine's address.
  func uses(own: IPv4Address) -> [AssociationUse] {
    associations.values.joined().filter { $0.own == own.bits }
      .sorted { $0.order < $1.order }
      .map { AssociationUse($0.value, packets: $0.packets, installed: $0.order) }
  }

  // MARK: Packets

  mutating func send(to peer: IPv4Address, own: IPv4Address) -> Fate {
    guard permitted.contains(peer.bits) else { return .kept }
    guard demands(peer.bits, own: own) else { return .inClear }
    guard let known = associations.index(forKey: peer.bits) else { return .waits }
    return Kernel.send(by: &associations.values[known], own: own) ?? .waits
  }

  /// By the newest that leads out.
  private static func send(by known: inout [Association], own: IPv4Address) -> Fate? {
    var newest: Int?
    for (index, one) in known.enumerated()
    where one.value.direction == .outbound && one.own == own.bits
      && newest.map({ known[$0].order < one.order }) ?? true
    {
      newest = index
    }
    guard let newest else { return nil }
    known[newest].packets += 1
    return .protected(spi: known[newest].value.spi, key: known[newest].key)
  }

  /// Whether a packet with this SPI, made by this key, is taken; it then counts.
  mutating func receives(from peer: IPv4Address, own: IPv4Address, spi: UInt32, _ key: Int) -> Bool {
    let place = associations[peer.bits]?.firstIndex {
      $0.value.direction == .inbound && $0.value.spi == spi && $0.own == own.bits && $0.key == key
    }
    guard let place else { return false }
    associations[peer.bits]?[place].packets += 1
    return true
  }
}
