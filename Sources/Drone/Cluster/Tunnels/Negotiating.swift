import Addresses
import ControlChannel

extension Tunnels {
  /// Begins a negotiation if one is needed, none is under way and the back-off is over.
  mutating func beginIfWanted(_ peer: UInt16, at now: UInt64) {
    guard var tunnel = tunnels[peer], tunnel.isWanted, tunnel.attempt == nil, tunnel.response == nil else { return }
    if let retryAt = tunnel.retryAt, retryAt > now { return }
    tunnel.isWanted = false
    tunnel.retryAt = nil
    let offer = TunnelOffer(from: id, to: peer, spi: newSPI(), counter: nextCounter(), ciphers: ciphers)
    let attempt = Attempt(channel: newChannel(), offer: offer, deadline: now &+ settings.patience)
    tunnel.attempt = attempt
    tunnels[peer] = tunnel
    begun &+= 1
    effects.append(.connect(channel: attempt.channel, tunnel.peer))
  }

  /// A connection that `connect` asked for stands.
  public mutating func opened(_ channel: UInt32, at now: UInt64) {
    guard var tunnel = owner(of: channel), var attempt = tunnel.attempt, attempt.channel == channel,
      case .connecting = attempt.stage
    else {
      effects.append(.close(channel: channel))
      return
    }
    attempt.stage = .offered
    tunnel.attempt = attempt
    tunnels[tunnel.peer.id] = tunnel
    effects.append(.send(channel: channel, .offer(attempt.offer)))
  }

  /// A connection ended, or could not be made.
  public mutating func closed(_ channel: UInt32, at now: UInt64) {
    guard var tunnel = owner(of: channel) else { return }
    if tunnel.attempt?.channel == channel { failAttempt(&tunnel, at: now) } else { dropResponse(&tunnel, at: now) }
    tunnels[tunnel.peer.id] = tunnel
    beginIfWanted(tunnel.peer.id, at: now)
  }

  /// A member sent an offer over a connection that came in; `sender`: the key that the member proved to have; `address`: where
  /// the connection came from. Associations with an address that the member has no longer would carry nothing.
  public mutating func offered(
    _ offer: TunnelOffer, from sender: [UInt8], address: IPv4Address, over channel: UInt32, at now: UInt64
  ) {
    func refuse(_ reason: TunnelRefusal) {
      effects.append(.send(channel: channel, .refuse(reason)))
      effects.append(.close(channel: channel))
    }
    guard let peer = peer(fingerprint: sender)?.id, var tunnel = tunnels[peer], offer.from == peer,
      tunnel.peer.address == address
    else {
      return refuse(.notMember)
    }
    guard offer.to == id else { return refuse(.wrongNode) }
    guard let cipher = offer.ciphers.first(where: { ciphers.contains($0) }) else { return refuse(.noCommonCipher) }
    if tunnel.attempt != nil && id < peer { return refuse(.simultaneous) }
    // The peer has the outbound SPI for itself; one that is in use here is a peer at fault.
    guard !tunnel.outboundSPIs.contains(offer.spi) else { return refuse(.kernel) }
    if tunnel.attempt != nil { abandonAttempt(&tunnel, at: now) }
    if tunnel.response != nil { dropResponse(&tunnel, at: now) }
    tunnels[peer] = tunnel
    let response = Response(
      channel: channel, inbound: newSPI(), outbound: offer.spi, cipher: cipher, counter: offer.counter,
      deadline: now &+ settings.patience)
    tunnel.response = response
    tunnels[peer] = tunnel
    effects.append(.install(channel: channel, [keyed(response, .inbound, tunnel)]))
  }

  /// The peer's next message over a connection that belongs to a negotiation.
  public mutating func received(_ message: ControlMessage, over channel: UInt32, at now: UInt64) {
    guard var tunnel = owner(of: channel) else {
      effects.append(.close(channel: channel))
      return
    }
    if var attempt = tunnel.attempt, attempt.channel == channel {
      switch (attempt.stage, message) {
      case (.offered, .accept(let accept))
      where attempt.offer.ciphers.contains(accept.cipher) && !tunnel.outboundSPIs.contains(accept.spi):
        attempt.stage = .installing(outbound: accept.spi)
        tunnel.attempt = attempt
        effects.append(
          .install(
            channel: channel,
            [keyed(attempt, .inbound, accept, tunnel), keyed(attempt, .outbound, accept, tunnel)]))
      case (.offered, .refuse(.simultaneous)):
        // The peer's own offer is under way. If it does not come, this node's turn comes again.
        effects.append(.close(channel: channel))
        tunnel.attempt = nil
        tunnel.isWanted = true
        tunnel.retryAt = now &+ settings.patience
      case (.confirming(let outbound), .ready):
        effects.append(.close(channel: channel))
        tunnel.attempt = nil
        adopt(&tunnel, newPair(inbound: attempt.offer.spi, outbound: outbound, offered: true, at: now), at: now)
      default: failAttempt(&tunnel, at: now)
      }
    } else if var response = tunnel.response {
      if case .accepted = response.stage, message == .ready {
        response.stage = .installingOutbound
        tunnel.response = response
        effects.append(.install(channel: channel, [keyed(response, .outbound, tunnel)]))
      } else {
        dropResponse(&tunnel, at: now)
      }
    }
    tunnels[tunnel.peer.id] = tunnel
    beginIfWanted(tunnel.peer.id, at: now)
  }

