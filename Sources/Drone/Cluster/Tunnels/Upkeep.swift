extension Tunnels {
  /// `nextDue`, worked out anew.
  var earliestDue: UInt64? {
    var due = tunnels.isEmpty ? nil : nextObservation
    for tunnel in active {
      if let time = tunnel.due { due = min(due ?? time, time) }
    }
    return due
  }

  /// Does what is due.
  public func step(at now: UInt64) -> [TunnelCommand] {
    for tunnel in active {
      guard let due = tunnel.due, due <= now else { continue }
      if let attempt = tunnel.attempt, attempt.deadline <= now { failAttempt(of: tunnel, at: now) }
      if let response = tunnel.response, response.deadline <= now { failResponse(of: tunnel, at: now) }
      for (spi, until) in tunnel.draining where until <= now { commands.append(.remove(tunnel.inbound(spi))) }
      tunnel.draining.removeAll { $0.until <= now }
      if let pair = tunnel.current, pair.outbound != nil, pair.rekeyAt <= now { tunnel.isWanted = true }
      negotiate(tunnel, at: now)
    }
    if let due = nextObservation, due <= now {
      nextObservation = tunnels.isEmpty ? nil : now &+ settings.observation
      if !tunnels.isEmpty { commands.append(.readAssociations) }
    }
    return finish()
  }

  /// What the kernel has: all associations of this node.
  public func receiveAssociations(_ uses: [AssociationUse], at now: UInt64) -> [TunnelCommand] {
    for tunnel in active where tunnel.current != nil || tunnel.isWanted {
      if let pair = tunnel.current {
        compare(tunnel, pair, uses.filter { $0.association.peer == tunnel.peer.address }, at: now)
      }
      negotiate(tunnel, at: now)
    }
    removeStrays(uses)
    return finish()
  }

  private func compare(_ tunnel: Tunnel, _ pair: Pair, _ uses: [AssociationUse], at now: UInt64) {
    var pair = pair
    let inbound = uses.first { $0.association == tunnel.inbound(pair.inbound) }
    let outbound = pair.outbound.flatMap { spi in uses.first { $0.association == tunnel.outbound(spi) } }
    guard let inbound, outbound != nil || pair.outbound == nil else {
      // Somebody removed one of them.
      retire(tunnel, at: now)
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
      commands.append(.remove(tunnel.outbound(spi)))
      pair.outbound = nil
    }
    if pair.outbound == nil && now &- pair.heard >= settings.idle &+ settings.linger {
      commands.append(.remove(tunnel.inbound(pair.inbound)))
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
