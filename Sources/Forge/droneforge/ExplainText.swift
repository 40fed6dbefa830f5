import Addresses
import Addressing
import BootLine

/// What a drone would do, to be read by a person: a line for each card, then the drone's settings, the words that are
/// left to the kernel, and the errors. No line break at the end.
func explanation(of line: BootLine) -> String {
  var sections = [section("Network", network(line)), section("Drone", table(settings(line)))]
  let rest = line.words.filter { !BootLine.understands($0.name) }.map { printable($0.text) }
  if !rest.isEmpty { sections.append(section("Left to the kernel", [rest.joined(separator: " ")])) }
  if !line.errors.isEmpty { sections.append(section("Errors", line.errors.map { text($0.sentence) })) }
  return sections.joined(separator: "\n\n")
}

private func section(_ title: String, _ lines: [String]) -> String {
  ([title] + lines.map { "  \($0)" }).joined(separator: "\n")
}

// MARK: Network

private func network(_ line: BootLine) -> [String] {
  let requests = line.interfaces.filter { $0.method != .off || $0.device != nil }
  let others = requests.contains { $0.device != nil } ? "other " : ""
  var lines = requests.map { sentence($0, others: others, bootInterface: line.bootInterface) }
  if requests.isEmpty { lines = ["No card is configured."] }
  lines += general(line.networkSettings)
  lines.append("The host name is \(hostName(line)).")
  return lines
}

private func general(_ settings: NetworkSettings) -> [String] {
  var lines: [String] = []
  if !settings.nameServers.isEmpty { lines.append("DNS \(list(settings.nameServers)) is asked first.") }
  if !settings.takesLeasedDNS { lines.append("DNS servers and the domain of a lease are not used.") }
  for route in settings.routes {
    let card = route.device.map { " on \(printable($0))" } ?? ""
    lines.append("A route leads to \(text(route.text))\(card).")
  }
  return lines
}

private func sentence(_ request: InterfaceRequest, others: String, bootInterface: MACAddress?) -> String {
  var details: [String] = []
  if let server = request.server { details.append("server \(text(server.text))") }
  if !request.nameServers.isEmpty { details.append("DNS \(list(request.nameServers))") }
  if !request.timeServers.isEmpty { details.append("NTP \(list(request.timeServers))") }
  if let mtu = request.mtu { details.append("MTU \(mtu)") }
  if let mac = request.mac { details.append("hardware address set to \(text(mac.text))") }
  if let client = request.clientIdentifier {
    details.append("client identifier \(printable(client.identifier)) of type \(client.type)")
  }
  let tail = details.isEmpty ? "" : "; " + details.joined(separator: ", ")
  return "\(subject(request, others, bootInterface)) \(predicate(request))\(tail)."
}

private func subject(_ request: InterfaceRequest, _ others: String, _ bootInterface: MACAddress?) -> String {
  if let device = request.device { return printable(device) }
  if let bootInterface { return "The card \(text(bootInterface.text)), which it was booted from," }
  return request.method == .static ? "The first \(others)card with link, eth0 first," : "Every \(others)card with link"
}

private func predicate(_ request: InterfaceRequest) -> String {
  switch request.method {
  case .off:
    return "is not configured"
  case .static:
    let address = request.address.map { text($0.text) } ?? "none"
    let mask = request.netmask.map { ", netmask \(text($0.address.text))" } ?? ""
    let gateway = request.gateway.map { ", gateway \(text($0.text))" } ?? ", no gateway"
    return "gets the static address \(address)\(mask)\(gateway)"
  case .dhcp, .bootp, .rarp, .any:
    var given: [String] = []
    if let mask = request.netmask { given.append("the netmask \(text(mask.address.text))") }
    if let gateway = request.gateway { given.append("the gateway \(text(gateway.text))") }
    let fixed = given.isEmpty ? "" : ", with " + given.joined(separator: " and ") + " whatever the server says"
    let first = request.protocols.texts.count > 1 || request.device == nil ? "; the first answer wins" : ""
    return "asks for its address by \(sequence(request.protocols.texts))\(fixed)\(first)"
  }
}

