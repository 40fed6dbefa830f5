import Addresses
import CLinux

/// The IPv4 address of a host that is named or whose address is written out: what /etc/hosts, else the name servers of
/// /etc/resolv.conf, give first. Waits for them, up to some ten seconds; nil without an answer.
public func resolve(_ name: [UInt8]) -> IPv4Address? {
  if let address = IPv4Address(text: name) { return address }
  var bits: UInt32 = 0
  guard withTerminated(name, { linux_resolve($0, &bits) }) == 0 else { return nil }
  return IPv4Address(bits: bits)
}

/// Whether this node has a route, and an address to come from, for packets to an address.
public func hasRoute(to address: IPv4Address) -> Bool {
  guard let socket = Descriptor(linux_datagram_socket()) else { return false }
  // Connecting a datagram socket looks the route up and sends nothing.
  return linux_connect_endpoint(socket.number, SocketAddress(address, port: 9).endpoint) == 0
}
