import Addresses
import ControlChannel
import Membership
import NodeCore
import Tunnels

// What must hold once everything had time to settle.

extension Invariants {
  /// Faults in what the nodes believe, and in what their kernels hold.
  /// - Parameters:
  ///   - limit: pairs of associations that a node may have.
  ///   - isLossy: a node may be suspected at any time.
  mutating func checkSettled(limit: Int, isLossy: Bool, _ machines: MachineTable, at now: UInt64) {
    let records = machines.map { $0.isOn ? $0.core?.membership.own : nil }
    for index in machines.indices where machines[index].isOn {
      checkView(of: index, isLossy: isLossy, records, machines, at: now)
    }
    for index in machines.indices {
      let count = machines[index].core?.peers.tunnels.established ?? 0
      if count > limit { fault("node \(index) has \(count) pairs of security associations", at: now) }
    }
    for index in machines.indices where machines[index].isOn { checkKernel(of: index, machines, at: now) }
    checkMistakes(machines, at: now)
  }

  /// - Parameter records: what those that are on say of themselves.
  private mutating func checkView(
    of index: Int, isLossy: Bool, _ records: [NodeRecord?], _ machines: MachineTable, at now: UInt64
  ) {
    guard let membership = machines[index].core?.membership else { return }
    var seen = Set<Int>()
    var ids = Set<NodeID>()
    var notes: [String] = []
    membership.forEach { record, state in
      guard state.isLive else { return }
      if !ids.insert(record.id).inserted { notes.append("sees the id \(record.id) twice") }
      guard let other = machines.index(of: record.mac) else { return }
      seen.insert(other)
      guard let own = records[other], machines.areJoined(index, other) else {
        notes.append("still sees node \(other)")
        return
      }
      if own.id != record.id || own.addresses != record.addresses || own.fingerprint != record.fingerprint {
        notes.append("has an old record of node \(other)")
      }
      if state == .suspect, !isLossy { notes.append("suspects node \(other)") }
    }
    for other in machines.indices
    where records[other] != nil && machines.areJoined(index, other) && !seen.contains(other) {
      notes.append("does not see node \(other)")
    }
    for note in notes { fault("node \(index) \(note)", at: now) }
  }

  /// The kernel lets packets to live members and to kept addresses pass and to nobody else, and demands ESP of them and of nobody
  /// else: whoever was removed, left or died reaches nobody, and nothing of it stays but that demand, for its time.
  private mutating func checkKernel(of index: Int, _ machines: MachineTable, at now: UInt64) {
    guard let core = machines[index].core, core.isIn else { return }
    let own = machines[index].own
    var live: Set<UInt32> = []
    core.membership.forEach { record, state in
      if state.isLive, record.mac != machines[index].mac { live.insert(record.addresses.primary.bits) }
    }
    let kernel = machines[index].kernel
    let expected = live.union(core.peers.kept.compactMap { $0.isDemanded ? $0.address.ipv4?.bits : nil })
    for one in core.peers.kept where one.until <= now {
      fault("node \(index) keeps \(one.address) for too long", at: now)
    }
    if kernel.permitted != expected {
      let (more, less) = (kernel.permitted.subtracting(expected).count, expected.subtracting(kernel.permitted).count)
      fault(
        "node \(index) lets packets to \(more) addresses pass that are no members', and to \(less) members none",
        at: now)
    }
    let demanded = kernel.demanded(own: own)
    if demanded != expected || kernel.policies.count != expected.count {
      fault(
        "node \(index) demands ESP of \(kernel.policies.count) addresses, and \(expected.count) are members' or kept",
        at: now)
    }
    let planned = core.peers.tunnels.associations
    for (peer, associations) in kernel.associations {
      if !live.contains(peer) { fault("node \(index) has associations with one that is no member", at: now) }
      for one in associations where !planned.contains(one.value) {
        fault("node \(index) has an association that it has forgotten", at: now)
      }
    }
  }

  /// What is wrong with the associations between each two of these machines: they have one pair with each other, with both halves.
  static func pairFaults(among members: [Int], _ machines: MachineTable) -> [String] {
    var faults: [String] = []
    for index in members {
      for other in members where other != index {
        let found = machines[index].kernel.associations[machines[other].address.bits] ?? []
        let outbound = found.filter { $0.value.direction == .outbound }.count
        let inbound = found.count - outbound
        if outbound != 1 || inbound != 1 {
          faults.append("node \(index) has \(outbound) associations to node \(other) and \(inbound) from it")
        }
        for one in found where !machines[other].kernel.hasTwin(of: one) {
          faults.append("node \(index) has an association of which node \(other) has no half")
        }
      }
    }
    return faults
  }

  /// Faults unless all that is left are associations between neighbours, who keep them busy, and connections that are under way.
  mutating func checkSilence(_ machines: MachineTable, lines: [Line], at now: UInt64) {
    for index in machines.indices {
      guard let core = machines[index].core else { continue }
      for peer in machines[index].kernel.associations.keys {
        let other = machines.index(at: IPv4Address(bits: peer))
        let isNeighbour = core.membership.isNeighbour(IPv4Address(bits: peer))
        let isOurs = other.flatMap { machines[$0].core?.membership.isNeighbour(machines[index].address) } ?? false
        if !isNeighbour, !isOurs {
          fault("node \(index) has associations with node \(other ?? -1), and nobody talks", at: now)
        }
      }
    }
    for line in lines where now - line.since > Conversation.membersPatience {
      fault("a connection between nodes \(line.caller.machine) and \(line.callee.machine) is left", at: now)
    }
  }
}
