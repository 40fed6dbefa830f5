import Addresses
import Bytes
import Membership
import NodeCore
import Tunnels
import TydCommand

// What can happen to the machines of a simulated cluster.

extension ClusterSimulation {
  /// A machine that is still off; its index. Addresses go up from 10.0.0.1 unless one is given.
  @discardableResult
  public mutating func addMachine(address: IPv4Address? = nil) -> Int {
    let index = machines.count
    let number = UInt64(index) + 1
    let address = address ?? IPv4Address(bits: 0x0A00_0000 + UInt32(truncatingIfNeeded: number))
    machines.append(
      Machine(mac: MACAddress(bits: 0x5254_0000_0000 | number) ?? .zero, address: address, own: address))
    byAddress[address.bits] = index
    return index
  }

  /// Switches a machine on: the first node of a cluster, or one that joins through a member.
  public mutating func start(_ index: Int, through member: Int? = nil) {
    guard machines[index].core == nil else { return }
    machines[index].boots += 1
    machines[index].scheduled = .max
    machines[index].pausedUntil = 0
    machines[index].mistakes = [:]
    machines[index].gone = [:]
    machines[index].kernel = Kernel()
    machines[index].own = machines[index].address
    let identity = identity(index, contact: member.map { machines[$0].address })
    machines[index].core = NodeCore(
      machines[index].record, identity, settings: settings, now: now, seed: coreSeed(index))
    give(index) { member == nil ? $0.enter(at: $1) : $0.join(at: $1) }
  }

  /// A machine without a certificate of the cluster joins: the member that it asks certifies it if its operator says so.
  public mutating func startStranger(_ index: Int, through member: Int) {
    machines[index].isMember = false
    start(index, through: member)
  }

  /// Pulls the plug: memory, kernel and connections are gone.
  public mutating func stop(_ index: Int) {
    forgetLines(of: index, tellsOthers: false)
    machines[index].boots += 1
    machines[index].core = nil
    machines[index].kernel = Kernel()
  }

  /// The process ends and is started again: it goes on with its map and with what is in the kernel.
  public mutating func crash(_ index: Int) {
    guard machines[index].core != nil, machines[index].pausedUntil <= now else { return }
    forgetLines(of: index, tellsOthers: true)
    machines[index].scheduled = .max
    // What is under way to the machine's kernel arrives all the same: this is no other life of the machine.
    let core = NodeCore(
      machines[index].record, identity(index), settings: settings, now: now, seed: coreSeed(index))
    machines[index].own = machines[index].address
    guard !machines[index].map.isEmpty, let commands = core.resume(map: machines[index].map, at: now) else {
      return stop(index)
    }
    machines[index].core = core
    perform(commands, by: index)
    let demanded = machines[index].kernel.demanded
    give(index) { $0.resume(demanded: demanded, cutOff: [], at: $1) }
    machines[index].kernel.keepOnly(machines[index].core?.peers.demanded ?? [], own: machines[index].own)
    let uses = machines[index].kernel.uses(own: machines[index].own)
    give(index) { $0.resume(uses, at: $1) }
    give(index) { $0.enter(at: $1) }
  }

  public mutating func leave(_ index: Int) {
    give(index) { $0.leave(at: $1) }
    forgetLines(of: index, tellsOthers: true)
    machines[index].boots += 1
    machines[index].core = nil
    machines[index].kernel = Kernel()
  }

  /// The process stands still, as a machine does that swaps or whose emulator is not scheduled.
  public mutating func pause(_ index: Int, for duration: UInt64) { machines[index].pausedUntil = now + duration }

  /// A new lease with another address, which the node notices a moment later.
  public mutating func readdress(_ index: Int, _ address: IPv4Address) {
    byAddress[machines[index].address.bits] = nil
    machines[index].address = address
    byAddress[address.bits] = index
    guard machines[index].core != nil else { return }
    queue.insert(.address(index, boots: machines[index].boots), at: now + random.number(in: 0...30))
  }

  /// From now on only machines with the same number reach each other.
  public mutating func partition(_ part: (Int) -> Int) {
    for index in machines.indices { machines[index].part = part(index) }
  }

  public mutating func heal() {
    partition { _ in 0 }
    for index in machines.indices {
      machines[index].mistakes = machines[index].mistakes.mapValues { _ in now }
      // Who is called dead on the other side can be reached again, and so is called so by mistake from now on.
      machines[index].core?.membership.forEach { record, state in
        if state == .dead { machines[index].mistakes[record.mac] = now }
      }
    }
    for index in machines.indices {
      machines[index].mistakes = machines[index].mistakes.filter { mac, _ in
        machine(mac).map { machines[$0].isOn } ?? false
      }
    }
  }

