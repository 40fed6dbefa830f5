import Addresses
import ControlChannel
import MachineReadings
import Membership
import Surveys
import Tunnels

// Datagrams of members, what the membership asks for, and this machine as the others see it.

extension NodeCore {
  /// A datagram came to UDP port 3278 from another's port 3278, or from another port.
  public mutating func receive(
    _ datagram: [UInt8], from address: IPv4Address, isFromPort: Bool = true, at now: UInt64
  ) -> [NodeCommand] {
    // A policy demands ESP of members' addresses alone: whatever comes from others may be anybody's word.
    guard isFromPort, peers.isProtected(address) else {
      refusals.strangers &+= 1
      return []
    }
    if ProcessMessage.isOne(datagram) { return receiveProcessMessage(datagram, from: address, at: now) }
    return follow(membership.receive(datagram, from: address, now: now), at: now)
  }

  /// How this machine is now.
  /// - Parameter addresses: those by which the others may know it, nil to leave them.
  public mutating func receive(
    _ readings: MachineReadings, addresses: AddressList?, addresses6: AddressList6, at now: UInt64
  ) -> [NodeCommand] {
    admission.forget(at: now)
    var record = membership.own
    record.take(readings)
    if let addresses { record.addresses = addresses }
    record.addresses6 = addresses6
    peers.ownAddresses = record.allAddresses
    var commands = follow(membership.update(record, now: now), at: now)
    if isIn { commands += peers.admitMissing(membership) }
    return commands
  }

  /// This machine has another address in the cluster; with it, it has all these.
  public mutating func receiveAddress(
    _ address: IPv4Address, all: [InternetAddress], at now: UInt64
  ) -> [NodeCommand] {
    guard address != peers.own else { return [] }
    peers.ownAddresses = all
    let commands = peers.follow(address, membership, at: now)
    return commands + takeTunnelCommands(at: now)
  }

  // MARK: What the membership asks for

  mutating func follow(_ effects: [Membership.Effect], at now: UInt64) -> [NodeCommand] {
    // First: a node that has the id which this one gave up is a peer like any other.
    if peers.tunnels.id != membership.own.id { peers.tunnels.id = membership.own.id }
    var commands: [NodeCommand] = []
    for effect in effects {
      switch effect {
      case .send(let bytes, let address): commands.append(.send(bytes, to: address))
      case .event(let event): commands += follow(event, at: now)
      case .neighbours: break
      case .reconnect(let record):
        // It may be there again, on the other side of a network that was cut.
        commands += call(.reunion, record.addresses.primary, ownChannel(), patience: 5000, at: now)
      }
    }
    return commands + takeTunnelCommands(at: now)
  }

  private mutating func follow(_ event: Membership.Event, at now: UInt64) -> [NodeCommand] {
    keepSoon(at: now)
    switch event {
    case .joined(let record): return [.tell(.joined(record))] + peers.admit(record)
    case .changed(let record, let former):
      var commands: [NodeCommand] = [.tell(.changed(record))]
      if record.mac != membership.own.mac { commands += peers.readmit(record, from: former, membership, at: now) }
      // Another member may have waited for the id that is free now, this node's former one perhaps.
      if record.id != former.id { commands += peers.admitMissing(membership) }
      return commands
    case .suspected(let record): return [.tell(.suspected(record))]
    case .cleared(let record): return [.tell(.cleared(record))]
    case .died(let record): return [.tell(.died(record))] + peers.lose(record, membership, at: now)
    case .left(let record): return [.tell(.left(record))] + peers.lose(record, membership, at: now)
    case .removed(let record):
      admission.revoke(record.fingerprint.bytes)
      if record.mac == membership.own.mac { return endWithout(.removedItself) }
      return [.tell(.removed(record))] + peers.lose(record, membership, at: now)
    case .allowed: return []
    case .replaced: return endWithout(.replaced)
    }
  }

  /// The cluster goes on without this node.
  private mutating func endWithout(_ reason: NodeNews) -> [NodeCommand] {
    isEnding = true
    return [.endWithout(reason)]
  }

  /// Gives every member that this node knows its place, where a simulation begins with a cluster that has been running for long.
  package mutating func placeMembers() -> [NodeCommand] { peers.admitMissing(membership) }

  // MARK: The kernel

  /// What `admit` asked for was done, or something of it failed.
  public mutating func receiveAdmission(_ ticket: UInt32, isDone: Bool, at now: UInt64) -> [NodeCommand] {
    peers.admitted(ticket, isDone, at: now)
    return takeTunnelCommands(at: now) + considerOffers(at: now)
  }

  /// The kernel has a packet for a peer and no association.
  public mutating func receiveQuestionForKeys(to peer: IPv4Address, at now: UInt64) -> [NodeCommand] {
    peers.tunnels.acquire(peer, at: now)
    return takeTunnelCommands(at: now)
  }

  /// An association came to its soft limit, or to its hard one and is gone.
  public mutating func receiveExpiry(
    of spi: UInt32, peer: IPv4Address, isHard: Bool, at now: UInt64
  ) -> [NodeCommand] {
    peers.tunnels.expired(spi, peer: peer, isHard: isHard, at: now)
    return takeTunnelCommands(at: now)
  }

  public mutating func receiveInstallation(over channel: UInt32, isDone: Bool, at now: UInt64) -> [NodeCommand] {
    peers.tunnels.installed(channel, isDone, at: now)
    return takeTunnelCommands(at: now)
  }

  public mutating func receiveAssociations(_ uses: [AssociationUse], at now: UInt64) -> [NodeCommand] {
    peers.tunnels.observe(uses, at: now)
    return takeTunnelCommands(at: now)
  }

  /// What a former run left in the kernel; all members that this one knows have their place.
  public mutating func resume(_ uses: [AssociationUse], at now: UInt64) -> [NodeCommand] {
    peers.tunnels.resume(uses, at: now)
    return takeTunnelCommands(at: now)
  }

  /// What the tunnels ask for, until they ask for nothing more.
  mutating func takeTunnelCommands(at now: UInt64) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    for effect in peers.tunnels.takeEffects() {
      if case .connect(let channel, let peer) = effect {
        commands += call(
          .tunnel(fingerprint: peer.fingerprint), peer.address, channel, patience: peers.tunnels.settings.patience,
          at: now)
      } else if let command = NodeCommand(effect) {
        commands.append(command)
      }
    }
    return commands
  }
}

extension NodeRecord {
  /// Takes over what was read of the machine.
  public mutating func take(_ readings: MachineReadings) {
    cpus = max(readings.processors, 1)
    speed = readings.megahertz
    memoryTotal = UInt32(clamping: readings.memoryTotal >> 10)
    memoryFree = UInt32(clamping: readings.memoryAvailable >> 10)
    load = UInt16(clamping: readings.load.one)
    uptime = UInt32(clamping: readings.uptime)
  }
}
