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

/// Failure detection: this node pings those whom it has to watch, has others ping whoever does not answer, and suspects whom they do
/// not reach either. It also pings for others.
struct Probing {
  /// More are not held; a probe that finds no place is made next time.
  static let capacity = 32

  private(set) var probes: [Probe] = []
  private var relays: [Relay] = []
  /// How far this node doubts its own network, 0 to 2: it waits longer for answers then (Lifeguard's local health).
  private var doubt: UInt64 = 0
  private var nextPing: UInt64
  private var nextFarPing: UInt64
  private var farTurn = 0

  init(_ random: inout SplitMix64, at now: UInt64) {
    nextPing = now &+ random.next(below: Timing.ping)
    nextFarPing = now &+ random.next(below: Timing.farPing)
  }

  var bytes: Int {
    probes.capacity * MemoryLayout<Probe>.stride + relays.capacity * MemoryLayout<Relay>.stride
  }

  private var patience: UInt64 { 1 &+ doubt }

  // MARK: Time

  /// When `step` is due, in milliseconds; `UInt64.max` for a node that has nobody to watch.
  func nextDue(_ view: MemberView) -> UInt64 {
    var due = view.neighbours.all.isEmpty ? .max : min(nextPing, nextFarPing)
    if let silence = predecessorDue(view) { due = min(due, silence) }
    for probe in probes { due = min(due, probe.deadline) }
    return due
  }

  /// This node was not there for so long, and blames nobody.
  mutating func postpone(by lost: UInt64, to now: UInt64) {
    for place in probes.indices { probes[place].deadline &+= lost }
    nextPing = max(nextPing, now)
    nextFarPing = max(nextFarPing, now)
  }

  /// Pings whom it is time to ping.
  mutating func watch(_ view: inout MemberView) {
    if view.now >= nextPing {
      nextPing = Timing.next(nextPing, every: Timing.ping, after: view.now)
      watchRing(&view)
    }
    if let due = predecessorDue(view), view.now >= due { watchRing(&view) }
    if view.now >= nextFarPing {
      nextFarPing = Timing.next(nextFarPing, every: Timing.farPing, after: view.now)
      pingFar(&view)
    }
  }

  /// Who is no member any longer need not answer.
  mutating func forgetLost(_ view: inout MemberView) {
    if !view.lost.isEmpty {
      for slot in view.lost { probes.removeAll { $0.slot == slot } }
      view.lost = []
    }
    if !view.forgotten.isEmpty {
      for slot in view.forgotten {
        probes.removeAll { $0.slot == slot }
        relays.removeAll { $0.target == slot || $0.asker == slot }
      }
      view.forgotten = []
    }
  }

  // MARK: Pinging

  /// Pings the next on the ring of ids, and the previous one if it has not done so. Beyond suspects, the next one counts.
  private mutating func watchRing(_ view: inout MemberView) {
    for distance in 1...4 {
      guard let slot = view.table.neighbour(of: MemberTable.own, on: 0, distance: distance) else { break }
      guard view.table[slot].state == .suspect else {
        startProbe(slot, isWatch: true, &view)
        break
      }
      view.ping(slot, digest: false)
    }
    for distance in 1...4 {
      guard let slot = view.table.neighbour(of: MemberTable.own, on: 0, distance: -distance),
        let index = view.neighbours.place(of: slot)
      else { break }
      guard view.table[slot].state == .suspect else {
        if view.now >= silenceEnd(view.neighbours.all[index]) { startProbe(slot, isWatch: true, &view) }
        break
      }
      view.ping(slot, digest: false)
    }
  }

  /// When a neighbour that should ping has been silent for too long.
  private func silenceEnd(_ neighbour: Neighbour) -> UInt64 { (neighbour.heard ?? neighbour.since) &+ Timing.silence }

  /// When the previous one on the ring of ids has been silent for too long; nil while that is being looked into.
  private func predecessorDue(_ view: MemberView) -> UInt64? {
    guard let slot = view.table.neighbour(of: MemberTable.own, on: 0, distance: -1), view.table[slot].state == .alive,
      let index = view.neighbours.place(of: slot), !probes.contains(where: { $0.slot == slot }),
      probes.count < Probing.capacity
    else { return nil }
    return silenceEnd(view.neighbours.all[index])
  }

  /// Probes the node behind one that does not answer, on its side of the ring.
  private mutating func watchBeyond(_ slot: MemberTable.Slot, _ view: inout MemberView) {
    for distance in [1, 2, 3, -1, -2, -3] {
      guard view.table.neighbour(of: MemberTable.own, on: 0, distance: distance) == slot else { continue }
      let beyond = view.table.neighbour(
        of: MemberTable.own, on: 0, distance: distance > 0 ? distance + 1 : distance - 1)
      if let beyond, view.table[beyond].state == .alive { startProbe(beyond, isWatch: true, &view) }
      return
    }
  }

  /// Pings one of the other neighbours that are this node's to ping, in turn.
  private mutating func pingFar(_ view: inout MemberView) {
    for _ in view.neighbours.all.indices {
      farTurn = farTurn + 1 < view.neighbours.all.count ? farTurn + 1 : 0
      guard farTurn < view.neighbours.all.count, view.neighbours.all[farTurn].isPinged else { continue }
      startProbe(view.neighbours.all[farTurn].slot, isWatch: false, &view)
      return
    }
  }