private func hostName(_ line: BootLine) -> String {
  if let name = line.hostName {
    return text(name) + (line.domain.map { ", its domain \(text($0))" } ?? "")
  }
  if let address = line.interfaces.lazy.compactMap(\.address).first {
    return "\(text(HostName(address: address).name)), made from the address"
  }
  if line.interfaces.allSatisfy({ $0.method == .off }) {
    return "chaos- and the address in hexadecimal, once it has one"
  }
  return "the one in the lease, else chaos- and the address in hexadecimal"
}

// MARK: Settings

private func settings(_ line: BootLine) -> [(name: String, meaning: String)] {
  var rows: [(name: String, meaning: String)] = []
  if let medium = line.medium {
    rows.append(("boot", "mounts \(text(medium.device)) (\(medium.filesystem.name)) read-only on /mnt/boot"))
  } else {
    rows.append(("boot", "mounts no medium"))
  }
  if line.eject { rows.append(("eject", "frees and ejects the medium")) }
  rows.append(
    ("filter", line.filter ? "closes the packet filter before the network comes up" : "leaves the packet filter open"))
  rows.append(("certaintyd", certaintyd(line.certaintyd)))
  if !line.watchdog { rows.append(("watchdog", "starts no watchdog: a drone that hangs does not restart")) }
  rows.append(("tyd", membership(line.tyd)))
  rows.append(("shell", line.shell ? "starts a shell on each console" : "starts no shell"))
  for console in line.consoles {
    let speed = console.speed.map { " at \($0) bits per second" } ?? ""
    rows.append(("console", "\(printable(console.device))\(speed)"))
  }
  if let keymap = line.keymap { rows.append(("keymap", "loads the keyboard map \(text(keymap))")) }
  if let host = line.syslog { rows.append(("syslog", "sends every message to \(text(host)), UDP 514")) }
  for target in line.netconsole {
    let card = target.card.map(text) ?? "eth0"
    rows.append(
      ("netconsole", "the kernel sends its messages by \(card) to \(text(target.host.text)), UDP \(target.port)"))
  }
  if line.debug { rows.append(("debug", "shows more of what it does")) }
  return rows
}

private func certaintyd(_ watch: DroneWords.RootWatch) -> String {
  switch watch {
  case .off: "does not watch the root"
  case .on: "watches the root and reboots when it changes"
  case .locked: "watches the root and reboots when it changes; nobody can switch it off"
  }
}

private func membership(_ membership: DroneWords.Membership) -> String {
  switch membership {
  case .off: "joins no cluster by itself"
  case .first: "starts a new cluster"
  case .firstServingNetboot: "starts a new cluster and serves netboot to other drones"
  case .joinAny: "joins the first cluster that answers on the LAN"
  case .join(let address): "joins the cluster of \(text(address.text))"
  }
}

/// Two columns, the first as wide as its widest entry.
private func table(_ rows: [(name: String, meaning: String)]) -> [String] {
  let width = rows.map(\.name.count).max() ?? 0
  return rows.map { row in
    row.name + String(repeating: " ", count: width - row.name.count + 2) + row.meaning
  }
}

// MARK: Text

extension AddressProtocols {
  /// In capitals, as protocols are written.
  var texts: [String] { names.map { "\($0)" } }
}

private func list(_ addresses: [IPv4Address]) -> String { sequence(addresses.map { text($0.text) }) }

/// `a`, `a and b`, `a, b and c`.
private func sequence(_ items: [String]) -> String {
  guard let last = items.last, items.count > 1 else { return items.first ?? "" }
  return items.dropLast().joined(separator: ", ") + " and " + last
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// For bytes that nothing has checked: what could move a terminal's cursor becomes a question mark.
private func printable(_ bytes: [UInt8]) -> String {
  text(bytes.map { $0 < 0x20 || $0 > 0x7E ? UInt8(ascii: "?") : $0 })
}
