import Addresses
import Bytes

/// The address that a machine is known by: the one on the interface of its default route, else on `eth0`, else on the first
/// interface that has one.
///
/// Loopback addresses and those that are valid on the machine or the link only do not count. Of several on one interface the
/// first counts, unless the default route prefers another.
public func nodeAddress(links: [Link], addresses: [InterfaceAddress], routes: [Route]) -> InterfaceAddress? {
  let usable = addresses.filter { address in
    address.scope == .universe && address.address.isHostAddress
      && links.contains { $0.index == address.interface && !$0.flags.contains(.loopback) }
  }
  func first(on interface: Int32, preferred: IPv4Address? = nil) -> InterfaceAddress? {
    let there = usable.filter { $0.interface == interface }
    return there.first { $0.address == preferred } ?? there.first
  }
  let defaults = routes.filter { $0.isDefault }.sorted { $0.metric < $1.metric }
  for route in defaults {
    if let interface = route.interface, let found = first(on: interface, preferred: route.preferredSource) {
      return found
    }
  }
  if let link = links.first(where: { $0.name == [UInt8]("eth0") }), let found = first(on: link.index) { return found }
  return usable.min { $0.interface < $1.interface }
}

/// The address that a node has in a cluster of which it knows no member's address: the one on `eth0`, as tyd always did, else the
/// one that the machine is known by.
public func clusterAddress(links: [Link], addresses: [InterfaceAddress], routes: [Route]) -> InterfaceAddress? {
  let first = links.first { $0.name == [UInt8]("eth0") }
  let there = addresses.filter { $0.interface == first?.index }
  return nodeAddress(links: links, addresses: there, routes: routes)
    ?? nodeAddress(links: links, addresses: addresses, routes: routes)
}
