import Addresses
import Bytes

/// A ping whose answer matters.
struct Probe {
  let slot: MemberTable.Slot
  let number: UInt16
  var deadline: UInt64
  /// Whether it is this node that has to watch the target: one next to it on the ring, or beyond those that do not answer.
  let isWatch: Bool
  /// How often it was sent.
  var attempts = 1
  /// Whether others were asked to help, and whether one of them has heard it.
  var isIndirect = false
  var isRelayed = false
}

/// A ping sent for another node.
struct Relay {
  let target: MemberTable.Slot
  let number: UInt16
  let asker: MemberTable.Slot
  let askerNumber: UInt16
  let deadline: UInt64
}

/// Something that happens to a node unless it speaks up.
struct Suspicion {
  let slot: MemberTable.Slot
  var deadline: UInt64
}

extension Membership {
  /// More are not held; a probe that finds no place is made next time.
  static let probeCapacity = 32

  var patience: UInt64 { 1 &+ doubt }

  // MARK: Pinging

  /// Pings the next on the ring of ids, and the previous one if it has not done so. Beyond suspects, the next one counts.
  mutating func watchRing() {
    for distance in 1...4 {
      guard let slot = table.neighbour(of: MemberTable.own, on: 0, distance: distance) else { break }
      guard table[slot].state == .suspect else {
        startProbe(slot, isWatch: true)
        break
      }
      ping(slot, digest: false)
    }
    for distance in 1...4 {
      guard let slot = table.neighbour(of: MemberTable.own, on: 0, distance: -distance),
        let index = neighbour(slot)
      else { break }
      guard table[slot].state == .suspect else {
        if now >= silenceEnd(neighbours[index]) { startProbe(slot, isWatch: true) }
        break
      }
      ping(slot, digest: false)
    }
  }

  /// When a neighbour that should ping has been silent for too long.
  private func silenceEnd(_ neighbour: Neighbour) -> UInt64 { (neighbour.heard ?? neighbour.since) &+ Timing.silence }

  /// When the previous one on the ring of ids has been silent for too long; nil while that is being looked into.
  var predecessorDue: UInt64? {
    guard let slot = table.neighbour(of: MemberTable.own, on: 0, distance: -1), table[slot].state == .alive,
      let index = neighbour(slot), !probes.contains(where: { $0.slot == slot }),
      probes.count < Membership.probeCapacity
    else { return nil }
    return silenceEnd(neighbours[index])
  }

  /// Probes the node behind one that does not answer, on its side of the ring.
  private mutating func watchBeyond(_ slot: MemberTable.Slot) {
    for distance in [1, 2, 3, -1, -2, -3] {
      guard table.neighbour(of: MemberTable.own, on: 0, distance: distance) == slot else { continue }
      let beyond = table.neighbour(of: MemberTable.own, on: 0, distance: distance > 0 ? distance + 1 : distance - 1)
      if let beyond, table[beyond].state == .alive { startProbe(beyond, isWatch: true) }
      return
    }
  }

  /// Pings one of the other neighbours that are this node's to ping, in turn.
  mutating func pingFar() {
    for _ in neighbours.indices {
      farTurn = farTurn + 1 < neighbours.count ? farTurn + 1 : 0
      guard farTurn < neighbours.count, neighbours[farTurn].isPinged else { continue }
      startProbe(neighbours[farTurn].slot, isWatch: false)
      return
    }
  }

  private mutating func startProbe(_ slot: MemberTable.Slot, isWatch: Bool) {
    if probes.contains(where: { $0.slot == slot }) || probes.count >= Membership.probeCapacity { return }
    let number = ping(slot, digest: !isWatch)
    guard table[slot].state == .alive else { return }
    probes.append(Probe(slot: slot, number: number, deadline: now &+ Timing.direct &* patience, isWatch: isWatch))
  }

  @discardableResult
  mutating func ping(_ slot: MemberTable.Slot, digest: Bool) -> UInt16 {
    let number = nextNumber()
    var out = start(.ping(digest: digest ? table.digest ^ UInt64(removals.digest) : nil), number: number)
    // Lifeguard's buddy system: the suspect is the first to learn of it.
    if table[slot].state != .alive { out.append(table[slot].status) }
    complete(&out, for: slot)
    send(out, to: slot)
    return number
  }

  // MARK: Missing answers

  mutating func advanceProbes() {
    var index = 0
    while index < probes.count {
      guard probes[index].deadline <= now else {
        index += 1
        continue
      }
      let probe = probes[index]
      if probe.isIndirect {
        probes.remove(at: index)
        fail(probe)
        continue
      }
      // Perhaps it was only this one datagram that got lost.
      send(start(.ping(digest: nil), number: probe.number), to: probe.slot)
      probes[index].attempts += 1
      if probe.isWatch || probe.attempts >= Timing.farAttempts {
        probes[index].isIndirect = true
        probes[index].deadline = now &+ (probe.isWatch ? Timing.indirect : Timing.indirectFar) &* patience
        askForHelp(probe)
        // Perhaps the next one died with it.
        if probe.isWatch { watchBeyond(probe.slot) }
      } else {
        probes[index].deadline = now &+ Timing.direct &* patience
      }
      index += 1
    }
    relays.removeAll { $0.deadline <= now }
  }

  private mutating func askForHelp(_ probe: Probe) {
    let mac = table[probe.slot].record.mac
    for relay in helpers(for: probe.slot) {
      send(start(.pingRequest(mac), number: probe.number), to: relay)
    }
  }

