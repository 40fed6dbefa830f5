import Addresses
import Bytes
import ChannelFailure
import ControlChannel
import Membership
import Tunnels

/// A connection of the control channel: what is said over it, and with whom.
struct Call: Sendable {
  let address: IPv4Address
  var conversation: Conversation
}

// Connections by the number of their channel: admission, conversation, tunnels.

extension NodeCore {
  // MARK: Beginnings

  /// Somebody connects to TCP port 3278. Gives the channel's number; nil if the connection is to be closed at once.
  public mutating func receiveConnection(
    from address: IPv4Address, at now: UInt64
  ) -> (channel: UInt32?, commands: [NodeCommand]) {
    let channel = incomingChannel()
    var commands: [NodeCommand] = []
    switch admission.connected(channel, from: address, isMemberAddress: peers.tunnels.hasPeer(at: address)) {
    case .free: break
    case .insteadOf(let former):
      refusals.tooMany &+= 1
      calls[former] = nil
      commands.append(.drop(channel: former))
      peers.tunnels.closed(former, at: now)
      commands += takeTunnelCommands(at: now)
    case .full:
      refusals.tooMany &+= 1
      return (nil, [])
    }
    calls[channel] = Call(address: address, conversation: Conversation(incomingAt: now))
    return (channel, commands)
  }

  /// Begins a connection with another node.
  mutating func call(
    _ purpose: Conversation.Purpose, _ address: IPv4Address, _ channel: UInt32, patience: UInt64, at now: UInt64
  ) -> [NodeCommand] {
    calls[channel] = Call(
      address: address, conversation: Conversation(purpose, at: now, patience: patience))
    return [.connect(channel: channel, address)]
  }

  /// A connection could not even begin.
  public mutating func receiveRefusedConnection(_ channel: UInt32, at now: UInt64) -> [NodeCommand] {
    guard let call = calls.removeValue(forKey: channel) else { return [] }
    switch call.conversation.purpose {
    case .tunnel: peers.tunnels.closed(channel, at: now)
    case .admission, .entry: joining?.failed([UInt8]("there is no way to it"), at: now)
    case .incoming, .reunion: break
    }
    return takeTunnelCommands(at: now)
  }

  // MARK: What is said

  /// The other end has proved who it is.
  public mutating func receivePeer(_ peer: Conversation.Peer, over channel: UInt32, at now: UInt64) -> [NodeCommand] {
    guard let steps = calls[channel]?.conversation.met(peer) else { return [] }
    return follow(steps, channel, at: now)
  }

  public mutating func receive(_ message: ControlMessage, over channel: UInt32, at now: UInt64) -> [NodeCommand] {
    let host = Conversation.Host(
      cluster: identity.cluster, identifier: membership.cluster, isInClear: !identity.isEncrypted, isIn: isIn)
    let membership = self.membership
    guard
      let steps = calls[channel]?.conversation.take(
        message, host, isRemoved: { membership.isRemoved($0.mac, $0.fingerprint) })
    else { return [] }
    return follow(steps, channel, at: now)
  }

  /// What came is no message; nothing comes after it.
  public mutating func receiveNonsense(over channel: UInt32, at now: UInt64) -> [NodeCommand] {
    guard let steps = calls[channel]?.conversation.takeUnreadable() else { return [] }
    return follow(steps, channel, at: now)
  }

  /// A connection has ended, or the transport failed, and why, as a phrase.
  public mutating func receiveEnd(
    of channel: UInt32, _ reason: ClosedReason?, failure: [UInt8]? = nil, at now: UInt64
  ) -> [NodeCommand] {
    guard let call = calls.removeValue(forKey: channel) else { return [] }
    var commands: [NodeCommand] = []
    switch call.conversation.purpose {
    case .incoming:
      admission.settled(channel)
      if let reason { refusals.count(reason) }
      peers.tunnels.closed(channel, at: now)
    case .tunnel: peers.tunnels.closed(channel, at: now)
    case .admission, .entry:
      if let failure {
        joining?.failed(failure, at: now)
      } else {
        commands += follow(joining?.ended(reason, at: now) ?? [], at: now)
      }
    case .reunion: break
    }
    return commands + takeTunnelCommands(at: now)
  }

  // MARK: What follows

