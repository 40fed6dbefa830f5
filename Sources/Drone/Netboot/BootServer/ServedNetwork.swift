import Addresses
import Bytes

/// The network that a boot server serves (its own and no other) and the addresses that it leases.
public struct ServedNetwork: Equatable, Sendable {
  /// The server's address.
  public let own: IPv4Address
  public let netmask: Netmask
  /// The gateway that clients get, if it is on this network.
  public let gateway: IPv4Address?
  /// The first and the last address that may be leased, both included; the server's and the gateway's are left out.
  public let first: IPv4Address
  public let last: IPv4Address

  /// The largest number of addresses: each may need an entry in a table.
  public static let largestRange: UInt32 = 1024

  /// Without a range it is .16 to .248 of the server's 256 neighbours, as in 2003, and on a smaller network everything
  /// between its own two ends.
  public init(
    own: IPv4Address, netmask: Netmask, gateway: IPv4Address? = nil, range: AddressRange? = nil
  ) throws(ServedNetworkError) {
    let lowest = (own.bits & netmask.bits) &+ 1
    let highest = netmask.broadcast(of: own).bits &- 1
    guard netmask.prefixLength <= 30, netmask.prefixLength >= 8 else { throw .noRoom(own, netmask) }
    var first = lowest
    var last = highest
    if let range {
      guard range.first.bits >= lowest, range.last.bits <= highest else { throw .elsewhere(range, own, netmask) }
      guard range.last.bits &- range.first.bits < ServedNetwork.largestRange else { throw .tooLong(range) }
      first = range.first.bits
      last = range.last.bits
    } else if netmask.prefixLength <= 24 {
      first = (own.bits & 0xFFFF_FF00) | 16
      last = (own.bits & 0xFFFF_FF00) | 248
    }
    self.own = own
    self.netmask = netmask
    self.gateway = gateway.flatMap { netmask.sameNetwork($0, own) ? $0 : nil }
    self.first = IPv4Address(bits: first)
    self.last = IPv4Address(bits: last)
  }

  /// Whether an address is one of this network's hosts.
  public func contains(_ address: IPv4Address) -> Bool {
    netmask.sameNetwork(address, own) && address.bits != own.bits & netmask.bits
      && address != netmask.broadcast(of: own)
  }

  /// Whether the server may lease the address.
  public func canLease(_ address: IPv4Address) -> Bool {
    address >= first && address <= last && address != own && address != gateway
  }
}

/// Why a network cannot be served, as a sentence.
public enum ServedNetworkError: Error, Equatable, Sendable {
  case noRoom(IPv4Address, Netmask)
  case elsewhere(AddressRange, IPv4Address, Netmask)
  case tooLong(AddressRange)

  public var sentence: [UInt8] {
    switch self {
    case .noRoom(let own, let mask):
      return own.text + prefix(mask) + [UInt8](" is a network without room for others; give this node another address.")
    case .elsewhere(let range, let own, let mask):
      return range.text + [UInt8](" is not within this node's network, ") + own.text + prefix(mask) + [UInt8](".")
    case .tooLong(let range):
      return range.text + [UInt8](" has more than 1024 addresses; give a shorter range.")
    }
  }

  private func prefix(_ mask: Netmask) -> [UInt8] {
    var out = [UInt8]("/")
    appendDecimal(UInt64(mask.prefixLength), to: &out)
    return out
  }
}
