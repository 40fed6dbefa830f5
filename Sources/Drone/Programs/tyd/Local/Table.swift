import Addresses
import Bytes
import ClusterView
import Membership
import NodeCore
import NodeStatus
import SecureChannel

extension NodeView {
  /// The cluster as this node sees it, for the views.
  var table: ClusterTable {
    var table = ClusterTable(
      own: core.membership.ownID, standing: standing, fingerprint: credential.authority.fingerprint.bytes,
      name: credential.authority.name)
    table.nodes.reserveCapacity(core.membership.liveCount)
    let own = core.membership.ownMAC
    core.membership.forEach { record, state in
      var node = ClusterTable.Node(
        id: record.id, address: record.addresses.primary, state: ClusterTable.State(state), cpus: record.cpus,
        speed: record.speed, load: UInt32(record.load), memoryTotal: record.memoryTotal, memoryFree: record.memoryFree,
        uptime: record.uptime)
      node.version = record.version
      node.isOwn = record.mac == own
      node.mayApprove = record.mayApprove
      table.nodes.append(node)
    }
    core.membership.forEachRemoved { id, _, address in
      table.nodes.append(ClusterTable.Node(id: id, address: address ?? .unspecified, state: .removed))
    }
    return table
  }
}

extension ClusterTable.State {
  init(_ state: NodeState) {
    switch state {
    case .alive: self = .alive
    case .suspect: self = .suspect
    case .dead: self = .dead
    case .left: self = .left
    }
  }
}
