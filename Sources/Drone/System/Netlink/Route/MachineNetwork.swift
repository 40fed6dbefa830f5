import Addresses
import Bytes

/// A machine's interfaces, IPv4 addresses and routes at one moment.
public struct MachineNetwork: Sendable {
  public var links: [Link]
  public var addresses: [InterfaceAddress]
  public var routes: [Route]

  public init(links: [Link], addresses: [InterfaceAddress], routes: [Route]) {
    self.links = links
    self.addresses = addresses
    self.routes = routes
  }

  /// The network cards.
  public var cards: [Link] { links.filter { $0.isCard } }

  public func link(_ name: [UInt8]) -> Link? { links.first { $0.name == name } }

  /// The addresses of an interface that are valid beyond its link.
  public func addresses(of link: Link) -> [InterfaceAddress] {
    addresses.filter { $0.interface == link.index && $0.scope == .universe }
  }

  /// The address that the machine is known by: the one on the interface of its default route, else on `eth0`, else on the first
  /// interface that has one.
  ///
  /// Loopback addresses and those that are valid on the machine or the link only do not count. Of several on one interface the
  /// first counts, unless the default route prefers another.
  public var nodeAddress: InterfaceAddress? { nodeAddress(among: addresses) }

  /// The address that a node has in a cluster of which it knows no member's address: the one on `eth0`, as tyd always did, else
  /// the one that the machine is known by.
  public var clusterAddress: InterfaceAddress? {
    let first = link([UInt8]("eth0"))
    return nodeAddress(among: addresses.filter { $0.interface == first?.index }) ?? nodeAddress
  }

  private func nodeAddress(among addresses: [InterfaceAddress]) -> InterfaceAddress? {
    let usable = addresses.filter { address in
      address.scope == .universe && address.address.isHostAddress
        && links.contains { $0.index == address.interface && !$0.flags.contains(.loopback) }
    }
    func first(on interface: Int32, preferred: IPv4Address? = nil) -> InterfaceAddress? {
      let there = usable.filter { $0.interface == interface }
      return there.first { $0.address == preferred } ?? there.first
    }
    for route in routes.filter({ $0.isDefault }).sorted(by: { $0.metric < $1.metric }) {
      if let interface = route.interface, let found = first(on: interface, preferred: route.preferredSource) {
        return found
      }
    }
    if let link = link([UInt8]("eth0")), let found = first(on: link.index) { return found }
    return usable.min { $0.interface < $1.interface }
  }
}