  /// Up to three members that have a tunnel to the target: first those to which this node has one too.
  private mutating func helpers(for target: MemberTable.Slot) -> [MemberTable.Slot] {
    var near: [MemberTable.Slot] = []
    var far: [MemberTable.Slot] = []
    for distance in [-1, 1, -2, 2, -3, 3, -4, 4] {
      guard let slot = table.neighbour(of: target, on: 0, distance: distance), slot != MemberTable.own,
        table[slot].state == .alive, !near.contains(slot), !far.contains(slot)
      else { continue }
      if neighbour(slot) != nil { near.append(slot) } else { far.append(slot) }
    }
    // Not the same ones every time: they may share the fault.
    if near.count > 3 {
      let first = random.next(below: near.count)
      near = Array(near[first...] + near[..<first])
    }
    return Array((near + far).prefix(3))
  }

  private mutating func fail(_ probe: Probe) {
    guard table.isUsed(probe.slot), table[probe.slot].state == .alive else { return }
    if !probe.isRelayed, table.liveCount > 2 { doubt = min(2, doubt &+ 1) }
    if let index = neighbour(probe.slot), neighbours[index].heard == nil,
      now < neighbours[index].since &+ Timing.grace
    {
      return
    }
    suspect(probe.slot)
    // The next one on the ring is this node's to watch now.
    if probe.isWatch { watchRing() }
  }

  private mutating func suspect(_ slot: MemberTable.Slot) {
    transition(slot, to: .suspect, incarnation: table[slot].record.incarnation, Provenance(spreads: true))
  }

  mutating func advanceSuspicions() {
    while let slot = suspicions.removeFirst(dueAt: now) {
      transition(slot, to: .dead, incarnation: table[slot].record.incarnation, Provenance(spreads: true))
    }
  }

  // MARK: Answers

  /// Something came from a member: it is there.
  mutating func heard(_ slot: MemberTable.Slot) {
    if let index = neighbour(slot) { neighbours[index].heard = now }
    if let index = probes.firstIndex(where: { $0.slot == slot }) {
      probes.remove(at: index)
      if doubt > 0 { doubt &-= 1 }
    }
  }

  mutating func answer(_ number: UInt16, to slot: MemberTable.Slot) {
    var out = start(.ack, number: number)
    if table[slot].state != .alive { out.append(table[slot].status) }
    complete(&out, for: slot)
    send(out, to: slot)
  }

  mutating func relay(_ target: MACAddress, number askerNumber: UInt16, for asker: MemberTable.Slot) {
    guard let slot = table.slot(target), slot != MemberTable.own, table[slot].state.isLive,
      relays.count < Membership.probeCapacity
    else { return }
    let number = nextNumber()
    relays.append(
      Relay(
        target: slot, number: number, asker: asker, askerNumber: askerNumber,
        deadline: now &+ Timing.indirectFar &* 2))
    send(start(.ping(digest: nil), number: number), to: slot)
    send(start(.pinging, number: askerNumber), to: asker)
  }

  /// Tells the nodes that asked for a ping of `slot` that it is alive.
  mutating func report(_ number: UInt16, from slot: MemberTable.Slot) {
    guard let index = relays.firstIndex(where: { $0.target == slot && $0.number == number }) else { return }
    let relay = relays.remove(at: index)
    guard table.isUsed(relay.asker) else { return }
    send(start(.indirectAck(table[slot].record.mac), number: relay.askerNumber), to: relay.asker)
  }

  // MARK: The dead

  /// After a partition somebody has to begin: now and then one dead node is tried again.
  mutating func retryDead() {
    nextRetry = now &+ Timing.retry
    guard random.next(below: table.liveCount) < Timing.retriers else { return }
    var seen = 0
    var chosen: MemberTable.Slot?
    for slot in table.slots(from: 1) where table[slot].state == .dead {
      seen += 1
      if random.next(below: seen) == 0 { chosen = slot }
    }
    if let chosen { reconnect(chosen) }
  }

  /// Not where somebody lives by now, this node perhaps: there is nobody to be met again.
  private mutating func reconnect(_ slot: MemberTable.Slot) {
    let record = record(slot)
    guard member(at: record.addresses.primary) == nil else { return }
    commands.append(.reconnect(record))
  }

  /// A node called dead by mistake learns of it soon: those next to it try once.
  mutating func reconnectSoon(_ slot: MemberTable.Slot) {
    guard let index = neighbour(slot), neighbours[index].isNear, reconnections.count < Membership.probeCapacity else {
      return
    }
    reconnections.append(Suspicion(slot: slot, deadline: now &+ 500 &+ random.next(below: 2000 as UInt64)))
  }

  mutating func advanceReconnections() {
    while let slot = reconnections.removeFirst(dueAt: now) {
      if table.isUsed(slot), table[slot].state == .dead { reconnect(slot) }
    }
  }

  mutating func sweep() {
    for slot in table.slots(from: 1) {
      let member = table[slot]
      let memory = member.state == .left ? Timing.leftMemory : Timing.deadMemory
      if !member.state.isLive, now > member.since, now - member.since > memory { forget(slot) }
    }
  }

  mutating func forget(_ slot: MemberTable.Slot) {
    if let index = neighbour(slot) {
      // The others keep their places, to which debts refer, until the list is chosen anew.
      neighbours[index] = Neighbour(slot: .max, isNear: false, isPinged: false, since: now, heard: nil)
    }
    suspicions.removeAll { $0.slot == slot }
    reconnections.removeAll { $0.slot == slot }
    probes.removeAll { $0.slot == slot }
    relays.removeAll { $0.target == slot || $0.asker == slot }
    pending.removeAll { $0 == slot }
    vitalsQueue.removeAll { $0 == slot }
    table.forget(slot)
  }
}

extension Array where Element == Suspicion {
  /// Removes and returns the first one that is due.
  fileprivate mutating func removeFirst(dueAt now: UInt64) -> MemberTable.Slot? {
    firstIndex { $0.deadline <= now }.map { remove(at: $0).slot }
  }
}
