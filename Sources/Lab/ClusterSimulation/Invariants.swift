import Addresses
import Bytes
import Membership
import NodeCore
import Tunnels

/// What must hold in a simulated cluster, and what went wrong, as sentences. It sees machines and nodes, and changes none.
struct Invariants {
  private(set) var faults: [String] = []
  private var kinds: [String: Int] = [:]
  /// How long a node that is there and can be reached may be called dead, in milliseconds.
  var mistakeBound: UInt64 = 10_000
  private var beliefs: [Beliefs] = []
  /// Associations without their peer's half, by their numbers, and since when.
  private var twinless: [UInt64: UInt64] = [:]

  /// What one node was told of others that are gone.
  private struct Beliefs {
    /// Who is called dead and is not, and since when.
    var mistakes: [MACAddress: UInt64] = [:]
    /// Who was called gone, and has an address that no live member has had since.
    var gone: [UInt32: Gone] = [:]
  }

  /// A member that died, left or was removed, as the node was told.
  private struct Gone {
    let mac: MACAddress
    let key: Fingerprint
    let at: UInt64
  }

  mutating func fault(_ sentence: String, at now: UInt64) {
    // A few of each kind: one that is always there hides none of another.
    let kind = sentence.filter { !$0.isNumber }
    let count = kinds[kind, default: 0]
    if count < 5 { faults.append("\(now) ms: \(sentence)") }
    kinds[kind] = count + 1
  }

  // MARK: What nodes are told

  /// A machine begins another life.
  mutating func begin(_ index: Int) {
    while beliefs.count <= index { beliefs.append(Beliefs()) }
    beliefs[index] = Beliefs()
  }

  mutating func note(_ news: NodeNews, by index: Int, _ machines: MachineTable, at now: UInt64) {
    guard let core = machines[index].core else { return }
    while beliefs.count <= index { beliefs.append(Beliefs()) }
    switch news {
    case .joined(let record):
      beliefs[index].gone[record.addresses.primary.bits] = nil
      beliefs[index].mistakes[record.mac] = nil
      if core.membership.isRemoved(record.mac, record.fingerprint) {
        fault("node \(index) let the removed node \(record.id) back in", at: now)
      }
    case .changed(let record): beliefs[index].gone[record.addresses.primary.bits] = nil
    case .died(let record):
      lose(record, by: index, machines, at: now)
      if let other = machines.index(of: record.mac), machines.areInTouch(index, other, at: now) {
        beliefs[index].mistakes[record.mac] = now
      }
    case .left(let record), .removed(let record):
      lose(record, by: index, machines, at: now)
      beliefs[index].mistakes[record.mac] = nil
    default: break
    }
  }

  private mutating func lose(_ record: NodeRecord, by index: Int, _ machines: MachineTable, at now: UInt64) {
    let address = record.addresses.primary
    // Of a member that was dead before it is known already, and another one may have the address.
    guard beliefs[index].gone[address.bits] == nil,
      machines[index].kernel.demands(address.bits, own: machines[index].own),
      machines[index].core?.membership.member(at: address) == nil
    else { return }
    beliefs[index].gone[address.bits] = Gone(mac: record.mac, key: record.fingerprint, at: now)
  }

  /// All can reach each other again. Who is called dead on the other side is called so by mistake from now on.
  mutating func heal(_ machines: MachineTable, at now: UInt64) {
    for index in machines.indices where index < beliefs.count {
      var mistakes = beliefs[index].mistakes.mapValues { _ in now }
      machines[index].core?.membership.forEach { record, state in if state == .dead { mistakes[record.mac] = now } }
      beliefs[index].mistakes = mistakes.filter { mac, _ in machines.index(of: mac).map { machines[$0].isOn } ?? false }
    }
  }

