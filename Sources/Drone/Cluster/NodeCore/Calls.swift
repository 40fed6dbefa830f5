import Addresses
import Bytes
import ChannelFailure
import ControlChannel
import Membership
import Tunnels

// Connections by the number of their channel: admission, conversation, tunnels.

extension NodeCore {
  // MARK: Beginnings

  /// Somebody connects to TCP port 3278. Gives the channel's number; nil if the connection is to be closed at once.
  public func receiveConnection(
    from address: IPv4Address, at now: UInt64
  ) -> (channel: UInt32?, commands: [NodeCommand]) {
    let channel = calls.incomingChannel()
    switch reception.connect(channel, from: address, isMemberAddress: peers.tunnels.hasPeer(at: address)) {
    case .free: break
    case .insteadOf(let former):
      calls.remove(former)
      commands.append(.drop(channel: former))
      perform(peers.tunnels.receiveEnd(of: former, at: now), at: now)
    case .full: return (nil, [])
    }
    calls.insert(Conversation(incomingAt: now), with: address, as: channel)
    return (channel, finish())
  }

  /// Begins a connection with another node.
  func call(
    _ purpose: Conversation.Purpose, _ address: IPv4Address, _ channel: UInt32, patience: UInt64, at now: UInt64
  ) {
    calls.insert(Conversation(purpose, at: now, patience: patience), with: address, as: channel)
    commands.append(.connect(channel: channel, address))
  }

  /// A connection could not even begin.
  public func receiveRefusedConnection(_ channel: UInt32, at now: UInt64) -> [NodeCommand] {
    guard let call = calls.remove(channel) else { return [] }
    switch call.conversation.purpose {
    case .tunnel: perform(peers.tunnels.receiveEnd(of: channel, at: now), at: now)
    case .admission, .entry:
      if channel == joiningChannel { joining?.receiveFailure([UInt8]("there is no way to it"), at: now) }
    case .incoming, .reunion: break
    }
    return finish()
  }

  // MARK: What is said

  /// The other end has proved who it is.
  public func receivePeer(_ peer: Conversation.Peer, over channel: UInt32, at now: UInt64) -> [NodeCommand] {
    converse(over: channel, at: now) { $0.receivePeer(peer) }
    return finish()
  }

  public func receive(_ message: ControlMessage, over channel: UInt32, at now: UInt64) -> [NodeCommand] {
    let host = Conversation.Host(
      cluster: identity.cluster, identifier: membership.cluster, isInClear: !identity.isEncrypted, isIn: isIn)
    converse(over: channel, at: now) { conversation in
      conversation.receive(message, host, objection: { objection(to: $0) })
    }
    if case .map(part: _, isLast: false) = message { dropOtherMaps(of: channel, at: now) }
    return finish()
  }

  /// What the cluster has against a node that says who it is.
  private func objection(to record: NodeRecord) -> Objection? {
    if membership.isRemoved(record.mac, record.fingerprint) { return .removed }
    // A computer that was started anew has another key and mostly its old address. One at another address while the first is alive
    // is a second machine: were it let in, each would end the other whenever it started.
    guard membership.state(of: record.mac) == .alive, let first = membership.record(of: record.mac),
      first.fingerprint != record.fingerprint,
      !first.addresses.all.contains(where: { record.addresses.contains($0) })
    else { return nil }
    return .sameHardware(record.mac, first.addresses.primary)
  }

  /// How long the next message may be, as `FrameReader` counts.
  public func frameLimit(over channel: UInt32) -> Int {
    calls[channel]?.conversation.frameLimit ?? ControlFrame.strangerLimit
  }

  /// What came is no message; nothing comes after it.
  public func receiveNonsense(over channel: UInt32, at now: UInt64) -> [NodeCommand] {
    converse(over: channel, at: now) { $0.receiveNonsense() }
    return finish()
  }

  /// A connection has ended, or the transport failed, and why, as a phrase.
  public func receiveEnd(
    of channel: UInt32, _ reason: ClosedReason?, failure: [UInt8]? = nil, at now: UInt64
  ) -> [NodeCommand] {
    end(channel, reason, failure: failure, at: now)
    return finish()
  }

  func end(_ channel: UInt32, _ reason: ClosedReason?, failure: [UInt8]?, at now: UInt64) {
    guard let call = calls.remove(channel) else { return }
    switch call.conversation.purpose {
    case .incoming:
      reception.receiveEnd(of: channel, reason)
      perform(peers.tunnels.receiveEnd(of: channel, at: now), at: now)
    case .tunnel: perform(peers.tunnels.receiveEnd(of: channel, at: now), at: now)
    case .admission, .entry:
      guard channel == joiningChannel else { return }
      if let failure {
        joining?.receiveFailure(failure, at: now)
      } else {
        perform(joining?.receiveEnd(reason, at: now) ?? [], at: now)
      }
    case .reunion: break
    }
  }

  /// The time of some connections is over.
  func stepCalls(at now: UInt64) {
    for channel in calls.due(at: now) { converse(over: channel, at: now) { $0.step(at: now) } }
  }

