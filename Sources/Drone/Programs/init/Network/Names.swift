import Addresses
import Addressing
import BootLine
import Bytes
import Linux

/// Keeps the name in a lease for `fix_hosts`, and writes /etc/resolv.conf when the server named name servers.
/// Returns whether anything changed.
@discardableResult
func recordNames(_ configuration: AddressConfiguration) -> Bool {
  var changed = NetworkState.write(NetworkState.leasedName, configuration.hostName)
  changed = NetworkState.write(NetworkState.leasedDomain, configuration.domain) || changed
  return recordNameServers(configuration.nameServers, domain: configuration.domain) || changed
}

/// Writes /etc/resolv.conf if there are name servers. Returns whether anything changed.
@discardableResult
func recordNameServers(_ servers: [IPv4Address], domain: [UInt8]? = nil) -> Bool {
  guard !servers.isEmpty else { return false }
  return NetworkState.write(NetworkState.resolver, resolverConfiguration(servers, domain: domain))
}

/// resolv.conf(5): the search domain, if it is one, and at most three servers, which is all that resolvers use.
private func resolverConfiguration(_ servers: [IPv4Address], domain: [UInt8]?) -> [UInt8] {
  var out: [UInt8] = []
  if let domain = domain.flatMap({ HostName.firstDomain(in: $0) }) {
    out += [UInt8]("search ") + domain + [UInt8]("\n")
  }
  for server in servers.prefix(3) {
    out += [UInt8]("nameserver ") + server.text + [UInt8]("\n")
  }
  return out
}
