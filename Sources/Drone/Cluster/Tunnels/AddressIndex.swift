import Addresses

/// The ids of peers by their addresses, in the order of these.
struct AddressIndex {
  /// An address in front of an id of 16 bits.
  private var entries: [UInt64] = []

  func id(at address: IPv4Address) -> UInt16? {
    let place = place(of: address)
    guard place < entries.count, entries[place] >> 16 == UInt64(address.bits) else { return nil }
    return UInt16(truncatingIfNeeded: entries[place])
  }

  /// Another one that has the address loses it.
  mutating func insert(_ id: UInt16, at address: IPv4Address) {
    remove(address)
    entries.insert(UInt64(address.bits) << 16 | UInt64(id), at: place(of: address))
  }

  mutating func remove(_ address: IPv4Address) {
    if id(at: address) != nil { entries.remove(at: place(of: address)) }
  }

  /// The first place from which on addresses are not less.
  private func place(of address: IPv4Address) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle] >> 16 < UInt64(address.bits) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