  /// Tells a conversation what happens, and does what it asks for.
  private func converse(
    over channel: UInt32, at now: UInt64, _ happens: (inout Conversation) -> [ConversationCommand]
  ) {
    for command in calls.converse(over: channel, happens) { perform(command, channel, at: now) }
  }

  /// A node was removed: nothing that it still says over an open connection counts.
  func dropCalls(of record: NodeRecord, at now: UInt64) {
    for channel in calls.channels(with: record) { drop(channel, nil, at: now) }
  }

  private func drop(_ channel: UInt32, _ reason: ClosedReason?, at now: UInt64) {
    commands.append(.drop(channel: channel))
    end(channel, reason, failure: nil, at: now)
  }

  /// The other end is a member: it is none of the strangers any longer.
  private func establish(_ channel: UInt32, at now: UInt64) {
    guard let key = calls[channel]?.conversation.peer?.fingerprint,
      let former = reception.receiveEstablishment(of: channel, by: key)
    else { return }
    drop(former, nil, at: now)
  }

  /// Of several maps that one member sends at a time the newest is put together.
  private func dropOtherMaps(of channel: UInt32, at now: UInt64) {
    for former in calls.otherMaps(than: channel) {
      reception.refusals.tooMany &+= 1
      drop(former, nil, at: now)
    }
  }

  // MARK: What follows

  private func perform(_ command: ConversationCommand, _ channel: UInt32, at now: UInt64) {
    switch command {
    case .sayHello:
      say(
        .hello(Hello(cluster: identity.cluster, time: seconds, record: membership.ownMap(at: now))), over: channel)
    case .sayJoin: say(.join(record: membership.ownMap(at: now)), over: channel)
    case .say(let message): say(message, over: channel)
    case .sayMap: sayMap(membership.map(at: now), over: channel)
    case .sayOwnMap: if !isEnding { sayMap(membership.ownMap(at: now), over: channel) }
    case .refuse(let objection):
      if let call = calls[channel] { commands += reception.refuse(objection, call, at: now) }
    case .close: commands.append(.close(channel: channel))
    case .drop: drop(channel, .tooSlow, at: now)
    case .establish: establish(channel, at: now)
    case .tunnelOpened: perform(peers.tunnels.receiveConnection(channel), at: now)
    case .tunnel(let message): perform(peers.tunnels.receive(message, over: channel, at: now), at: now)
    case .offer(let offer, let record): consider(offer, record, channel, at: now)
    case .believe(let seconds): commands.append(.believe(seconds: seconds))
    case .merge(let map): merge(map, at: now)
    case .enter(let map): enter(map, at: now)
    case .entered: enterCluster(at: now)
    case .admit: if let call = calls[channel] { commands += reception.admit(call, at: now) }
    case .confirm: commands.append(.findCertificate(channel: channel))
    case .wait(let fingerprint): waitForApproval(of: fingerprint, at: now)
    case .admitted(let certificate, let authority):
      commands.append(.adopt(certificate: certificate, authority: authority))
    case .giveUp(let reason): stopJoining(reason, at: now)
    }
  }

  private func say(_ message: ControlMessage, over channel: UInt32) {
    commands.append(.say(channel: channel, message))
  }

  private func sayMap(_ map: [UInt8], over channel: UInt32) {
    for part in ControlMessage.parts(of: map) { say(part, over: channel) }
  }

  private func consider(_ offer: TunnelOffer, _ record: [UInt8], _ channel: UInt32, at now: UInt64) {
    guard let call = calls[channel], let peer = call.conversation.peer else { return }
    // The news of a node that joined, or has another address, may not have come here yet; its own word is as good.
    if peers.tunnels.peer(at: call.address)?.fingerprint != peer.fingerprint { merge(record, at: now) }
    calls.offers.append((channel, offer))
    considerOffers(at: now)
  }

  /// Hands offers to the tunnels; one of a member whose place in the kernel is being made waits for that.
  func considerOffers(at now: UInt64) {
    let ready = calls.takeOffers { call, key in !peers.isComing(key, at: call.address) }
    for (call, key, offer) in ready {
      perform(
        peers.tunnels.receive(offer, from: key, address: call.address, over: call.channel, at: now), at: now)
    }
  }

  private func merge(_ map: [UInt8], at now: UInt64) {
    do throws(MembershipDecodeError) {
      perform(try membership.receive(map: map, at: now), at: now)
    } catch {
      reception.refusals.count(.unreadable)
    }
  }

  // MARK: Joiners

  /// The certificate for who is at the other end, and the authority's, both DER; nil if none can be made.
  /// - Parameter isNew: it was asked for by `certify`.
  public func receiveCertificate(
    _ certificate: (own: [UInt8], authority: [UInt8])?, isNew: Bool, over channel: UInt32, at now: UInt64
  ) -> [NodeCommand] {
    commands += reception.answer(calls[channel], with: certificate, isNew: isNew, over: channel, at: now)
    return finish()
  }
}
