import Addresses

/// Which card has which address, and until when. At most one entry for each address, so its size is bounded by the range.
///
/// A card's address follows from its hardware address, so it is the same again whenever possible, even with a new table.
struct Leases: Sendable {
  struct Lease: Sendable {
    /// Nil: somebody unknown uses the address.
    var hardware: MACAddress?
    let address: IPv4Address
    /// When it may go to another card; milliseconds.
    var ends: UInt64
    /// The client has accepted it; before, it was only offered.
    var isTaken: Bool
  }

  let network: ServedNetwork
  private(set) var all: [Lease] = []

  init(_ network: ServedNetwork) { self.network = network }

  func lease(of hardware: MACAddress) -> Lease? { all.first { $0.hardware == hardware } }

  /// Whether nobody else has the address now.
  func isFree(_ address: IPv4Address, for hardware: MACAddress, at now: UInt64) -> Bool {
    guard let holder = all.first(where: { $0.address == address }) else { return true }
    return holder.hardware == hardware || holder.ends <= now
  }

  /// An address for a card: its own, else the requested one if it is free, else one that was never used, else the one that has
  /// been unused for the longest time. Nil if all are in use.
  func choose(for hardware: MACAddress, wanting wanted: IPv4Address?, at now: UInt64) -> IPv4Address? {
    if let own = lease(of: hardware) { return own.address }
    if let wanted, network.canLease(wanted), isFree(wanted, for: hardware, at: now) { return wanted }
    let count = network.last.bits &- network.first.bits &+ 1
    let start = Leases.scatter(hardware) % count
    for step in 0..<count {
      let address = IPv4Address(bits: network.first.bits &+ (start &+ step) % count)
      if network.canLease(address), !all.contains(where: { $0.address == address }) { return address }
    }
    var oldest: Lease?
    for lease in all where lease.ends <= now && network.canLease(lease.address) {
      if let found = oldest, found.ends <= lease.ends { continue }
      oldest = lease
    }
    return oldest?.address
  }

  /// Records who has an address from now on, and forgets what the card or the address had before.
  mutating func set(_ hardware: MACAddress?, _ address: IPv4Address, until ends: UInt64, taken: Bool) {
    all.removeAll { $0.address == address || (hardware != nil && $0.hardware == hardware) }
    all.append(Lease(hardware: hardware, address: address, ends: ends, isTaken: taken))
  }

  /// Ends the card's lease; the address stays reserved for it as long as no other card needs one.
  mutating func release(_ hardware: MACAddress, at now: UInt64) {
    for index in all.indices where all[index].hardware == hardware { all[index].ends = now }
  }

  /// Forgets an address that was only offered.
  mutating func withdraw(_ hardware: MACAddress) { all.removeAll { $0.hardware == hardware && !$0.isTaken } }

  /// FNV-1a over the six bytes: neighbouring hardware addresses do not crowd.
  private static func scatter(_ hardware: MACAddress) -> UInt32 {
    hardware.octets.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }
}
