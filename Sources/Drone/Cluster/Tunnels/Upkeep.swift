extension Tunnels {
  /// When `step` is due without any event; nil when only an event can change something.
  public var nextDue: UInt64? {
    var due = tunnels.isEmpty ? nil : nextObservation
    func consider(_ time: UInt64?) {
      guard let time else { return }
      due = min(due ?? time, time)
    }
    for tunnel in tunnels.values {
      consider(tunnel.attempt?.deadline)
      consider(tunnel.response?.deadline)
      for (_, until) in tunnel.draining { consider(until) }
      guard tunnel.attempt == nil, tunnel.response == nil else { continue }
      if tunnel.isWanted { consider(tunnel.retryAt ?? 0) }
      if let pair = tunnel.current, pair.outbound != nil { consider(max(pair.rekeyAt, tunnel.retryAt ?? 0)) }
    }
    return due
  }

  /// Does what is due.
  public mutating func step(at now: UInt64) {
    for peer in tunnels.keys {
      guard var tunnel = tunnels[peer] else { continue }
      if let attempt = tunnel.attempt, attempt.deadline <= now { failAttempt(&tunnel, at: now) }
      if let response = tunnel.response, response.deadline <= now { dropResponse(&tunnel, at: now) }
      for (spi, until) in tunnel.draining where until <= now { effects.append(.remove(tunnel.inbound(spi))) }
      tunnel.draining.removeAll { $0.until <= now }
      if let pair = tunnel.current, pair.outbound != nil, pair.rekeyAt <= now { tunnel.isWanted = true }
      tunnels[peer] = tunnel
      beginIfWanted(peer, at: now)
    }
    if let due = nextObservation, due <= now {
      nextObservation = tunnels.isEmpty ? nil : now &+ settings.observation
      if !tunnels.isEmpty { effects.append(.observe) }
    }
  }

  /// Compares with what the kernel has: all associations of this node.
  public mutating func observe(_ uses: [AssociationUse], at now: UInt64) {
    for peer in tunnels.keys {
      guard var tunnel = tunnels[peer] else { continue }
      let ours = uses.filter { $0.association.peer == tunnel.peer.address }
      if let pair = tunnel.current { observe(&tunnel, pair, ours, at: now) }
      tunnels[peer] = tunnel
      beginIfWanted(peer, at: now)
    }
    removeStrays(uses)
  }

  private mutating func observe(_ tunnel: inout Tunnel, _ pair: Pair, _ uses: [AssociationUse], at now: UInt64) {
    var pair = pair
    let inbound = uses.first { $0.association == tunnel.inbound(pair.inbound) }
    let outbound = pair.outbound.flatMap { spi in uses.first { $0.association == tunnel.outbound(spi) } }
    guard let inbound, outbound != nil || pair.outbound == nil else {
      // Somebody removed one of them.
      retire(&tunnel, at: now)
      tunnel.isWanted = true
      return
    }
    if inbound.packets != pair.inboundPackets {
      pair.inboundPackets = inbound.packets
      pair.heard = now
      pair.silence = settings.silence
      pair.silentUntil = now &+ pair.silence
    }
    if let outbound, outbound.packets != pair.outboundPackets {
      pair.outboundPackets = outbound.packets
      pair.spoke = now
    }
    let idle = now &- max(pair.heard, pair.spoke)
    if let spi = pair.outbound, idle >= settings.idle {
      effects.append(.remove(tunnel.outbound(spi)))
      pair.outbound = nil
    }
    if pair.outbound == nil && now &- pair.heard >= settings.idle &+ settings.linger {
      effects.append(.remove(tunnel.inbound(pair.inbound)))
      tunnel.current = nil
      return
    }
    if pair.outbound != nil, pair.spoke == now, pair.silentUntil <= now {
      pair.silence = min(pair.silence &* 2, settings.rekeyAfter)
      pair.silentUntil = now &+ pair.silence
      tunnel.isWanted = true
    }
    tunnel.current = pair
  }
}
