import Addresses
import Bytes
import ClusterView
import ControlChannel
import Linux
import Membership
import NodeCore
import Reporting
import SecureChannel
import Tunnels
import TydCommand

extension Node {
  var standing: ClusterTable.Standing {
    guard let joining else { return membership.liveCount == 1 ? .alone : .in }
    return joining.hasAsked ? .pending : .joining
  }

  /// What the greeting of a shell says about this node.
  var nodeStanding: NodeStanding {
    guard let joining else { return .member(id: membership.own.id, nodes: UInt32(clamping: membership.liveCount)) }
    return joining.hasAsked ? .pending(key: credential.fingerprint.flatMap { hexadecimalByte($0) }) : .joining
  }

  func statusText(_ now: UInt64) -> [UInt8] {
    var out = [UInt8]("node     ") + idText(membership.own.id) + [UInt8](" ") + interface.address.text
    out += [UInt8](" (") + interface.name + [UInt8]("), ") + [UInt8](standing.word) + [UInt8]("\n")
    out += [UInt8]("cluster  ") + credential.authority.name + [UInt8](" ") + credential.authority.fingerprint.text
    out += [UInt8]("\nkey      ") + credential.certificate.fingerprint.text + [UInt8]("\n")
    if let obstacle = joining?.obstacle, !obstacle.isEmpty { out += [UInt8]("waits    ") + obstacle + [UInt8]("\n") }
    if !command.isEncrypted { out += [UInt8]("ipsec    OFF: everything goes in clear\n") }
    if admission.canCertify {
      out += [UInt8]("admits   ") + number(admission.pending.count) + [UInt8](" waiting")
      if let seconds = admission.windowSeconds(at: now) {
        out += [UInt8](", everybody for ") + number(seconds) + [UInt8](" s more")
      }
      out.append(UInt8(ascii: "\n"))
    }
    out += [UInt8]("tunnels  ") + number(tunnels.established) + [UInt8](" of ") + number(tunnels.completed)
    out += [UInt8](" made, ") + number(tunnels.failed) + [UInt8](" tries failed\n")
    out += bootsText(now) + [UInt8]("\n")
    out += [UInt8]("id      address          state    tunnel\n")
    membership.forEach { record, state in
      out += padded(idText(record.id), 8) + padded(record.addresses.primary.text, 17)
      out += padded([UInt8](ClusterTable.State(state).word), 9)
      let isOwn = record.mac == membership.own.mac
      // A live node may have the address of a dead one.
      let tunnel = isOwn ? [UInt8]("this node") : state.isLive && hasTunnel(record) ? [UInt8]("up") : [UInt8]("-")
      out += state.isLive && record.mayApprove ? padded(tunnel, 11) + [UInt8]("admits") : tunnel
      out.append(UInt8(ascii: "\n"))
    }
    membership.forEachRemoved { id, _, address in
      out += padded(idText(id), 8) + padded(address?.text ?? [UInt8]("-"), 17) + [UInt8]("removed  -\n")
    }
    return out
  }

  private func hasTunnel(_ record: NodeRecord) -> Bool {
    tunnels.pairs.contains { $0.peer.address == record.addresses.primary }
  }

  func padded(_ text: [UInt8], _ width: Int) -> [UInt8] {
    text + [UInt8](repeating: UInt8(ascii: " "), count: max(1, width - text.count))
  }

  func pendingText(_ now: UInt64) -> [UInt8] {
    if !admission.canCertify { return [UInt8]("This node does not hold the cluster's key and admits nobody.\n") }
    if admission.pending.isEmpty { return [UInt8]("Nobody is waiting.\n") }
    var out: [UInt8] = []
    for joiner in admission.pending {
      out += joiner.fingerprint.flatMap { hexadecimalByte($0) } + [UInt8]("  ") + padded(joiner.address.text, 17)
      out += number((now &- joiner.since) / 1000) + [UInt8](" s\n")
    }
    return out
  }

