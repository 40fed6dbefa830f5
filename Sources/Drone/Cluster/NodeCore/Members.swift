import Addresses
import Bytes
import ControlChannel
import MachineReadings
import Membership
import Surveys
import Tunnels

// Datagrams of members, what the membership asks for, and this machine as the others see it.

extension NodeCore {
  /// A datagram came to UDP port 3278 from another's port 3278, or from another port.
  /// - Parameter destination: where it was sent to; nil for this node's address in the cluster.
  public func receive(
    _ datagram: [UInt8], from address: IPv4Address, isFromPort: Bool = true, to destination: IPv4Address? = nil,
    at now: UInt64
  ) -> [NodeCommand] {
    // A policy demands ESP of what members' addresses send to this node's own: whatever comes from others, or was sent to
    // everybody or to another address of this machine, may be anybody's word.
    guard isFromPort, destination ?? peers.own == peers.own, peers.isProtected(address) else {
      reception.refusals.strangers &+= 1
      return []
    }
    if ProcessMessage.isOne(datagram) {
      receiveProcessMessage(datagram, from: address, at: now)
    } else {
      perform(membership.receive(datagram, from: address, at: now), at: now)
    }
    return finish()
  }

  /// How this machine is now.
  /// - Parameter addresses: those by which the others may know it, nil to leave them.
  public func receive(
    _ readings: MachineReadings, addresses: AddressList?, addresses6: AddressList6, at now: UInt64
  ) -> [NodeCommand] {
    reception.admission.forget(at: now)
    var record = membership.own
    record.update(with: readings)
    if let addresses { record.addresses = addresses }
    record.addresses6 = addresses6
    peers.ownAddresses = record.allAddresses
    perform(membership.receiveOwn(record, at: now), at: now)
    commands += peers.releaseOwn(membership)
    if isIn { commands += peers.admitMissing(membership) }
    return finish()
  }

  /// This machine has another address in the cluster; with it, it has all these.
  public func receiveAddress(
    _ address: IPv4Address, all: [InternetAddress], at now: UInt64
  ) -> [NodeCommand] {
    guard address != peers.own else { return [] }
    peers.ownAddresses = all
    commands += peers.changeAddress(to: address, membership)
    return finish()
  }

  // MARK: What the membership asks for

  func perform(_ asked: [MembershipCommand], at now: UInt64) {
    // First: a node that has the id which this one gave up is a peer like any other.
    if peers.tunnels.id != membership.ownID { peers.tunnels.id = membership.ownID }
    for command in asked {
      switch command {
      case .send(let bytes, let address): commands.append(.send(bytes, to: address))
      case .report(let news): perform(news, at: now)
      case .reconnect(let record):
        // It may be there again, on the other side of a network that was cut.
        call(.reunion, record.addresses.primary, calls.ownChannel(), patience: 5000, at: now)
      }
    }
  }

  private func perform(_ news: MembershipNews, at now: UInt64) {
    keepSoon(at: now)
    switch news {
    case .joined(let record):
      commands.append(.report(.joined(record)))
      commands += peers.admit(record)
    case .changed(let record, let former):
      commands.append(.report(.changed(record)))
      if record.mac != membership.ownMAC { commands += peers.readmit(record, from: former, membership, at: now) }
      // Another member may have waited for the id that is free now, this node's former one perhaps.
      if record.id != former.id { commands += peers.admitMissing(membership) }
    case .suspected(let record): commands.append(.report(.suspected(record)))
    case .cleared(let record): commands.append(.report(.cleared(record)))
    case .died(let record):
      commands.append(.report(.died(record)))
      lose(record, at: now)
    case .left(let record):
      commands.append(.report(.left(record)))
      lose(record, at: now)
    case .removed(let record):
      reception.admission.revoke(record.fingerprint.bytes)
      if record.mac == membership.ownMAC { return endWithout(.removedItself) }
      commands.append(.report(.removed(record)))
      dropCalls(of: record, at: now)
      lose(record, at: now)
    case .allowed: break
    case .replaced: endWithout(.replaced)
    }
  }

  private func lose(_ record: NodeRecord, at now: UInt64) { commands += peers.lose(record, membership, at: now) }

  /// The cluster goes on without this node.
  private func endWithout(_ reason: NodeNews) {
    isEnding = true
    commands.append(.endWithout(reason))
  }

  /// Gives every member that this node knows its place, where a simulation begins with a cluster that has been running for long.
  package func placeMembers(_ perform: ([NodeCommand]) -> Void) {
    for record in membership.others(where: { peers.tunnels.hasPlace(for: $0, at: $1) }) { perform(peers.admit(record)) }
  }

  // MARK: The kernel

  /// What `admit` asked for was done, or something of it failed.
  public func receiveAdmission(_ ticket: UInt32, isDone: Bool, at now: UInt64) -> [NodeCommand] {
    perform(peers.receiveAdmission(ticket, isDone: isDone, at: now), at: now)
    considerOffers(at: now)
    return finish()
  }

  /// The kernel has a packet for a peer and no association.
  public func receiveQuestionForKeys(to peer: IPv4Address, at now: UInt64) -> [NodeCommand] {
    perform(peers.tunnels.receiveAcquire(peer, at: now), at: now)
    return finish()
  }

  /// An association came to its soft limit, or to its hard one and is gone.
  public func receiveExpiry(
    of spi: UInt32, peer: IPv4Address, isHard: Bool, at now: UInt64
  ) -> [NodeCommand] {
    perform(peers.tunnels.receiveExpiry(of: spi, peer: peer, isHard: isHard, at: now), at: now)
    return finish()
  }

  public func receiveInstallation(over channel: UInt32, isDone: Bool, at now: UInt64) -> [NodeCommand] {
    perform(peers.tunnels.receiveInstallation(over: channel, isDone: isDone, at: now), at: now)
    if isDone, let call = calls[channel], let key = call.conversation.peer?.fingerprint {
      commands += peers.receiveProof(of: key, at: call.address, membership)
    }
    return finish()
  }

  public func receiveAssociations(_ uses: [AssociationUse], at now: UInt64) -> [NodeCommand] {
    perform(peers.tunnels.receiveAssociations(uses, at: now), at: now)
    return finish()
  }

  /// Of these a former run demanded ESP, and these it cut off. All members that this one knows have been admitted; the others are
  /// kept.
  public func resume(demanded: [IPv4Address], cutOff: [InternetAddress], at now: UInt64) -> [NodeCommand] {
    commands += peers.resume(demanded, cutOff, membership, at: now)
    return finish()
  }

  /// What associations a former run left in the kernel; all members that this one knows have their place.
  public func resume(_ uses: [AssociationUse], at now: UInt64) -> [NodeCommand] {
    perform(peers.tunnels.resume(uses, at: now), at: now)
    return finish()
  }

  func perform(_ asked: [TunnelCommand], at now: UInt64) {
    for command in asked {
      if case .connect(let channel, let peer) = command {
        call(
          .tunnel(fingerprint: peer.fingerprint), peer.address, channel, patience: peers.tunnels.settings.patience,
          at: now)
      } else if let command = NodeCommand(command) {
        commands.append(command)
      }
    }
  }
}

extension NodeRecord {
  /// Takes over what was read of the machine.
  public mutating func update(with readings: MachineReadings) {
    cpus = max(readings.processors, 1)
    speed = readings.megahertz
    memoryTotal = UInt32(clamping: readings.memoryTotal >> 10)
    memoryFree = UInt32(clamping: readings.memoryAvailable >> 10)
    load = UInt16(clamping: readings.load.one)
    uptime = UInt32(clamping: readings.uptime)
  }
}