  /// Faults in who has been called dead for too long by mistake.
  mutating func checkMistakes(_ machines: MachineTable, at now: UInt64) {
    for index in machines.indices where machines[index].isOn && index < beliefs.count {
      for (mac, since) in beliefs[index].mistakes where now - since > mistakeBound {
        guard let other = machines.index(of: mac), machines.areInTouch(index, other, at: now) else { continue }
        // Few nodes call many dead ones in turn, and perhaps only one of these two knows where the other is.
        let turns = max(Invariants.turns(machines[index]), Invariants.turns(machines[other]))
        if now - since <= turns * 10_000 { continue }
        if machines[other].core?.membership.isRemoved(mac, machines[other].record.fingerprint) == true { continue }
        fault("node \(index) has called node \(other) dead for \(now - since) ms by mistake", at: now)
      }
    }
  }

  /// After how many of its turns the part of a cluster in which a node is has called all of its dead.
  private static func turns(_ machine: Machine) -> UInt64 {
    var (live, dead) = (0, 0)
    machine.core?.membership.forEach { _, state in
      live += state.isLive ? 1 : 0
      dead += state == .dead ? 1 : 0
    }
    return UInt64(1 + dead / max(1, live))
  }

  // MARK: Nothing in clear

  /// At no instant does the filter let packets to an address out of which nothing demands ESP.
  mutating func checkDemand(of peer: IPv4Address, by index: Int, _ machines: MachineTable, at now: UInt64) {
    guard machines[index].kernel.permitted.contains(peer.bits),
      !machines[index].kernel.demands(peer.bits, own: machines[index].own)
    else { return }
    fault("node \(index) lets packets to \(peer) out, and nothing demands ESP of them", at: now)
  }

  /// Nothing is released before its time, unless the member has shown that it is elsewhere: it may be there all the same.
  mutating func checkRelease(
    of peer: IPv4Address, by index: Int, keptFor time: UInt64, _ machines: MachineTable, at now: UInt64
  ) {
    guard index < beliefs.count, let gone = beliefs[index].gone[peer.bits], now - gone.at < time,
      peer != machines[index].own
    else { return }
    var isElsewhere = false
    machines[index].core?.membership.forEach { record, state in
      let address = record.addresses.primary
      if state.isLive, record.mac == gone.mac, record.fingerprint == gone.key, address != peer,
        machines[index].kernel.associations[address.bits] != nil
      {
        isElsewhere = true
      }
    }
    if !isElsewhere {
      fault(
        "node \(index) lets packets to \(peer) leave in clear \(now - gone.at) ms after its member was lost", at: now)
    }
  }

  // MARK: Associations

  /// No kernel has an association that its node forgot, and none stays for long without the peer's half.
  mutating func compareAssociations(_ machines: MachineTable, _ settings: TunnelSettings, at now: UInt64) {
    var found: [UInt64: UInt64] = [:]
    for index in machines.indices {
      guard let core = machines[index].core else { continue }
      let planned = core.peers.tunnels.associations
      for one in machines[index].kernel.associations.values.joined() {
        if machines[index].pausedUntil > now {
          found[one.order] = twinless[one.order]
          continue
        }
        if !planned.contains(one.value) { fault("node \(index) has an association that it has forgotten", at: now) }
        guard let other = holder(of: one, index, machines, at: now), !machines[other].kernel.hasTwin(of: one) else {
          continue
        }
        let since = twinless[one.order] ?? now
        found[one.order] = since
        if now - since > Invariants.bound(one.value.direction, settings) {
          fault(
            "node \(index) has kept an association for \(now - since) ms of which node \(other) has no half", at: now)
        }
      }
    }
    twinless = found
  }

  /// Who should have the other half. Whoever is away, or does not take this node for a member, cannot have it.
  private func holder(
    of one: Kernel.Association, _ index: Int, _ machines: MachineTable, at now: UInt64
  ) -> Int? {
    guard let other = machines.index(at: one.value.peer), one.own == machines[index].address.bits,
      machines.areInTouch(index, other, at: now),
      machines[other].core?.peers.isProtected(machines[index].address) == true
    else { return nil }
    return other
  }

  /// An outbound one without its twin sends into the void until its node hears of the failure, or notices the silence, or has
  /// nothing to send for `idle`; an inbound one waits for the end of `idle` and `linger`.
  private static func bound(_ direction: TunnelAssociation.Direction, _ settings: TunnelSettings) -> UInt64 {
    let outbound = settings.silence + settings.idle + settings.linger
    return direction == .outbound ? outbound : outbound + 50_000
  }
}