  private mutating func follow(_ steps: [Conversation.Step], _ channel: UInt32, at now: UInt64) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    for step in steps { commands += follow(step, channel, at: now) }
    return commands + takeTunnelCommands(at: now)
  }

  private mutating func follow(_ step: Conversation.Step, _ channel: UInt32, at now: UInt64) -> [NodeCommand] {
    switch step {
    case .sayHello: return [.say(channel: channel, .hello(hello(at: now)))]
    case .sayJoin: return [.say(channel: channel, .join(record: membership.ownMap(now: now)))]
    case .say(let message): return [.say(channel: channel, message)]
    case .sayMap: return say(map: membership.map(now: now), over: channel)
    case .sayOwnMap: return isEnding ? [] : say(map: membership.ownMap(now: now), over: channel)
    case .refuse(let objection): return refuse(objection, channel)
    case .close: return [.close(channel: channel)]
    case .settle: admission.settled(channel)
    case .tunnelOpened: peers.tunnels.opened(channel, at: now)
    case .tunnel(let message): peers.tunnels.received(message, over: channel, at: now)
    case .offer(let offer, let record): return consider(offer, record, channel, at: now)
    case .believe(let seconds): return [.believe(seconds: seconds)]
    case .merge(let map): return merge(map, at: now)
    case .enter(let map): return enter(map, at: now)
    case .entered: return enter(at: now)
    case .admit: return admit(channel, at: now)
    case .confirm: return [.findCertificate(channel: channel)]
    case .wait(let fingerprint): return waitForApproval(of: fingerprint, at: now)
    case .admitted(let certificate, let authority): return [.adopt(certificate: certificate, authority: authority)]
    case .giveUp(let reason): return stopJoining(reason, at: now)
    }
    return takeTunnelCommands(at: now)
  }

  private func hello(at now: UInt64) -> Hello {
    Hello(cluster: identity.cluster, time: seconds, record: membership.ownMap(now: now))
  }

  private mutating func consider(
    _ offer: TunnelOffer, _ record: [UInt8], _ channel: UInt32, at now: UInt64
  ) -> [NodeCommand] {
    guard let call = calls[channel], let peer = call.conversation.peer else { return [] }
    // The news of a node that joined, or has another address, may not have come here yet; its own word is as good.
    var commands: [NodeCommand] = []
    if peers.tunnels.peer(fingerprint: peer.fingerprint)?.address != call.address { commands = merge(record, at: now) }
    offers.append((channel, offer))
    return commands + considerOffers(at: now)
  }

  /// Hands offers to the tunnels; one of a member whose place in the kernel is being made waits for that.
  mutating func considerOffers(at now: UInt64) -> [NodeCommand] {
    let waiting = offers
    offers = []
    for (channel, offer) in waiting {
      guard let call = calls[channel], let peer = call.conversation.peer else { continue }
      if peers.isComing(peer.fingerprint, at: call.address) {
        offers.append((channel, offer))
      } else {
        peers.tunnels.offered(offer, from: peer.fingerprint, address: call.address, over: channel, at: now)
      }
    }
    return takeTunnelCommands(at: now)
  }

  private func say(map: [UInt8], over channel: UInt32) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    var rest = map[...]
    repeat {
      let part = rest.prefix(ControlFrame.mapPartLimit)
      rest = rest.dropFirst(part.count)
      commands.append(.say(channel: channel, .map(part: [UInt8](part), isLast: rest.isEmpty)))
    } while !rest.isEmpty
    return commands
  }

  private mutating func merge(_ map: [UInt8], at now: UInt64) -> [NodeCommand] {
    do throws(MembershipDecodeError) {
      return follow(try membership.merge(map: map, now: now), at: now)
    } catch {
      refusals.count(.unreadable)
      return []
    }
  }

  private mutating func refuse(_ objection: Objection, _ channel: UInt32) -> [NodeCommand] {
    refusals.count(objection)
    var commands: [NodeCommand] = []
    if !objection.note.isEmpty, let address = calls[channel]?.address {
      commands.append(.tell(.refused(address, objection)))
    }
    if !objection.sentence.isEmpty {
      commands.append(.say(channel: channel, .refused(reason: objection.sentence)))
    }
    return commands + [.close(channel: channel)]
  }

  // MARK: Joiners

  /// Somebody with a key that nobody has certified asks to be admitted.
  private mutating func admit(_ channel: UInt32, at now: UInt64) -> [NodeCommand] {
    guard let call = calls[channel], let key = call.conversation.peer?.fingerprint else {
      return [.close(channel: channel)]
    }
    let isNew = !admission.pending.contains { $0.fingerprint == key }
    switch admission.request(key, from: call.address, at: now) {
    case .admit: return [.certify(channel: channel)]
    case .wait:
      let news: [NodeCommand] = isNew ? [.tell(.waits(call.address, key: key))] : []
      return news + [.say(channel: channel, .pending(fingerprint: key)), .close(channel: channel)]
    case .refuse(let reason): return [.say(channel: channel, .refused(reason: reason)), .close(channel: channel)]
    }
  }

  /// The certificate for who is at the other end, and the authority's, both DER; nil if none can be made.
  /// - Parameter isNew: it was asked for by `certify`.
  public mutating func receiveCertificate(
    _ certificate: (own: [UInt8], authority: [UInt8])?, isNew: Bool, over channel: UInt32
  ) -> [NodeCommand] {
    guard let certificate else {
      let reason = [UInt8]("this member cannot make certificates")
      return (isNew ? [.say(channel: channel, .refused(reason: reason))] : []) + [.close(channel: channel)]
    }
    var commands: [NodeCommand] = []
    if isNew, let call = calls[channel], let key = call.conversation.peer?.fingerprint {
      commands.append(.tell(.admitted(call.address, key: key)))
    }
    commands.append(
      .say(channel: channel, .admitted(certificate: certificate.own, authority: certificate.authority)))
    return commands + [.close(channel: channel)]
  }
}
