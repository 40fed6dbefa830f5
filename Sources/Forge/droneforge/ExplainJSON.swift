import Addresses
import BootLine
import Bytes

/// What a drone would do, for programs. `words` holds every word but `ip=` and its alias, with null for a word without
/// a value; of several with one name the last counts, except that several `console`, `nameserver` and `rd.route` make a
/// list, since all of them count. An interface shows `protocols`, `mtu`, `mac` and `clientIdentifier` only when its word says something about
/// them.
func explanationAsJSON(of line: BootLine) -> JSON {
  .object([
    ("interfaces", .array(line.interfaces.map(json))),
    ("words", words(line)),
    ("errors", .array(line.errors.map { .string(text($0.sentence)) })),
  ])
}

private func json(_ request: InterfaceRequest) -> JSON {
  var members: [(String, JSON)] = [
    ("device", json(request.device)),
    ("method", .string("\(request.method.name)")),
    ("address", json(request.address)),
    ("netmask", json(request.netmask?.address)),
    ("gateway", json(request.gateway)),
    ("server", json(request.server)),
    ("hostname", json(request.hostName)),
    ("domain", json(request.domain)),
    ("dns", .array(request.nameServers.map { json($0) })),
    ("ntp", .array(request.timeServers.map { json($0) })),
  ]
  if request.method == .any, request.protocols != InterfaceRequest(method: .any).protocols {
    members.append(("protocols", .array(request.protocols.texts.map { .string($0.lowercased()) })))
  }
  if let mtu = request.mtu { members.append(("mtu", .number(Int(mtu)))) }
  if let mac = request.mac { members.append(("mac", .string(text(mac.text)))) }
  if let client = request.clientIdentifier {
    members.append(
      (
        "clientIdentifier",
        .object([("type", .number(Int(client.type))), ("identifier", json(client.identifier))])
      ))
  }
  return .object(members)
}

private func words(_ line: BootLine) -> JSON {
  var members: [(String, JSON)] = []
  for word in line.words where !word.name.spells("ip") && !word.name.spells("nfsaddrs") {
    let name = text(word.name)
    let value = json(word.value)
    guard let index = members.firstIndex(where: { $0.0 == name }) else {
      members.append((name, value))
      continue
    }
    if !["console", "nameserver", "rd.route"].contains(name) {
      members[index].1 = value
    } else if case .array(let earlier) = members[index].1 {
      members[index].1 = .array(earlier + [value])
    } else {
      members[index].1 = .array([members[index].1, value])
    }
  }
  return .object(members)
}

private func json(_ bytes: [UInt8]?) -> JSON { bytes.map { .string(text($0)) } ?? .null }
private func json(_ address: IPv4Address?) -> JSON { json(address?.text) }
