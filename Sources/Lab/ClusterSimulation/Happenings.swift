import Addresses
import Membership

// What can happen to the machines of a simulated cluster.

extension ClusterSimulation {
  /// A machine that is still off; its index. Addresses go up from 10.0.0.1 unless one is given.
  @discardableResult
  public mutating func addMachine(address: IPv4Address? = nil) -> Int {
    let index = machines.count
    let number = UInt64(index) + 1
    let address = address ?? IPv4Address(bits: 0x0A00_0000 + UInt32(truncatingIfNeeded: number))
    machines.append(Machine(mac: MACAddress(bits: 0x5254_0000_0000 | number) ?? .zero, address: address))
    byAddress[address.bits] = index
    return index
  }

  /// Switches a machine on: the first node of a cluster, or one that joins through a member.
  public mutating func start(_ index: Int, through member: Int? = nil) {
    guard machines[index].membership == nil else { return }
    machines[index].boots += 1
    machines[index].scheduled = .max
    machines[index].pausedUntil = 0
    machines[index].mistakes = [:]
    machines[index].membership = Membership(
      machines[index].record, cluster: cluster, now: now, seed: random.next())
    if let member {
      queue.insert(
        .admission(index, through: member, boots: machines[index].boots), at: now + random.number(in: network.handshake)
      )
    }
    schedule(index)
  }

  /// Pulls the plug: memory and tunnels are gone.
  public mutating func stop(_ index: Int) {
    machines[index].boots += 1
    machines[index].membership = nil
    dropSides(of: index)
  }

  public mutating func leave(_ index: Int) {
    perform(machines[index].membership?.leave(now: now) ?? [], by: index)
    machines[index].boots += 1
    machines[index].membership = nil
  }

  /// The process stands still, as a machine does that swaps or whose emulator is not scheduled.
  public mutating func pause(_ index: Int, for duration: UInt64) { machines[index].pausedUntil = now + duration }

  /// A new lease with another address.
  public mutating func readdress(_ index: Int, _ address: IPv4Address) {
    byAddress[machines[index].address.bits] = nil
    machines[index].address = address
    byAddress[address.bits] = index
    // Security associations name addresses.
    for other in machines.indices where other != index { tunnels[ClusterSimulation.pair(index, other)] = nil }
    guard var record = machines[index].membership?.own, let list = AddressList([address]) else { return }
    record.addresses = list
    perform(machines[index].membership?.update(record, now: now) ?? [], by: index)
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
      machines[index].membership?.forEach { record, state in
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
    guard let (done, effects) = machines[index].membership?.remove(id, now: now) else { return false }
    perform(effects, by: index)
    return done
  }

  @discardableResult
  public mutating func allow(_ id: NodeID, by index: Int) -> Bool {
    guard let (done, effects) = machines[index].membership?.allow(id, now: now) else { return false }
    perform(effects, by: index)
    return done
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
    checkMistakes()
  }

  /// Faults in who has been called dead for too long by mistake.
  public mutating func checkMistakes() {
    for index in machines.indices where machines[index].isOn {
      for (mac, since) in machines[index].mistakes where now - since > mistakeBound {
        guard let other = machine(mac), isReachable(index, other) else { continue }
        if machines[other].membership?.isRemoved(mac, machines[other].record.fingerprint) == true { continue }
        fault("node \(index) has called node \(other) dead for \(now - since) ms by mistake")
      }
    }
  }

  private mutating func checkView(of index: Int) {
    guard let membership = machines[index].membership else { return }
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
      if let own = machines[other].membership?.own {
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
        let sequence = machines[observer].membership?.vitalsSequence(of: machines[other].mac)
      else { continue }
      let age = now - (machines[other].issued[Int(sequence)] ?? 0)
      sum += age
      largest = max(largest, age)
      count += 1
    }
    return (count == 0 ? 0 : sum / count, largest)
  }
}