  @discardableResult
  public mutating func remove(_ id: NodeID, by index: Int) -> Bool {
    order("remove", id, by: index)
    var isRemoved = false
    machines[index].core?.membership.forEachRemoved { removed, _, _ in isRemoved = isRemoved || removed == id }
    return isRemoved
  }

  @discardableResult
  public mutating func allow(_ id: NodeID, by index: Int) -> Bool {
    var wasRemoved = false
    machines[index].core?.membership.forEachRemoved { removed, _, _ in wasRemoved = wasRemoved || removed == id }
    order("allow", id, by: index)
    var isRemoved = false
    machines[index].core?.membership.forEachRemoved { removed, _, _ in isRemoved = isRemoved || removed == id }
    return wasRemoved && !isRemoved
  }

  /// An operator's order, as it comes over the local socket.
  private mutating func order(_ word: String, _ id: NodeID, by index: Int) {
    let order: TydCommand.Order = word == "remove" ? .remove(id) : .allow(id)
    guard let number = machines[index].core?.receiveOrderer(user: 0, at: now) else { return }
    give(index) { $0.receive(order.line, fromOrder: number, at: $1) }
  }

  /// Lets whoever asks a member be certified.
  public mutating func openWindow(_ index: Int) {
    guard let number = machines[index].core?.receiveOrderer(user: 0, at: now) else { return }
    give(index) { $0.receive(TydCommand.Order.approveWindow(minutes: 60).line, fromOrder: number, at: $1) }
  }

  /// Some program on a machine sends something to another one.
  public mutating func talk(_ index: Int, _ other: Int) {
    guard index != other, machines[index].core != nil else { return }
    send(nil, from: index, to: machines[other].address)
  }

  public mutating func resetTraffic() { traffic = Traffic() }

  // MARK: Watching

  /// From now on, notes who learns what of a machine.
  public mutating func watch(_ index: Int) { watched[machines[index].mac] = Sighting() }

  /// Milliseconds from `start` until the last of all others saw the machine join; nil while one has not.
  public func joinSeen(_ index: Int, since start: UInt64) -> UInt64? {
    seen(index, since: start, watched[machines[index].mac]?.joined)
  }

  /// The same for its death, leave or removal.
  public func goneSeen(_ index: Int, since start: UInt64) -> UInt64? {
    seen(index, since: start, watched[machines[index].mac]?.gone)
  }

  private func seen(_ index: Int, since start: UInt64, _ times: [Int: UInt64]?) -> UInt64? {
    var latest: UInt64 = 0
    for other in machines.indices where other != index && machines[other].isOn {
      guard let time = times?[other], time >= start else { return nil }
      latest = max(latest, time - start)
    }
    return latest
  }

  /// Faults in what the nodes believe now: called after everything had time to settle.
  public mutating func checkSettled(associations limit: Int = 16) {
    for index in machines.indices where machines[index].isOn { checkView(of: index) }
    for (index, count) in associations().enumerated() where count > limit {
      fault("node \(index) has \(count) pairs of security associations")
    }
    for index in machines.indices where machines[index].isOn { checkKernel(of: index) }
    checkMistakes()
  }

  /// Faults in who has been called dead for too long by mistake.
  public mutating func checkMistakes() {
    for index in machines.indices where machines[index].isOn {
      for (mac, since) in machines[index].mistakes where now - since > mistakeBound {
        guard let other = machine(mac), isReachable(index, other) else { continue }
        if machines[other].core?.membership.isRemoved(mac, machines[other].record.fingerprint) == true { continue }
        fault("node \(index) has called node \(other) dead for \(now - since) ms by mistake")
      }
    }
  }

  /// How many pairs of security associations each machine has that it sends by.
  public func associations() -> [Int] { machines.map { $0.core?.peers.tunnels.established ?? 0 } }

