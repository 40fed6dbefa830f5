import Addresses
import Bytes
import ControlChannel
import MachineReadings
import Membership
import NodeCore
import Tunnels

// The simulated machine carries out what its node asks for, as tyd does.

extension ClusterSimulation {
  /// What follows from an answer comes before the rest.
  mutating func perform(_ commands: [NodeCommand], by index: Int) {
    for command in commands { perform(command, by: index) }
  }

  private mutating func perform(_ command: NodeCommand, by index: Int) {
    // It may have ended meanwhile.
    guard machines[index].core != nil else { return }
    switch command {
    case .send(let bytes, let address): send(bytes, from: index, to: address)
    case .connect(let channel, let address): connect(index, channel, address)
    case .say(let channel, let message): say(message, index, channel)
    case .close(let channel): close(index, channel)
    case .drop(let channel): drop(index, channel)
    case .admit(let ticket, var changes):
      if planted.contains(.filterBeforePolicy) { changes.reverse() }
      for change in changes { make(change, by: index) }
      give(index) { $0.receiveAdmission(ticket, isDone: true, at: $1) }
    case .change(let change): make(change, by: index)
    case .install(let channel, let keyed):
      let isDone = install(keyed, index, channel)
      give(index) { $0.receiveInstallation(over: channel, isDone: isDone, at: $1) }
    case .remove(let association): machines[index].kernel.remove(association)
    case .removeWaiting(let peer): machines[index].kernel.waiting[peer.bits] = nil
    case .readAssociations:
      let uses = machines[index].kernel.uses(own: machines[index].own)
      give(index) { $0.receiveAssociations(uses, at: $1) }
    case .changeAddress(let address): machines[index].own = address
    case .releaseFormer(let former, let peers):
      for peer in peers {
        machines[index].kernel.release(peer, own: former)
        checkDemand(of: peer, by: index)
      }
    case .certify(let channel):
      give(index) { $0.receiveCertificate(([1], [2]), isNew: true, over: channel, at: $1) }
    case .findCertificate(let channel):
      give(index) { $0.receiveCertificate(([1], [2]), isNew: false, over: channel, at: $1) }
    case .adopt:
      machines[index].isMember = true
      give(index) { $0.receiveAdoption(refusal: nil, at: $1) }
    case .keepMap: queue.insert(.keepMap(index, boots: machines[index].boots), at: now)
    case .report(let news):
      note(news, by: index)
      if planted.contains(.releasedAtDeath), case .died(let record) = news {
        make(.forbid(record.addresses.primary), by: index)
        make(.release(record.addresses.primary), by: index)
      }
    // tyd ends with a sentence.
    case .endWithout, .fail: stop(index)
    case .enter, .believe, .search, .answerQuestion, .readMachine, .describeProcesses, .answer, .show,
      .endOrder, .end:
      break
    }
  }

  // MARK: The kernel

  private mutating func make(_ change: KernelChange, by index: Int) {
    let own = machines[index].own
    switch change {
    case .require(let peer):
      machines[index].kernel.require(peer, own: own)
      checkDemand(of: peer, by: index)
    case .permit(let peer):
      machines[index].kernel.permit(peer)
      checkDemand(of: peer, by: index)
    case .forbid(let peer):
      if planted.contains(.forgottenFilter) { return }
      machines[index].kernel.forbid(peer)
    case .release(let peer):
      if planted.contains(.forgottenRelease) { return }
      machines[index].kernel.release(peer, own: own)
      checkDemand(of: peer, by: index)
      invariants.checkRelease(
        of: peer, by: index, keptFor: ClusterSimulation.keepFor, machines, at: now)
    case .cutOff, .restore: break
    }
  }

  private mutating func checkDemand(of peer: IPv4Address, by index: Int) {
    invariants.checkDemand(of: peer, by: index, machines, at: now)
  }