  private mutating func startProbe(_ slot: MemberTable.Slot, isWatch: Bool, _ view: inout MemberView) {
    if probes.contains(where: { $0.slot == slot }) || probes.count >= Probing.capacity { return }
    let number = view.ping(slot, digest: !isWatch)
    guard view.table[slot].state == .alive else { return }
    probes.append(Probe(slot: slot, number: number, deadline: view.now &+ Timing.direct &* patience, isWatch: isWatch))
  }

  // MARK: Missing answers

  /// Asks others for help where an answer is missing, and suspects whom they do not reach either.
  mutating func advance(_ view: inout MemberView) {
    var index = 0
    while index < probes.count {
      guard probes[index].deadline <= view.now else {
        index += 1
        continue
      }
      let probe = probes[index]
      if probe.isIndirect {
        probes.remove(at: index)
        fail(probe, &view)
        continue
      }
      // Perhaps it was only this one datagram that got lost.
      view.send(view.start(.ping(digest: nil), number: probe.number), to: probe.slot)
      probes[index].attempts += 1
      if probe.isWatch || probe.attempts >= Timing.farAttempts {
        probes[index].isIndirect = true
        probes[index].deadline = view.now &+ (probe.isWatch ? Timing.indirect : Timing.indirectFar) &* patience
        askForHelp(probe, &view)
        // Perhaps the next one died with it.
        if probe.isWatch { watchBeyond(probe.slot, &view) }
      } else {
        probes[index].deadline = view.now &+ Timing.direct &* patience
      }
      index += 1
    }
    relays.removeAll { $0.deadline <= view.now }
  }

  private func askForHelp(_ probe: Probe, _ view: inout MemberView) {
    let mac = view.table[probe.slot].record.mac
    for relay in helpers(for: probe.slot, &view) {
      view.send(view.start(.pingRequest(mac), number: probe.number), to: relay)
    }
  }

  /// Up to three members that have a tunnel to the target: first those to which this node has one too.
  private func helpers(for target: MemberTable.Slot, _ view: inout MemberView) -> [MemberTable.Slot] {
    var near: [MemberTable.Slot] = []
    var far: [MemberTable.Slot] = []
    for distance in [-1, 1, -2, 2, -3, 3, -4, 4] {
      guard let slot = view.table.neighbour(of: target, on: 0, distance: distance), slot != MemberTable.own,
        view.table[slot].state == .alive, !near.contains(slot), !far.contains(slot)
      else { continue }
      if view.neighbours.place(of: slot) != nil { near.append(slot) } else { far.append(slot) }
    }
    // Not the same ones every time: they may share the fault.
    if near.count > 3 {
      let first = view.random.next(below: near.count)
      near = Array(near[first...] + near[..<first])
    }
    return Array((near + far).prefix(3))
  }

  private mutating func fail(_ probe: Probe, _ view: inout MemberView) {
    guard view.table.isUsed(probe.slot), view.table[probe.slot].state == .alive else { return }
    if !probe.isRelayed, view.table.liveCount > 2 { doubt = min(2, doubt &+ 1) }
    if let index = view.neighbours.place(of: probe.slot), view.neighbours.all[index].heard == nil,
      view.now < view.neighbours.all[index].since &+ Timing.grace
    {
      return
    }
    view.suspect(probe.slot)
    // The next one on the ring is this node's to watch now.
    if probe.isWatch { watchRing(&view) }
  }

  // MARK: Answers

  /// Something came from a member: it is there.
  mutating func receiveAnswer(of slot: MemberTable.Slot) {
    if let index = probes.firstIndex(where: { $0.slot == slot }) {
      probes.remove(at: index)
      if doubt > 0 { doubt &-= 1 }
    }
  }

  mutating func relay(
    _ target: MACAddress, number askerNumber: UInt16, for asker: MemberTable.Slot, _ view: inout MemberView
  ) {
    guard let slot = view.table.slot(target), slot != MemberTable.own, view.table[slot].state.isLive,
      relays.count < Probing.capacity
    else { return }
    let number = view.nextNumber()
    relays.append(
      Relay(
        target: slot, number: number, asker: asker, askerNumber: askerNumber,
        deadline: view.now &+ Timing.indirectFar &* 2))
    view.send(view.start(.ping(digest: nil), number: number), to: slot)
    view.send(view.start(.pinging, number: askerNumber), to: asker)
  }

  /// Somebody has heard the request for help of this number, and pings.
  mutating func receiveHelp(_ number: UInt16) {
    if let index = probes.firstIndex(where: { $0.number == number }) { probes[index].isRelayed = true }
  }

  /// Whether an answer of this node is awaited under this number.
  func awaits(_ slot: MemberTable.Slot, number: UInt16) -> Bool {
    probes.contains { $0.slot == slot && $0.number == number }
  }

  /// Tells the nodes that asked for a ping of `slot` that it is alive.
  mutating func report(_ number: UInt16, from slot: MemberTable.Slot, _ view: inout MemberView) {
    guard let index = relays.firstIndex(where: { $0.target == slot && $0.number == number }) else { return }
    let relay = relays.remove(at: index)
    guard view.table.isUsed(relay.asker) else { return }
    view.send(view.start(.indirectAck(view.table[slot].record.mac), number: relay.askerNumber), to: relay.asker)
  }
}