  /// The kernel lets packets to live members and to kept addresses pass and to nobody else, and demands ESP of them and of nobody
  /// else: whoever was removed, left or died reaches nobody, and nothing of it stays but that demand, for its time.
  private mutating func checkKernel(of index: Int) {
    guard let core = machines[index].core, core.isIn else { return }
    let own = machines[index].own
    var live: Set<UInt32> = []
    core.membership.forEach { record, state in
      if state.isLive, record.mac != machines[index].mac { live.insert(record.addresses.primary.bits) }
    }
    let kernel = machines[index].kernel
    let expected = live.union(core.peers.kept.compactMap { $0.isDemanded ? $0.address.ipv4?.bits : nil })
    for one in core.peers.kept where one.until <= now { fault("node \(index) keeps \(one.address) for too long") }
    if kernel.permitted != expected {
      let (more, less) = (kernel.permitted.subtracting(expected).count, expected.subtracting(kernel.permitted).count)
      fault("node \(index) lets packets to \(more) addresses pass that are no members', and to \(less) members none")
    }
    let demanded = kernel.demanded(own: own)
    if demanded != expected || kernel.policies.count != expected.count {
      fault(
        "node \(index) demands ESP of \(kernel.policies.count) addresses, and \(expected.count) are members' or kept")
    }
    let planned = core.peers.tunnels.associations
    for (peer, associations) in kernel.associations {
      if !live.contains(peer) { fault("node \(index) has associations with one that is no member") }
      for one in associations where !planned.contains(one.value) {
        fault("node \(index) has an association that it has forgotten")
      }
    }
  }

  mutating func note(_ news: NodeNews, by index: Int) {
    switch news {
    case .joined(let record):
      machines[index].gone[record.addresses.primary.bits] = nil
      watched[record.mac]?.joined[index] = now
      machines[index].mistakes[record.mac] = nil
      if machines[index].core?.membership.isRemoved(record.mac, record.fingerprint) == true {
        fault("node \(index) let the removed node \(record.id) back in")
      }
    case .changed(let record):
      machines[index].gone[record.addresses.primary.bits] = nil
      watched[record.mac]?.joined[index] = now
    case .died(let record):
      lose(record, by: index)
      watched[record.mac]?.gone[index] = now
      if let other = machine(record.mac), isReachable(index, other) {
        machines[index].mistakes[record.mac] = now
        traffic.mistakenDeaths += 1
      }
    case .left(let record), .removed(let record):
      lose(record, by: index)
      watched[record.mac]?.gone[index] = now
      machines[index].mistakes[record.mac] = nil
    case .suspected(let record):
      if let other = machine(record.mac), isReachable(index, other) { traffic.mistakenSuspicions += 1 }
    default: break
    }
  }

  private mutating func lose(_ record: NodeRecord, by index: Int) {
    let address = record.addresses.primary
    // Of a member that was dead before it is known already, and another one may have the address.
    guard machines[index].gone[address.bits] == nil,
      machines[index].kernel.demands(address.bits, own: machines[index].own),
      machines[index].core?.membership.member(at: address) == nil
    else { return }
    machines[index].gone[address.bits] = Machine.Gone(mac: record.mac, key: record.fingerprint, at: now)
  }

  func isReachable(_ a: Int, _ b: Int) -> Bool {
    machines[a].isOn && machines[b].isOn && machines[a].part == machines[b].part
      && machines[a].pausedUntil <= now && machines[b].pausedUntil <= now
  }

  private mutating func checkView(of index: Int) {
    guard let membership = machines[index].core?.membership else { return }
    var seen = Set<Int>()
    var ids = Set<NodeID>()
    var notes: [String] = []
    membership.forEach { record, state in
      guard state.isLive else { return }
      if !ids.insert(record.id).inserted { notes.append("sees the id \(record.id) twice") }
      guard let other = machine(record.mac) else { return }
      seen.insert(other)
      guard machines[other].isOn, machines[other].part == machines[index].part else {
        notes.append("still sees node \(other)")
        return
      }
      if let own = machines[other].core?.membership.own {
        if own.id != record.id || own.addresses != record.addresses || own.fingerprint != record.fingerprint {
          notes.append("has an old record of node \(other)")
        }
      }
      if state == .suspect, network.loss == 0 { notes.append("suspects node \(other)") }
    }
    for other in machines.indices
    where machines[other].isOn && machines[other].part == machines[index].part && !seen.contains(other) {
      notes.append("does not see node \(other)")
    }
    for note in notes { fault("node \(index) \(note)") }
  }

  /// How old the load is that nodes see of others, in milliseconds: the mean and the largest of `samples`.
  public mutating func age(samples: Int) -> (mean: UInt64, largest: UInt64) {
    var sum: UInt64 = 0
    var largest: UInt64 = 0
    var count: UInt64 = 0
    for _ in 0..<samples {
      let observer = Int(random.next() % UInt64(machines.count))
      let other = Int(random.next() % UInt64(machines.count))
      guard observer != other, machines[observer].isOn, machines[other].isOn,
        let sequence = machines[observer].core?.membership.vitalsSequence(of: machines[other].mac)
      else { continue }
      let age = now - (machines[other].issued[Int(sequence)] ?? 0)
      sum += age
      largest = max(largest, age)
      count += 1
    }
    return (count == 0 ? 0 : sum / count, largest)
  }
}
