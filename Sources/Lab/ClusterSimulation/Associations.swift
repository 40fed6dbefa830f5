import Addresses
import ControlChannel
import Membership
import NodeCore
import Tunnels

// What is promised of security associations, beside that no key and no SPI is used twice (`KeyLedger`).

extension ClusterSimulation {
  /// From now on, twice a second: no kernel has an association that its node forgot, and none stays for long without the
  /// peer's half.
  public mutating func watchAssociations() { nextComparison = now }

  /// An outbound one without its twin sends into the void until its node hears of the failure, or notices the silence, or has
  /// nothing to send for `idle`; an inbound one waits for the end of `idle` and `linger`.
  private func bound(_ direction: TunnelAssociation.Direction) -> UInt64 {
    let outbound = settings.silence + settings.idle + settings.linger
    return direction == .outbound ? outbound : outbound + 50_000
  }

  mutating func compareAssociations() {
    for index in machines.indices {
      guard let core = machines[index].core, machines[index].pausedUntil <= now else { continue }
      let planned = core.peers.tunnels.associations
      for (peer, found) in machines[index].kernel.associations {
        for (place, one) in found.enumerated() {
          if !planned.contains(one.value) { fault("node \(index) has an association that it has forgotten") }
          let since = twinless(one, index)
          machines[index].kernel.associations[peer]?[place].twinless = since
        }
      }
    }
  }

  private mutating func twinless(_ one: Kernel.Association, _ index: Int) -> UInt64? {
    // Whoever is away, or does not take this node for a member, cannot have it.
    guard let other = byAddress[one.value.peer.bits], one.own == machines[index].address.bits,
      isReachable(index, other),
      machines[other].core?.peers.isProtected(machines[index].address) == true,
      !machines[other].kernel.hasTwin(of: one)
    else { return nil }
    let since = one.twinless ?? now
    if now - since > bound(one.value.direction) {
      fault("node \(index) has kept an association for \(now - since) ms of which node \(other) has no half")
    }
    return since
  }

  // MARK: At rest

  /// Faults unless each two of these machines have one pair of associations with each other, with both halves, and each takes
  /// what the others send by it.
  public mutating func checkPairs(among members: [Int]) {
    // While keys are renewed, the former inbound association is there too.
    for _ in 0..<5 where !pairFaults(among: members).isEmpty { run(for: 6000) }
    for sentence in pairFaults(among: members) { fault(sentence) }
    let before = traffic
    for index in members { for other in members { talk(index, other) } }
    run(for: 1000)
    let sent = members.count * (members.count - 1)
    if traffic.arrived - before.arrived < sent || traffic.undecryptable > before.undecryptable
      || traffic.questions > before.questions
    {
      fault("of \(sent) packets at rest not all arrived")
    }
  }

  private func pairFaults(among members: [Int]) -> [String] {
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
  public mutating func checkSilence() {
    for index in machines.indices {
      guard let core = machines[index].core else { continue }
      for peer in machines[index].kernel.associations.keys {
        let other = byAddress[peer]
        let isNeighbour = core.membership.isNeighbour(IPv4Address(bits: peer))
        let isOurs = other.flatMap { machines[$0].core?.membership.isNeighbour(machines[index].address) } ?? false
        if !isNeighbour, !isOurs { fault("node \(index) has associations with node \(other ?? -1), and nobody talks") }
      }
    }
    for line in lines.values where now - line.since > Conversation.membersPatience {
      fault("a connection between nodes \(line.caller.machine) and \(line.callee.machine) is left")
    }
  }

  // MARK: Hazards

  /// Some association of a machine comes to its soft limit, or to its hard one and is gone.
  public mutating func expire(_ index: Int, isHard: Bool) {
    guard machines[index].core != nil, machines[index].pausedUntil <= now else { return }
    let all = machines[index].kernel.uses(own: machines[index].own)
    guard !all.isEmpty else { return }
    let association = all[Int(random.next() % UInt64(all.count))].association
    if isHard { machines[index].kernel.remove(association) }
    give(index) { $0.receiveExpiry(of: association.spi, peer: association.peer, isHard: isHard, at: $1) }
  }

  /// Some connection of the control channel is cut off.
  public mutating func cutLine() {
    let numbers = lines.keys.sorted()
    if !numbers.isEmpty { fail(numbers[Int(random.next() % UInt64(numbers.count))]) }
  }
}
