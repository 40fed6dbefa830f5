import Addresses
import BootServer
import Bytes
import ClusterView
import ControlChannel
import Linux
import LocalOrders
import Membership
import MemoryBudget
import NodeCore
import NodeStatus
import Reporting
import SecureChannel
import Tunnels
import TydCommand

/// What people and programs are told of a node and its cluster.
struct NodeView {
  let core: NodeCore
  let credential: Credential
  let interface: ClusterInterface
  let isEncrypted: Bool
  let kernel: Kernel
  let boots: BootHost?

  func text(of view: OrderCall.View, _ now: UInt64) -> [UInt8] {
    switch view {
    case .status(let json): json ? status(now).json : statusText(now)
    case .table: table.text
    case .standing: nodeStanding.text
    case .pending: pendingText(now)
    }
  }

  var standing: ClusterTable.Standing {
    guard let joining = core.joining else { return core.membership.liveCount == 1 ? .alone : .in }
    return joining.hasAsked ? .pending : .joining
  }

  /// What the greeting of a shell says about this node.
  private var nodeStanding: NodeStanding {
    guard let joining = core.joining else {
      return .member(id: core.membership.ownID, nodes: UInt32(clamping: core.membership.liveCount))
    }
    return joining.hasAsked ? .pending(key: hexadecimalText(credential.fingerprint)) : .joining
  }

  private func statusText(_ now: UInt64) -> [UInt8] {
    var out = [UInt8]("node     ") + idText(core.membership.ownID) + [UInt8](" ") + interface.address.text
    out += [UInt8](" (") + interface.name + [UInt8]("), ") + [UInt8](standing.word) + [UInt8]("\n")
    out += [UInt8]("cluster  \(credential.authority.name) \(credential.authority.fingerprint.text)")
    out += [UInt8]("\nkey      \(credential.certificate.fingerprint.text)\n")
    if let obstacle = core.joining?.obstacle, !obstacle.isEmpty {
      out += [UInt8]("waits    \(obstacle)\n")
    }
    if !isEncrypted { out += [UInt8]("ipsec    OFF: everything goes in clear\n") }
    if core.admission.canCertify {
      out += [UInt8]("admits   \(core.admission.pending.count) waiting")
      if let seconds = core.admission.windowSeconds(at: now) {
        out += [UInt8](", everybody for \(seconds) s more")
      }
      out.append(UInt8(ascii: "\n"))
    }
    out +=
      [UInt8]("tunnels  \(core.peers.tunnels.established) of \(core.peers.tunnels.completed)")
    out += [UInt8](" made, \(core.peers.tunnels.failed) tries failed\n")
    for text in shortages { out += [UInt8]("short    ") + text + [UInt8]("\n") }
    out += keptText(now) + bootsText(now) + [UInt8]("\n")
    out += [UInt8]("id      address          state    tunnel\n")
    core.membership.forEach { record, state in
      out += padded(idText(record.id), 8) + padded(record.addresses.primary.text, 17)
      out += padded([UInt8](ClusterTable.State(state).word), 9)
      let isOwn = record.mac == core.membership.ownMAC
      // A live node may have the address of a dead one.
      let tunnel = isOwn ? [UInt8]("this node") : state.isLive && hasTunnel(record) ? [UInt8]("up") : [UInt8]("-")
      out += state.isLive && record.mayApprove ? padded(tunnel, 11) + [UInt8]("admits") : tunnel
      out.append(UInt8(ascii: "\n"))
    }
    core.membership.forEachRemoved { id, _, address in
      out += padded(idText(id), 8) + padded(address?.text ?? [UInt8]("-"), 17) + [UInt8]("removed  -\n")
    }
    return out
  }

  /// Of a drone's memory, in which everything lives. Of a full Linux others tell.
  private var shortages: [[UInt8]] {
    guard case .drone = kernel.machine else { return [] }
    return ShortageWatch.shortages(lookForShortages())
  }

  /// Addresses of former members to which nothing goes in clear; those that are cut off go with them.
  private func kept(_ now: UInt64) -> [NodeStatus.KeptAddress] {
    core.peers.kept.compactMap { one in
      guard one.isDemanded, let address = one.address.ipv4 else { return nil }
      return NodeStatus.KeptAddress(address: address, seconds: (max(one.until, now) &- now) / 1000)
    }
  }

