import Addresses
import BootLine

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension BootLine {
  init(_ line: String) { self.init(Array(line.utf8)) }

  /// One string for each interface, errors left out.
  var network: [String] { interfaces.map(summary) }

  var sentences: [String] { errors.map { text($0.sentence) } }
}

/// An interface in a form that a table of cases can hold: the card (`*` for none named), the method, then only what is
/// set.
func summary(_ request: InterfaceRequest) -> String {
  var parts = [request.device.map(text) ?? "*", "\(request.method.name)"]
  if request.method == .any, request.protocols == [.bootp, .rarp] { parts[1] = "any(bootp,rarp)" }
  if let address = request.address { parts.append(text(address.text)) }
  if let mask = request.netmask { parts.append("/\(mask.prefixLength)") }
  if let gateway = request.gateway { parts.append("gw=\(text(gateway.text))") }
  if let server = request.server { parts.append("server=\(text(server.text))") }
  if let name = request.hostName { parts.append("name=\(text(name))") }
  if let domain = request.domain { parts.append("domain=\(text(domain))") }
  for server in request.nameServers { parts.append("dns=\(text(server.text))") }
  for server in request.timeServers { parts.append("ntp=\(text(server.text))") }
  if let mtu = request.mtu { parts.append("mtu=\(mtu)") }
  if let mac = request.mac { parts.append("mac=\(text(mac.text))") }
  if let client = request.clientIdentifier { parts.append("id=\(client.type),\(text(client.identifier))") }
  return parts.joined(separator: " ")
}
