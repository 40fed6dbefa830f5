import Addresses
import Bytes
import ControlChannel

extension Tunnels {
  /// Begins a negotiation if one is needed, none is under way and the back-off is over.
  func negotiate(_ tunnel: Tunnel, at now: UInt64) {
    guard tunnel.isWanted, tunnel.attempt == nil, tunnel.response == nil else { return }
    if let retryAt = tunnel.retryAt, retryAt > now { return }
    tunnel.isWanted = false
    tunnel.retryAt = nil
    let offer = TunnelOffer(from: id, to: tunnel.peer.id, spi: newSPI(), counter: nextCounter(), ciphers: ciphers)
    let channel = newChannel()
    tunnel.attempt = Attempt(channel: channel, offer: offer, deadline: now &+ settings.patience)
    begun &+= 1
    commands.append(.connect(channel: channel, tunnel.peer))
  }

  /// A connection that `connect` asked for stands.
  public func receiveConnection(_ channel: UInt32) -> [TunnelCommand] {
    if let tunnel = tunnel(over: channel), let attempt = tunnel.attempt, attempt.channel == channel,
      case .connecting = attempt.stage
    {
      tunnel.attempt?.stage = .offered
      commands.append(.send(channel: channel, .offer(attempt.offer)))
    } else {
      commands.append(.close(channel: channel))
    }
    return finish()
  }

  /// A connection ended, or could not be made.
  public func receiveEnd(of channel: UInt32, at now: UInt64) -> [TunnelCommand] {
    guard let tunnel = tunnel(over: channel) else { return [] }
    if tunnel.attempt?.channel == channel {
      failAttempt(of: tunnel, at: now)
    } else {
      failResponse(of: tunnel, at: now)
    }
    negotiate(tunnel, at: now)
    return finish()
  }

  /// A member sent an offer over a connection that came in; `sender`: the key that the member proved to have; `address`: where
  /// the connection came from. Associations with an address that the member has no longer would carry nothing.
  public func receive(
    _ offer: TunnelOffer, from sender: [UInt8], address: IPv4Address, over channel: UInt32, at now: UInt64
  ) -> [TunnelCommand] {
    if let refusal = consider(offer, from: sender, address: address, over: channel, at: now) {
      commands.append(.send(channel: channel, .refuse(refusal)))
      commands.append(.close(channel: channel))
    }
    return finish()
  }

  /// Nil for an offer that is taken up.
  private func consider(
    _ offer: TunnelOffer, from sender: [UInt8], address: IPv4Address, over channel: UInt32, at now: UInt64
  ) -> TunnelRefusal? {
    guard let tunnel = tunnel(at: address), tunnel.peer.fingerprint == sender, offer.from == tunnel.peer.id else {
      return .notMember
    }
    guard offer.to == id else { return .wrongNode }
    guard let cipher = offer.ciphers.first(where: { ciphers.contains($0) }) else { return .noCommonCipher }
    if tunnel.attempt != nil && id < tunnel.peer.id { return .simultaneous }
    // The peer has the outbound SPI for itself; one that is in use here is a peer at fault.
    guard !tunnel.outboundSPIs.contains(offer.spi) else { return .kernel }
    if tunnel.attempt != nil { abandonAttempt(of: tunnel, at: now) }
    if tunnel.response != nil { failResponse(of: tunnel, at: now) }
    activate(tunnel)
    let response = Response(
      channel: channel, inbound: newSPI(), outbound: offer.spi, cipher: cipher, counter: offer.counter,
      deadline: now &+ settings.patience)
    tunnel.response = response
    commands.append(.install(channel: channel, [keyed(response, .inbound, tunnel)]))
    return nil
  }

  /// The peer's next message over a connection that belongs to a negotiation.
  public func receive(_ message: ControlMessage, over channel: UInt32, at now: UInt64) -> [TunnelCommand] {
    guard let tunnel = tunnel(over: channel) else { return [.close(channel: channel)] }
    if let attempt = tunnel.attempt, attempt.channel == channel {
      switch (attempt.stage, message) {
      case (.offered, .accept(let accept))
      where attempt.offer.ciphers.contains(accept.cipher) && !tunnel.outboundSPIs.contains(accept.spi):
        tunnel.attempt?.stage = .installing(outbound: accept.spi)
        commands.append(
          .install(
            channel: channel,
            [keyed(attempt, .inbound, accept, tunnel), keyed(attempt, .outbound, accept, tunnel)]))
      case (.offered, .refuse(.simultaneous)):
        // The peer's own offer is under way. If it does not come, this node's turn comes again.
        closeAttempt(of: tunnel)
        tunnel.isWanted = true
        tunnel.retryAt = now &+ settings.patience
      case (.confirming(let outbound), .ready):
        closeAttempt(of: tunnel)
        adopt(newPair(inbound: attempt.offer.spi, outbound: outbound, offered: true, at: now), tunnel, at: now)
      default: failAttempt(of: tunnel, at: now)
      }
    } else if let response = tunnel.response {
      if case .accepted = response.stage, message == .ready {
        tunnel.response?.stage = .installingOutbound
        commands.append(.install(channel: channel, [keyed(response, .outbound, tunnel)]))
      } else {
        failResponse(of: tunnel, at: now)
      }
    }
    negotiate(tunnel, at: now)
    return finish()
  }

