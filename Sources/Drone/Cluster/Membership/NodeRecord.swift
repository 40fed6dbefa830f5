import Addresses
import Bytes
import DroneLayout

/// A node's number in the cluster: the low 16 bits of its address, as in openMosix, or the next free one. Never 0.
public typealias NodeID = UInt16

/// Which cluster a datagram belongs to: the first eight bytes of the fingerprint of the cluster's CA.
public struct ClusterIdentifier: Hashable, Sendable {
  public let bits: UInt64

  public init(_ authority: Fingerprint) { bits = authority.words.0 }

  public init(bits: UInt64) { self.bits = bits }
}

/// One to four IPv4 addresses of a node, the one on which it speaks with the cluster first.
public struct AddressList: Hashable, Sendable {
  public static let capacity = 4

  public let count: Int
  private let bits: (UInt32, UInt32, UInt32, UInt32)

  /// Nil without an address, with more than four, or with one that no host can have.
  public init?(_ addresses: some Collection<IPv4Address>) {
    guard (1...AddressList.capacity).contains(addresses.count), addresses.allSatisfy({ $0.isHostAddress }) else {
      return nil
    }
    var rest = addresses.makeIterator()
    count = addresses.count
    bits = (rest.next()?.bits ?? 0, rest.next()?.bits ?? 0, rest.next()?.bits ?? 0, rest.next()?.bits ?? 0)
  }

  /// One address that is known to be a host's.
  package init(_ address: IPv4Address) {
    count = 1
    bits = (address.bits, 0, 0, 0)
  }

  /// Where the node's datagrams go to and come from.
  public var primary: IPv4Address { IPv4Address(bits: bits.0) }

  public var all: [IPv4Address] {
    var all: [IPv4Address] = []
    all.reserveCapacity(count)
    forEach { all.append($0) }
    return all
  }

  public func forEach(_ body: (IPv4Address) -> Void) {
    // The unused ones are 0.0.0.0, which is no host's.
    if bits.0 != 0 { body(IPv4Address(bits: bits.0)) }
    if bits.1 != 0 { body(IPv4Address(bits: bits.1)) }
    if bits.2 != 0 { body(IPv4Address(bits: bits.2)) }
    if bits.3 != 0 { body(IPv4Address(bits: bits.3)) }
  }

  public func contains(_ address: IPv4Address) -> Bool {
    address.bits != 0
      && (bits.0 == address.bits || bits.1 == address.bits || bits.2 == address.bits || bits.3 == address.bits)
  }

  public static func == (left: AddressList, right: AddressList) -> Bool {
    left.count == right.count && left.bits == right.bits
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(bits.0) }
}

/// At most eight IPv6 addresses of a node, none twice. Nodes speak with each other over IPv4 alone: these are what must be cut
/// off on a full Linux, where traffic to them would go in clear.
public struct AddressList6: Equatable, Sendable {
  public static let capacity = 8

  public let all: [IPv6Address]

  /// Those that a host can have, the first eight of them.
  public init(_ addresses: some Sequence<IPv6Address> = EmptyCollection<IPv6Address>()) {
    var kept: [IPv6Address] = []
    for address in addresses where address.isHostAddress && !kept.contains(address) {
      if kept.count < AddressList6.capacity { kept.append(address) }
    }
    all = kept
  }
}

/// What the cluster knows of a node.
///
/// A machine is the same node as long as its MAC is: after a reboot it has another key, and so another fingerprint, but
/// the same MAC and, as long as anybody remembers it, the same id.
public struct NodeRecord: Equatable, Sendable {
  /// SHA-256 of the node's SubjectPublicKeyInfo.
  public var fingerprint: Fingerprint
  /// Of the interface on which it joined.
  public var mac: MACAddress
  public var id: NodeID
  public var addresses: AddressList
  public var addresses6: AddressList6
  /// Whether it speaks with others in clear (`tyd -c off`) and not through IPsec. Two nodes of which one does cannot be
  /// members of the same cluster.
  public var isInClear: Bool
  public var cpus: UInt16
  /// MHz, or what a measurement says in its own unit; only compared among nodes.
  public var speed: UInt32
  /// MiB.
  public var memoryTotal: UInt32
  public var version: SoftwareVersion
  /// Whether it holds the CA's key and so may approve others.
  public var mayApprove: Bool
  /// Raised only by the node itself, to overrule what others say about it.
  public var incarnation: UInt32
  /// Runnable processes, in hundredths.
  public var load: UInt16
  /// MiB.
  public var memoryFree: UInt32
  /// Seconds.
  public var uptime: UInt32

  public init(
    fingerprint: Fingerprint, mac: MACAddress, id: NodeID = 0, addresses: AddressList,
    addresses6: AddressList6 = AddressList6(), isInClear: Bool = false, cpus: UInt16 = 1, speed: UInt32 = 0,
    memoryTotal: UInt32 = 0, version: SoftwareVersion = SoftwareVersion(0, 0, 0),
    mayApprove: Bool = false, incarnation: UInt32 = 0, load: UInt16 = 0, memoryFree: UInt32 = 0, uptime: UInt32 = 0
  ) {
    self.fingerprint = fingerprint
    self.mac = mac
    self.id = id
    self.addresses = addresses
    self.addresses6 = addresses6
    self.isInClear = isInClear
    self.cpus = cpus
    self.speed = speed
    self.memoryTotal = memoryTotal
    self.version = version
    self.mayApprove = mayApprove
    self.incarnation = incarnation
    self.load = load
    self.memoryFree = memoryFree
    self.uptime = uptime
  }

  /// Incarnations above this are not believed, so that a node can always raise its own.
  static let largestIncarnation: UInt32 = 0x7FFF_FFFF

  /// Whether both say the same of what changes rarely: everything but load, free memory, uptime and incarnation.
  func isSameApartFromVitals(_ other: NodeRecord) -> Bool {
    fingerprint == other.fingerprint && mac == other.mac && id == other.id && addresses == other.addresses
      && cpus == other.cpus && speed == other.speed && memoryTotal == other.memoryTotal && version == other.version
      && mayApprove == other.mayApprove && addresses6 == other.addresses6 && isInClear == other.isInClear
  }

  /// 16 bits over what changes rarely: another tag for the same node means another record. Every node
  /// computes it from the record's wire form, so its definition is part of the protocol. What was appended to that form later
  /// is not in it, so that nodes of before agree; a change of that raises the incarnation anyway.
  var tag: UInt16 {
    var hash = SplitMix64.mix(fingerprint.words.0 ^ UInt64(id))
    addresses.forEach { hash = SplitMix64.mix(hash ^ UInt64($0.bits)) }
    hash = SplitMix64.mix(hash ^ UInt64(speed) << 32 ^ UInt64(memoryTotal))
    hash = SplitMix64.mix(hash ^ UInt64(cpus) << 48 ^ UInt64(version.major) << 32 ^ UInt64(version.minor) << 16)
    hash = SplitMix64.mix(hash ^ UInt64(version.patch) << 1 ^ (mayApprove ? 1 : 0))
    return UInt16(truncatingIfNeeded: hash >> 24)
  }
}

/// What the cluster believes of a node. Removed ones have no state here: they are on the list of removals.
///
/// The raw values are those of the wire; of two statements with the same incarnation the higher one wins.
public enum NodeState: UInt8, Sendable {
  case alive = 0
  case suspect = 1
  case dead = 2
  case left = 3

  /// Whether the node counts as a member: it has its place on the rings, its policies and its tunnels.
  public var isLive: Bool { self == .alive || self == .suspect }
}
