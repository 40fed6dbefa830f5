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

  // MARK: At rest

  /// Faults unless each two of these machines have one pair of associations with each other, with both halves, and each takes
  /// what the others send by it.
  public mutating func checkPairs(among members: [Int]) {
    // While keys are renewed, the former inbound association is there too.
    for _ in 0..<5 where !Invariants.pairFaults(among: members, machines).isEmpty { run(for: 6000) }
    for sentence in Invariants.pairFaults(among: members, machines) { fault(sentence) }
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

  /// Faults unless all that is left are associations between neighbours, who keep them busy, and connections that are under way.
  public mutating func checkSilence() {
    invariants.checkSilence(machines, lines: Array(lines.all.values), at: now)
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
    let numbers = lines.all.keys.sorted()
    if !numbers.isEmpty { fail(numbers[Int(random.next() % UInt64(numbers.count))]) }
  }
}
