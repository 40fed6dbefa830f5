import Addresses
import Bytes
import ControlChannel
import Linux
import Membership
import SecureChannel
import Tunnels
import TydCommand

extension Node {
  func acceptConnections(_ now: UInt64) {
    for _ in 0..<64 {
      guard let socket = try? acceptStream(listener) else { return }
      guard let peer = peerAddress(of: socket) else { continue }
      let channel = incomingNumber()
      switch admission.connected(
        channel, from: peer.address, isMemberAddress: tunnels.hasPeer(at: peer.address))
      {
      case .free: break
      case .insteadOf(let former):
        refused.tooMany &+= 1
        drop(former, now)
      case .full:
        refused.tooMany &+= 1
        continue
      }
      let connection = Connection(
        Conversation(incomingAt: now), channel, socket, with: peer.address, identity: identity, time: time.seconds)
      connection.begin(.server, now: now)
      register(connection)
    }
  }

  /// Ends a connection that gives way to another, without a word.
  private func drop(_ channel: UInt32, _ now: UInt64) {
    guard let connection = connection(channel) else { return }
    connection.expire()
    forget(connection)
    tunnels.closed(channel, at: now)
  }

  private func forget(_ connection: Connection) {
    connection.source?.end()
    connection.source = nil
    connections.removeAll { $0 === connection }
  }

  /// Lets a connection go on, and acts on what came by it.
  func advance(_ connection: Connection, _ ready: Readiness, _ now: UInt64) {
    for arrival in connection.advance(ready, now: now) {
      switch arrival {
      case .met(let peer):
        let known = Conversation.Peer(fingerprint: peer.fingerprint.bytes, isMember: peer.isMember)
        carryOut(connection.conversation.met(known), connection, now)
      case .message(let message):
        let steps = connection.conversation.take(message, host) { membership.isRemoved($0.mac, $0.fingerprint) }
        carryOut(steps, connection, now)
      case .unreadable: carryOut(connection.conversation.takeUnreadable(), connection, now)
      }
      if connection.isClosing { break }
    }
    if connection.isOver {
      forget(connection)
      lose(connection, now)
    }
    carryOutTunnels(now)
  }

  private var host: Conversation.Host {
    Conversation.Host(
      cluster: credential.clusterFingerprint, identifier: membership.cluster, isInClear: !command.isEncrypted,
      isIn: joining == nil)
  }

  func hello(_ now: UInt64) -> Hello {
    Hello(
      cluster: credential.clusterFingerprint, time: UInt64(clamping: time.seconds),
      record: membership.ownMap(now: now))
  }

  private func carryOut(_ steps: [Conversation.Step], _ connection: Connection, _ now: UInt64) {
    for step in steps {
      switch step {
      case .sayHello: connection.send(.hello(hello(now)))
      case .sayJoin: connection.send(.join(record: membership.ownMap(now: now)))
      case .say(let message): connection.send(message)
      case .sayMap: sendMap(membership.map(now: now), connection)
      case .sayOwnMap: if failure == nil && end == nil { sendMap(membership.ownMap(now: now), connection) }
      case .refuse(let objection): refuse(connection, objection)
      case .close: connection.close()
      case .settle: admission.settled(connection.channel)
      case .tunnelOpened: tunnels.opened(connection.channel, at: now)
      case .tunnel(let message): tunnels.received(message, over: connection.channel, at: now)
      case .offer(let offer, let record): take(offer, record, connection, now)
      case .believe(let seconds): time.told(Int64(clamping: seconds), under: credential.authority)
      case .merge(let map): merge(map, now)
      case .enter(let map): join(map, now)
      case .entered: enter(now)
      case .admit: admit(connection, now)
      case .confirm: confirm(connection)
      case .wait(let fingerprint): waitForApproval(fingerprint, now)
      case .admitted(let certificate, let authority): take(certificate, authority, now)
      case .giveUp(let reason): stopJoining(reason, now)
      }
    }
  }

  private func take(_ offer: TunnelOffer, _ record: [UInt8], _ connection: Connection, _ now: UInt64) {
    guard let peer = connection.peer else { return }
    // The news of a node that joined, or has another address, may not have come here yet; its own word is as good.
    if tunnels.peer(fingerprint: peer.fingerprint.bytes)?.address != connection.address { merge(record, now) }
    tunnels.offered(
      offer, from: peer.fingerprint.bytes, address: connection.address, over: connection.channel, at: now)
  }

  private func sendMap(_ map: [UInt8], _ connection: Connection) {
    var rest = map[...]
    repeat {
      let part = rest.prefix(ControlFrame.mapPartLimit)
      rest = rest.dropFirst(part.count)
      connection.send(.map(part: [UInt8](part), isLast: rest.isEmpty))
    } while !rest.isEmpty
  }

  private func merge(_ map: [UInt8], _ now: UInt64) {
    do throws(MembershipDecodeError) {
      carryOut(try membership.merge(map: map, now: now), now)
    } catch {
      refused.count(.unreadable)
    }
  }

  private func refuse(_ connection: Connection, _ objection: Objection) {
    refused.count(objection)
    if !objection.note.isEmpty {
      report.note("refused", connection.address.text + [UInt8](" ") + objection.note)
    }
    if !objection.sentence.isEmpty { connection.send(.refused(reason: objection.sentence)) }
    connection.close()
  }

  // MARK: Joiners

  /// Somebody with a key that nobody has certified asks to be admitted.
  private func admit(_ connection: Connection, _ now: UInt64) {
    defer { connection.close() }
    guard let peer = connection.peer else { return }
    let isNew = !admission.pending.contains { $0.fingerprint == peer.fingerprint.bytes }
    switch admission.request(peer.fingerprint.bytes, from: connection.address, at: now) {
    case .admit:
      guard let key = credential.authorityKey,
        let certificate = try? credential.authority.issue(for: peer.certificate.publicKey, key: key)
      else {
        connection.send(.refused(reason: [UInt8]("this member cannot make certificates")))
        return
      }
      report.note("join", connection.address.text + [UInt8](" is admitted, key ") + peer.fingerprint.text)
      connection.send(.admitted(certificate: certificate.der, authority: credential.authority.der))
    case .wait:
      if isNew { report.note("join", connection.address.text + [UInt8](" waits, key ") + peer.fingerprint.text) }
      connection.send(.pending(fingerprint: peer.fingerprint.bytes))
    case .refuse(let reason): connection.send(.refused(reason: reason))
    }
  }

  /// A member that asks all the same, with a certificate that stands, has what it wants.
  private func confirm(_ connection: Connection) {
    if let peer = connection.peer {
      connection.send(.admitted(certificate: peer.certificate.der, authority: credential.authority.der))
    }
    connection.close()
  }

  /// A connection has ended.
  private func lose(_ connection: Connection, _ now: UInt64) {
    switch connection.purpose {
    case .incoming:
      admission.settled(connection.channel)
      if let reason = connection.ended { refused.count(reason) }
      tunnels.closed(connection.channel, at: now)
    case .tunnel: tunnels.closed(connection.channel, at: now)
    case .admission, .entry: contactEnded(connection, now)
    case .reunion: break
    }
  }
}