  /// What `install` asked for was done, or was not and nothing of it is in the kernel.
  public mutating func installed(_ channel: UInt32, _ succeeded: Bool, at now: UInt64) {
    guard var tunnel = owner(of: channel) else { return }
    if var attempt = tunnel.attempt, attempt.channel == channel, case .installing(let outbound) = attempt.stage {
      if succeeded {
        attempt.stage = .confirming(outbound: outbound)
        tunnel.attempt = attempt
        effects.append(.send(channel: channel, .ready))
      } else {
        failAttempt(&tunnel, at: now)
      }
    } else if var response = tunnel.response, response.channel == channel {
      switch (response.stage, succeeded) {
      case (.installingInbound, true):
        response.stage = .accepted
        tunnel.response = response
        effects.append(
          .send(channel: channel, .accept(TunnelAccept(spi: response.inbound, cipher: response.cipher))))
      case (.installingInbound, false):
        effects.append(.send(channel: channel, .refuse(.kernel)))
        effects.append(.close(channel: channel))
        tunnel.response = nil
        failed &+= 1
      case (.installingOutbound, true):
        effects.append(.send(channel: channel, .ready))
        effects.append(.close(channel: channel))
        tunnel.response = nil
        let pair = newPair(inbound: response.inbound, outbound: response.outbound, offered: false, at: now)
        adopt(&tunnel, pair, at: now)
      default: dropResponse(&tunnel, at: now)
      }
    }
    tunnels[tunnel.peer.id] = tunnel
    beginIfWanted(tunnel.peer.id, at: now)
  }

  private func owner(of channel: UInt32) -> Tunnel? {
    tunnels.values.first { $0.attempt?.channel == channel || $0.response?.channel == channel }
  }

  private mutating func adopt(_ tunnel: inout Tunnel, _ pair: Pair, at now: UInt64) {
    if tunnel.current != nil {
      tunnel.renewals &+= 1
      renewed &+= 1
    }
    retire(&tunnel, at: now)
    tunnel.current = pair
    tunnel.isWanted = false
    tunnel.failures = 0
    tunnel.retryAt = nil
    completed &+= 1
    if nextObservation == nil { nextObservation = now &+ settings.observation }
  }

  /// Ends this node's own negotiation. What the peer may already send by is still taken for a while.
  private mutating func abandonAttempt(_ tunnel: inout Tunnel, at now: UInt64) {
    guard let attempt = tunnel.attempt else { return }
    effects.append(.close(channel: attempt.channel))
    tunnel.attempt = nil
    if case .confirming(let outbound) = attempt.stage {
      // The peer may have its half already, and would send into the void: unless another pair comes, this node must ask
      // again by itself.
      tunnel.isWanted = true
      effects.append(.remove(tunnel.outbound(outbound)))
      tunnel.draining.append((attempt.offer.spi, now &+ settings.drain))
    }
  }

  mutating func failAttempt(_ tunnel: inout Tunnel, at now: UInt64) {
    abandonAttempt(&tunnel, at: now)
    failed &+= 1
    tunnel.failures = min(tunnel.failures &+ 1, 16)
    let wait = min(settings.backOff << (tunnel.failures &- 1), settings.longestBackOff)
    tunnel.retryAt = now &+ wait &+ random() % max(wait / 2, 1)
    if tunnel.current?.outbound == nil { effects.append(.removeLarval(tunnel.peer.address)) }
  }

  mutating func dropResponse(_ tunnel: inout Tunnel, at now: UInt64) {
    guard let response = tunnel.response else { return }
    effects.append(.close(channel: response.channel))
    tunnel.response = nil
    failed &+= 1
    switch response.stage {
    case .installingInbound: break
    case .accepted, .installingOutbound:
      tunnel.draining.append((response.inbound, now &+ settings.drain))
    }
    if tunnel.current?.outbound == nil { effects.append(.removeLarval(tunnel.peer.address)) }
  }

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