  /// One line, for programs.
  func statusJSON(_ now: UInt64) -> [UInt8] {
    var out = [UInt8]("{")
    func member(_ name: StaticString, _ value: [UInt8], quoted: Bool = true) {
      if out.last != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
      out += [UInt8]("\"") + [UInt8](name) + [UInt8]("\":")
      out += quoted ? [UInt8]("\"") + value + [UInt8]("\"") : value
    }
    member("node", idText(membership.own.id))
    member("address", interface.address.text)
    member("state", [UInt8](standing.word))
    if let obstacle = joining?.obstacle, !obstacle.isEmpty { member("waits", quotable(obstacle)) }
    member("cluster", credential.authority.fingerprint.bytes.flatMap { hexadecimalByte($0) })
    member("fingerprint", credential.fingerprint.flatMap { hexadecimalByte($0) })
    member("canApprove", [UInt8](admission.canCertify ? "true" : "false"), quoted: false)
    member("encrypted", [UInt8](command.isEncrypted ? "true" : "false"), quoted: false)
    var nodes: [[UInt8]] = []
    membership.forEach { record, state in
      nodes.append(
        [UInt8]("{\"id\":\"") + idText(record.id) + [UInt8]("\",\"address\":\"") + record.addresses.primary.text
          + [UInt8]("\",\"state\":\"") + [UInt8](ClusterTable.State(state).word) + [UInt8]("\",\"fingerprint\":\"")
          + record.fingerprint.bytes.flatMap { hexadecimalByte($0) } + [UInt8]("\",\"canApprove\":")
          + [UInt8](record.mayApprove ? "true}" : "false}"))
    }
    membership.forEachRemoved { id, fingerprint, address in
      nodes.append(
        [UInt8]("{\"id\":\"") + idText(id) + [UInt8]("\",\"address\":\"") + (address?.text ?? [])
          + [UInt8]("\",\"state\":\"removed\",\"fingerprint\":\"")
          + fingerprint.bytes.flatMap { hexadecimalByte($0) } + [UInt8]("\",\"canApprove\":false}"))
    }
    member("nodes", list(nodes), quoted: false)
    let pairs = tunnels.pairs.map { pair in
      [UInt8]("{\"address\":\"") + pair.peer.address.text + [UInt8]("\",\"spiIn\":\"") + spiText(pair.inbound)
        + [UInt8]("\",\"spiOut\":\"") + spiText(pair.outbound ?? 0) + [UInt8]("\",\"rekeys\":")
        + number(pair.renewals) + [UInt8]("}")
    }
    member("tunnels", list(pairs), quoted: false)
    var counted: [UInt8] = []
    for counter in core.refusals.all {
      counted += counted.isEmpty ? [UInt8]("{\"") : [UInt8](",\"")
      counted += [UInt8](counter.name) + [UInt8]("\":") + number(counter.count)
    }
    member("refused", counted + [UInt8]("}"), quoted: false)
    if let esp = transforms?.refusedPackets() {
      member(
        "refusedPackets",
        [UInt8]("{\"late\":") + number(esp.late) + [UInt8](",\"replayed\":") + number(esp.replayed)
          + [UInt8](",\"unproven\":") + number(esp.unproven) + [UInt8]("}"), quoted: false)
    }
    if boots != nil { member("boots", list(bootsJSON), quoted: false) }
    return out + [UInt8]("}\n")
  }

  /// Part of it may be another node's word.
  private func quotable(_ text: [UInt8]) -> [UInt8] {
    text.map { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") ? UInt8(ascii: "'") : printable($0) }
  }

  private func list(_ items: [[UInt8]]) -> [UInt8] {
    var out = [UInt8]("[")
    for item in items {
      if out.count > 1 { out.append(UInt8(ascii: ",")) }
      out += item
    }
    return out + [UInt8]("]")
  }

  private func spiText(_ spi: UInt32) -> [UInt8] {
    [UInt8]("0x") + [24, 16, 8, 0].flatMap { hexadecimalByte(UInt8(truncatingIfNeeded: spi >> $0)) }
  }
}
