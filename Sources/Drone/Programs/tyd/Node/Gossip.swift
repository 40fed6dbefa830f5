import DroneLayout
import Addresses
import Bytes
import ControlChannel
import Linux
import Membership
import Netlink
import Reporting
import SecureChannel
import Supervision
import Surveys
import Tunnels
import TydCommand

extension Node {
  func takeGossip(_ now: UInt64) {
    // A bound for each turn: whoever floods this port is a member, but the loop must go on.
    for _ in 0..<64 {
      guard let datagram = try? gossip.receive(upTo: 1500) else { return }
      // A policy demands ESP of members' addresses alone: whatever comes from others may be anybody's word.
      guard datagram.sender.port == ClusterPorts.control,
        !command.isEncrypted || tunnels.hasPeer(at: datagram.sender.address)
      else {
        refused.strangers &+= 1
        continue
      }
      if ProcessMessage.isOne(datagram.bytes) {
        takeProcessMessage(datagram.bytes, from: datagram.sender.address, now)
        continue
      }
      carryOut(membership.receive(datagram.bytes, from: datagram.sender.address, now: now), now)
    }
  }

  /// Does what the membership asks for, in its order.
  func carryOut(_ effects: [Membership.Effect], _ now: UInt64) {
    // First: a node that has the id which this one gave up is a peer like any other.
    if tunnels.id != membership.own.id { tunnels.id = membership.own.id }
    for effect in effects {
      switch effect {
      case .send(let bytes, let address):
        try? gossip.send(bytes, to: SocketAddress(address, port: ClusterPorts.control), from: interface.address)
      case .event(let event): take(event, now)
      case .neighbours: break
      case .reconnect(let record): meetAgain(record, now)
      }
    }
    carryOutTunnels(now)
  }

  private func take(_ event: Membership.Event, _ now: UInt64) {
    switch event {
    case .joined(let record):
      report.note("member", describe(record) + [UInt8](" is in"))
      admit(record, now)
    case .changed(let record, let former):
      if record.mac != membership.own.mac { readmit(record, from: former, now) }
      // Another member may have waited for the id that is free now, this node's former one perhaps.
      if record.id != former.id { admitMissing(now) }
    case .suspected(let record): report.note("member", describe(record) + [UInt8](" does not answer"))
    case .cleared(let record): report.note("member", describe(record) + [UInt8](" answers again"))
    case .died(let record): lose(record, "is dead")
    case .left(let record): lose(record, "has left")
    case .removed(let record):
      admission.revoke(record.fingerprint.bytes)
      if record.mac == membership.own.mac {
        endWithout([UInt8]("This node was removed from the cluster by an operator."), now)
      } else {
        lose(record, "was removed")
      }
    case .allowed: break
    case .replaced:
      endWithout([UInt8]("Another node with this one's hardware address is in the cluster."), now)
    }
    keepSoon(now)
  }

  private func readmit(_ record: NodeRecord, from former: NodeRecord, _ now: UInt64) {
    let kept = record.allAddresses
    uncut(former.allAddresses.filter { !kept.contains($0) }, of: record.mac)
    // The new address first, so that the node is a member all the time.
    admit(record, now)
    guard record.addresses.primary != former.addresses.primary else { return }
    forget(former.addresses.primary, id: former.id)
    // The former one may be another address of it now.
    admit(record, now)
  }

  private func lose(_ record: NodeRecord, _ what: StaticString) {
    report.note("member", describe(record) + [UInt8](" ") + [UInt8](what))
    uncut(record.allAddresses, of: record.mac)
    forget(record.addresses.primary, id: record.id)
  }

  /// A member has these addresses no longer, which may be another one's now.
  private func uncut(_ addresses: [InternetAddress], of former: MACAddress) {
    guard case .host(let filter)? = filter else { return }
    var free = addresses
    membership.forEach { record, state in
      guard state.isLive, record.mac != former else { return }
      let taken = record.allAddresses
      free.removeAll { taken.contains($0) }
    }
    filter.removeOthers(free)
  }

  /// The cluster goes on without this node.
  private func endWithout(_ sentence: [UInt8], _ now: UInt64) {
    report.step(.failed, "tyd", sentence)
    exitStatus = toldToEnd
    end = now
    if joining != nil { failure = Failure(sentence) }
  }

  private func describe(_ record: NodeRecord) -> [UInt8] {
    idText(record.id) + [UInt8](" ") + record.addresses.primary.text
  }

  // MARK: The kernel follows

  /// A member is alive: first the policy that demands ESP, then the filter lets packets to it and from it.
  func admit(_ record: NodeRecord, _ now: UInt64) {
    let peer = TunnelPeer(record)
    // A member that claims this node's own address is no way to anybody.
    guard peer.address != interface.address else { return }
    do throws(NetlinkSocketError) {
      try transforms?.require(peer.address)
      try filter?.add(peer.address)
      let own = interface.addresses.map { InternetAddress.ipv4($0) } + interface.addresses6.map { .ipv6($0) }
      try filter?.addOthers(record.allAddresses.filter { $0 != .ipv4(peer.address) && !own.contains($0) })
    } catch {
      // Without the policy nothing may pass, and without its place in the filter nothing does.
      report.step(.failed, "member", peer.address.text + [UInt8](": ") + error.text)
      return
    }
    if command.isEncrypted { tunnels.add(peer, at: now) }
  }

  /// Members that have no place in the kernel get one: there was no room, or two of them had one id or one address for a while.
  func admitMissing(_ now: UInt64) {
    guard command.isEncrypted else { return }
    let own = membership.own.mac
    var missing: [NodeRecord] = []
    membership.forEach { record, state in
      guard state.isLive, record.mac != own else { return }
      if tunnels.hasPlace(for: record.id, at: record.addresses.primary) { missing.append(record) }
    }
    for record in missing { admit(record, now) }
  }

  /// A member is gone, or has another address. Where another one has the address that it had, everything stays demanded: a
  /// computer with another card, say, that is a new node at its old address before the old one is found dead.
  func forget(_ address: IPv4Address, id: UInt16) {
    let now = millisecondsSinceStart()
    if let heir = membership.member(at: address), heir.mac != membership.own.mac {
      if tunnels.peer(id)?.address == address { tunnels.remove(id, at: now) }
      return admit(heir, now)
    }
    release(address, id: id)
  }

  /// First the filter closes, then policy and associations go.
  func release(_ address: IPv4Address, id: UInt16) {
    let now = millisecondsSinceStart()
    filter?.remove(address)
    if tunnels.peer(id)?.address == address { tunnels.remove(id, at: now) }
    carryOutTunnels(now)
    transforms?.release(address)
  }

  /// A node that was thought dead may be there again, on the other side of a network that was cut.
  private func meetAgain(_ record: NodeRecord, _ now: UInt64) {
    open(.reunion, to: record.addresses.primary, channel: ownNumber(), patience: 5000, now)
  }
}

extension NodeRecord {
  fileprivate var allAddresses: [InternetAddress] {
    addresses.all.map { .ipv4($0) } + addresses6.all.map { .ipv6($0) }
  }
}

extension TunnelPeer {
  init(_ record: NodeRecord) {
    self.init(id: record.id, address: record.addresses.primary, fingerprint: record.fingerprint.bytes)
  }
}