  private func keptText(_ now: UInt64) -> [UInt8] {
    let kept = kept(now)
    var out: [UInt8] = []
    for one in kept.prefix(20) {
      out += [UInt8]("kept     ") + one.address.text + [UInt8](" for ") + decimalText(one.seconds)
      out += [UInt8](" s more, nothing goes there in clear; tyd --release ") + one.address.text
      out += [UInt8](" ends that\n")
    }
    if kept.count > 20 { out += [UInt8]("kept     and ") + decimalText(kept.count - 20) + [UInt8](" more\n") }
    return out
  }

  private func hasTunnel(_ record: NodeRecord) -> Bool {
    core.peers.tunnels.pairs.contains { $0.peer.address == record.addresses.primary }
  }

  private func padded(_ text: [UInt8], _ width: Int) -> [UInt8] {
    text + [UInt8](repeating: UInt8(ascii: " "), count: max(1, width - text.count))
  }

  private func pendingText(_ now: UInt64) -> [UInt8] {
    if !core.admission.canCertify { return [UInt8]("This node does not hold the cluster's key and admits nobody.\n") }
    if core.admission.pending.isEmpty { return [UInt8]("Nobody is waiting.\n") }
    var out: [UInt8] = []
    for joiner in core.admission.pending {
      out += hexadecimalText(joiner.fingerprint) + [UInt8]("  ") + padded(joiner.address.text, 17)
      out += [UInt8]("\((now &- joiner.since) / 1000) s\n")
    }
    return out
  }

  /// Nothing on a node that boots nobody.
  private func bootsText(_ now: UInt64) -> [UInt8] {
    guard let boots else { return [] }
    var out = [UInt8]("boots    ") + decimalText(boots.table.completed) + [UInt8](" sent whole, ")
    if !boots.isReady {
      out += [UInt8]("not serving now")
    } else if let server = boots.role.server {
      out += [UInt8]("beside the DHCP server ") + server.text
    } else {
      out += [UInt8]("from ") + boots.network.first.text + [UInt8](" to ") + boots.network.last.text
    }
    out += [UInt8]("\nfiles    ") + boots.filesText + [UInt8]("\n")
    for boot in boots.table.boots {
      out += [UInt8]("         ") + boot.hardware.text + [UInt8]("  ") + padded(boot.address.text, 17)
      if boot.file.isEmpty {
        out += [UInt8]("has its address")
      } else {
        out += boot.file + [UInt8](" ") + decimalText(boot.percent) + [UInt8](" %")
        if boot.isBroken { out += [UInt8](", stopped") }
      }
      out += [UInt8](", \((now &- boot.heard) / 1000) s ago\n")
    }
    return out
  }

  /// What a program is told.
  private func status(_ now: UInt64) -> NodeStatus {
    var status = NodeStatus(id: core.membership.ownID, address: interface.address, standing: standing)
    status.obstacle = core.joining?.obstacle ?? []
    status.cluster = credential.authority.fingerprint.bytes
    status.fingerprint = credential.fingerprint
    status.mayApprove = core.admission.canCertify
    status.isEncrypted = isEncrypted
    core.membership.forEach { record, state in
      status.nodes.append(
        .init(
          id: record.id, address: record.addresses.primary, state: NodeStatus.State(state),
          fingerprint: record.fingerprint.bytes, mayApprove: record.mayApprove))
    }
    core.membership.forEachRemoved { id, fingerprint, address in
      status.nodes.append(
        .init(id: id, address: address ?? .unspecified, state: .removed, fingerprint: fingerprint.bytes))
    }
    status.tunnels = core.peers.tunnels.pairs.map { pair in
      NodeStatus.Tunnel(
        address: pair.peer.address, inboundSPI: pair.inbound, outboundSPI: pair.outbound ?? 0,
        rekeys: UInt64(clamping: pair.renewals))
    }
    status.refused = core.refusals.all.map { .init(name: [UInt8]($0.name), count: UInt64($0.count)) }
    if let esp = kernel.refusedPackets() {
      status.refusedPackets = .init(late: esp.late, replayed: esp.replayed, unproven: esp.unproven)
    }
    status.deaths = core.membership.counters.deaths
    status.shortages = shortages
    status.kept = kept(now)
    status.besideServer = boots?.role.server
    status.boots = boots.map { $0.table.boots.map { NodeStatus.Boot($0) } }
    return status
  }
}

extension NodeStatus.Boot {
  fileprivate init(_ boot: BootTable.Boot) {
    self.init(
      hardware: boot.hardware, address: boot.address, file: boot.file, percent: UInt64(clamping: boot.percent),
      completed: UInt64(clamping: boot.completed))
  }
}