  /// What `install` asked for was done, or was not and nothing of it is in the kernel.
  public func receiveInstallation(over channel: UInt32, isDone: Bool, at now: UInt64) -> [TunnelCommand] {
    guard let tunnel = tunnel(over: channel) else { return [] }
    if let attempt = tunnel.attempt, attempt.channel == channel, case .installing(let outbound) = attempt.stage {
      if isDone {
        tunnel.attempt?.stage = .confirming(outbound: outbound)
        commands.append(.send(channel: channel, .ready))
      } else {
        failAttempt(of: tunnel, at: now)
      }
    } else if let response = tunnel.response, response.channel == channel {
      switch (response.stage, isDone) {
      case (.installingInbound, true):
        tunnel.response?.stage = .accepted
        commands.append(
          .send(channel: channel, .accept(TunnelAccept(spi: response.inbound, cipher: response.cipher))))
      case (.installingInbound, false):
        commands.append(.send(channel: channel, .refuse(.kernel)))
        closeResponse(of: tunnel)
        failed &+= 1
      case (.installingOutbound, true):
        commands.append(.send(channel: channel, .ready))
        closeResponse(of: tunnel)
        adopt(
          newPair(inbound: response.inbound, outbound: response.outbound, offered: false, at: now), tunnel, at: now)
      default: failResponse(of: tunnel, at: now)
      }
    }
    negotiate(tunnel, at: now)
    return finish()
  }

  private func adopt(_ pair: Pair, _ tunnel: Tunnel, at now: UInt64) {
    if tunnel.current != nil {
      tunnel.renewals &+= 1
      renewed &+= 1
    }
    retire(tunnel, at: now)
    tunnel.current = pair
    tunnel.isWanted = false
    tunnel.failures = 0
    tunnel.retryAt = nil
    completed &+= 1
    if nextObservation == nil { nextObservation = now &+ settings.observation }
  }

  // MARK: Ends

  /// The connection of this node's own negotiation is needed no longer.
  func closeAttempt(of tunnel: Tunnel) {
    guard let channel = tunnel.attempt?.channel else { return }
    commands.append(.close(channel: channel))
    tunnel.attempt = nil
  }

  /// The connection of the peer's is.
  func closeResponse(of tunnel: Tunnel) {
    guard let channel = tunnel.response?.channel else { return }
    commands.append(.close(channel: channel))
    tunnel.response = nil
  }

  /// Ends this node's own negotiation. What the peer may already send by is still taken for a while.
  private func abandonAttempt(of tunnel: Tunnel, at now: UInt64) {
    guard let attempt = tunnel.attempt else { return }
    closeAttempt(of: tunnel)
    if case .confirming(let outbound) = attempt.stage {
      // The peer may have its half already, and would send into the void: unless another pair comes, this node must ask
      // again by itself.
      tunnel.isWanted = true
      commands.append(.remove(tunnel.outbound(outbound)))
      tunnel.draining.append((attempt.offer.spi, now &+ settings.drain))
    }
  }

  func failAttempt(of tunnel: Tunnel, at now: UInt64) {
    abandonAttempt(of: tunnel, at: now)
    failed &+= 1
    tunnel.failures = min(tunnel.failures &+ 1, 16)
    let wait = min(settings.backOff << (tunnel.failures &- 1), settings.longestBackOff)
    tunnel.retryAt = now &+ wait &+ random.next() % max(wait / 2, 1)
    if tunnel.current?.outbound == nil { commands.append(.removeLarval(tunnel.peer.address)) }
  }

  func failResponse(of tunnel: Tunnel, at now: UInt64) {
    guard let response = tunnel.response else { return }
    closeResponse(of: tunnel)
    failed &+= 1
    switch response.stage {
    case .installingInbound: break
    case .accepted, .installingOutbound:
      tunnel.draining.append((response.inbound, now &+ settings.drain))
    }
    if tunnel.current?.outbound == nil { commands.append(.removeLarval(tunnel.peer.address)) }
  }

  // MARK: Keys

  private func keyed(
    _ attempt: Attempt, _ direction: TunnelAssociation.Direction, _ accept: TunnelAccept, _ tunnel: Tunnel
  ) -> KeyedAssociation {
    KeyedAssociation(
      association: direction == .inbound ? tunnel.inbound(attempt.offer.spi) : tunnel.outbound(accept.spi),
      cipher: accept.cipher,
      context: KeyContext(
        direction: direction == .outbound ? .forward : .backward, offeredSPI: attempt.offer.spi,
        acceptedSPI: accept.spi, counter: attempt.offer.counter, offering: fingerprint,
        accepting: tunnel.peer.fingerprint))
  }

  private func keyed(_ response: Response, _ direction: TunnelAssociation.Direction, _ tunnel: Tunnel)
    -> KeyedAssociation
  {
    KeyedAssociation(
      association: direction == .inbound ? tunnel.inbound(response.inbound) : tunnel.outbound(response.outbound),
      cipher: response.cipher,
      context: KeyContext(
        direction: direction == .inbound ? .forward : .backward, offeredSPI: response.outbound,
        acceptedSPI: response.inbound, counter: response.counter, offering: tunnel.peer.fingerprint,
        accepting: fingerprint))
  }
}