  private mutating func install(_ keyed: [KeyedAssociation], _ index: Int, _ channel: UInt32) -> Bool {
    guard let number = machines[index].lines[channel], let line = lines[number], line.isOpen else { return false }
    // Chance takes all or none.
    if random.happens(network.failedInstallation) { return false }
    for one in keyed {
      installs += 1
      traffic.installed += 1
      let value = one.association
      let key = ledger.number(of: material(of: one, line))
      for sentence in ledger.install(value, key, by: index, own: machines[index].own) {
        fault("node \(index) \(sentence)")
      }
      machines[index].kernel.add(
        Kernel.Association(value: value, own: machines[index].own.bits, key: key, order: installs))
      if value.direction == .outbound { sendWaiting(index, to: value.peer) }
    }
    return true
  }

  private func material(of one: KeyedAssociation, _ line: Line) -> KeyLedger.Material {
    let ends = [line.caller.machine, line.callee.machine].sorted()
    let pair = UInt64(ends[0]) << 32 | UInt64(ends[1])
    if planted.contains(.pairSecret) { return KeyLedger.Material(secret: pair, context: nil) }
    return KeyLedger.Material(secret: planted.contains(.repeatedKeys) ? pair : line.number, context: one.context)
  }

  // MARK: Packets

  mutating func send(_ datagram: [UInt8]?, from index: Int, to address: IPv4Address) {
    switch machines[index].kernel.send(to: address, own: machines[index].address) {
    case .kept: traffic.kept += 1
    case .inClear:
      // Its address has changed, and the filter's last look keeps what is not in ESP until policies stand for the new one.
      traffic.kept += 1
      if machines[index].own == machines[index].address {
        fault("a packet of node \(index) to \(address) would leave in clear")
      }
    case .waits:
      var state = machines[index].kernel.waiting[address.bits] ?? ([], 0)
      if let datagram, state.packets.count < Kernel.mostWaiting { state.packets.append(datagram) }
      if state.askedUntil <= now {
        state.askedUntil = now + Kernel.question
        traffic.questions += 1
        queue.insert(.question(index, address, boots: machines[index].boots), at: now)
      }
      machines[index].kernel.waiting[address.bits] = state
    case .protected(let spi, let key): transmit(datagram, from: index, to: address, spi, key)
    }
  }

  private mutating func sendWaiting(_ index: Int, to address: IPv4Address) {
    guard let waiting = machines[index].kernel.waiting.removeValue(forKey: address.bits) else { return }
    for datagram in waiting.packets { send(datagram, from: index, to: address) }
  }

  private mutating func transmit(
    _ datagram: [UInt8]?, from: Int, to address: IPv4Address, _ spi: UInt32, _ key: Int
  ) {
    if let datagram {
      traffic.datagrams += 1
      traffic.bytes += Network.espBytes(payload: datagram.count)
    }
    traffic.protected += 1
    guard let to = machines.index(at: address), machines.areJoined(from, to) else { return }
    let copies = random.happens(network.duplication) ? 2 : 1
    for _ in 0..<copies {
      if random.happens(network.loss) { continue }
      var delay = random.number(in: network.delay)
      if random.happens(network.reordering) { delay += network.lateness }
      let packet = Packet(
        from: machines[from].address, to: to, boots: machines[to].boots, spi: spi, key: key,
        datagram: datagram)
      queue.insert(.packet(packet), at: now + delay)
    }
  }

  mutating func arrive(_ packet: Packet) {
    let to = packet.to
    guard machines[to].boots == packet.boots else { return }
    guard
      machines[to].kernel.receives(from: packet.from, own: machines[to].address, spi: packet.spi, packet.key)
    else {
      traffic.undecryptable += 1
      return
    }
    traffic.arrived += 1
    guard let datagram = packet.datagram else { return }
    give(to) { $0.receive(datagram, from: packet.from, at: $1) }
  }

  // MARK: The machine

  mutating func readMachine(_ index: Int) {
    let readings = Machine.readings(&random)
    let address = machines[index].own
    give(index) { $0.receive(readings, addresses: AddressList([address]), addresses6: AddressList6([]), at: $1) }
  }

  /// The node notices that its machine has another address.
  mutating func followAddress(_ index: Int) {
    let address = machines[index].address
    guard machines[index].core != nil, machines[index].own != address else { return }
    give(index) { $0.receiveAddress(address, all: [.ipv4(address)], at: $1) }
    for peer in machines[index].kernel.permitted { checkDemand(of: IPv4Address(bits: peer), by: index) }
    readMachine(index)
  }
}
