import Addresses
import Bytes
import Linux
import Netlink
import NodeCore

/// The interface on which this node speaks with the cluster.
struct ClusterInterface: Equatable {
  let index: Int32
  let name: [UInt8]
  let mac: MACAddress
  let address: IPv4Address

  /// All addresses of this node that others may know it by, the one in the cluster first; at most four.
  var addresses: [IPv4Address] {
    [address] + ownAddresses().filter { $0 != address && $0.isHostAddress }.prefix(3)
  }

  /// The IPv6 addresses of this machine; it speaks with others by none of them.
  var addresses6: [IPv6Address] { ownAddresses6(first: index) }

  /// Finds it: the one that was named, else the one with the route to the contact, else eth0, else the one that the machine is
  /// known by.
  /// - Parameter kept: an address that stays this node's as long as a named interface has it, whatever others it has.
  static func find(
    named name: [UInt8]?, contact: IPv4Address?, keeping kept: IPv4Address? = nil
  ) throws(Failure) -> ClusterInterface {
    let network: MachineNetwork
    var toContact: Route?
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.route)
      network = try socket.network()
      if let contact { toContact = try? socket.route(to: contact) }
    } catch {
      throw Failure(error.text)
    }
    func own(_ link: Link) -> IPv4Address? {
      let found = network.addresses(of: link).map { $0.address }
      return found.first { $0 == kept } ?? found.first
    }
    if let contact, network.addresses.contains(where: { $0.address == contact }) {
      throw Failure(contact.text + [UInt8](" is this machine itself; say tyd alone to start a cluster."))
    }
    if let name {
      guard let link = network.link(name) else {
        throw Failure([UInt8]("there is no interface ") + name + [UInt8]("."))
      }
      return try ClusterInterface(link, own(link))
    }
    if let route = toContact, route.kind == .unicast,
      let link = network.links.first(where: { $0.index == route.interface })
    {
      return try ClusterInterface(link, route.preferredSource ?? own(link))
    }
    guard let address = network.clusterAddress,
      let link = network.links.first(where: { $0.index == address.interface })
    else { throw Failure("no interface has an address; set one by ifconfig eth0 ADDRESS, or boot with ip=.") }
    return try ClusterInterface(link, address.address)
  }

  private init(_ link: Link, _ address: IPv4Address?) throws(Failure) {
    guard let mac = link.address, mac != .zero else {
      throw Failure(
        link.name
          + [UInt8](" has no hardware address, by which a node is known; take another interface with -i."))
    }
    guard let address else { throw Failure(link.name + [UInt8](" has no address.")) }
    index = link.index
    name = link.name
    self.mac = mac
    self.address = address
  }
}

extension Surroundings {
  /// As the kernel has them now; nil while it does not answer.
  static var current: Surroundings? {
    guard var socket = try? NetlinkSocket(.route), let network = try? socket.network() else { return nil }
    return Surroundings(
      networks: network.addresses.filter { $0.scope == .universe && $0.mask.prefixLength > 0 }
        .map { Network(card: $0.interface, $0.address, $0.mask) },
      routers: network.routes.compactMap { $0.gateway })
  }
}
