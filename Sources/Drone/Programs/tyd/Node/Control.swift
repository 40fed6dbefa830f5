import Addresses
import Bytes
import ControlChannel
import DroneLayout
import Linux
import NodeCore
import SecureChannel
import TydCommand

// Connections of the control channel: TCP, TLS, and the certificates that are given by them.

extension Node {
  /// A handshake takes an old processor a tenth of a second: members' datagrams do not wait for more of them than so many. The
  /// oldest come first.
  private static let handshakesPerTurn = 3

  func connection(_ channel: UInt32) -> Connection? { connections.first { $0.channel == channel && !$0.isOver } }

  func acceptConnections(_ now: UInt64) {
    for _ in 0..<64 {
      guard let socket = try? acceptStream(listener) else { return }
      guard let peer = peerAddress(of: socket) else { continue }
      let (channel, commands) = core.receiveConnection(from: peer.address, at: now)
      perform(commands, now)
      guard let channel else { continue }
      let connection = Connection(channel, socket, with: peer.address, identity: identity, time: time.seconds)
      connection.begin(.server, now: now)
      register(connection)
    }
  }

  /// Begins a connection with another node.
  func connect(_ channel: UInt32, _ address: IPv4Address, _ now: UInt64) {
    do throws(SystemError) {
      let socket = try connectStream(
        to: SocketAddress(address, port: ClusterPorts.control), from: interface.address,
        transforms: command.isEncrypted ? .bypass : .asPoliciesSay)
      register(Connection(channel, socket, with: address, identity: identity, time: time.seconds))
    } catch {
      report.note("connect", address.text + [UInt8](": ") + error.text)
      perform(core.receiveRefusedConnection(channel, at: now), now)
    }
  }

  /// Takes a connection into the loop.
  private func register(_ connection: Connection) {
    connections.append(connection)
    connection.source = loop.add(
      { Interest(connection.socket.number, connection.interest) },
      isReady: { [self] ready, now in
        if connection.isHandshaking {
          if handshakeTurn != loop.turns { (handshakeTurn, handshakes) = (loop.turns, 0) }
          handshakes += 1
          if handshakes > Node.handshakesPerTurn { return }
        }
        advance(connection, ready, now)
      }, due: { connection.isOver ? 0 : nil }, isDue: { [self] now in advance(connection, [], now) })
  }

  /// Lets a connection go on, and hands over what came by it.
  private func advance(_ connection: Connection, _ ready: Readiness, _ now: UInt64) {
    let channel = connection.channel
    connection.advance(ready, now: now)
    // Each is handed over before the next is read: how long that may be follows from it.
    while let arrival = connection.next(upTo: core.frameLimit(over: channel)) {
      switch arrival {
      case .met(let peer):
        let known = Conversation.Peer(fingerprint: peer.fingerprint.bytes, isMember: peer.isMember)
        perform(core.receivePeer(known, over: channel, at: now), now)
      case .message(let message): perform(core.receive(message, over: channel, at: now), now)
      case .unreadable: perform(core.receiveNonsense(over: channel, at: now), now)
      }
    }
    connection.finish()
    guard connection.isOver else { return }
    forget(connection)
    perform(core.receiveEnd(of: channel, connection.ended, failure: connection.failure?.text, at: now), now)
  }

  /// Ends a connection without a word.
  func drop(_ channel: UInt32) {
    guard let connection = connection(channel) else { return }
    connection.expire()
    forget(connection)
  }

  private func forget(_ connection: Connection) {
    connection.source?.end()
    connection.source = nil
    connections.removeAll { $0 === connection }
  }

  // MARK: Certificates

  /// Certifies the key of who is at the other end.
  func certify(_ channel: UInt32, _ now: UInt64) {
    var made: (own: [UInt8], authority: [UInt8])?
    if let peer = connection(channel)?.peer, let key = credential.authorityKey,
      let certificate = try? credential.authority.issue(for: peer.certificate.publicKey, key: key)
    {
      made = (certificate.der, credential.authority.der)
    }
    perform(core.receiveCertificate(made, isNew: true, over: channel, at: now), now)
  }

  /// A member that asks all the same, with a certificate that stands, has what it wants.
  func findCertificate(_ channel: UInt32, _ now: UInt64) {
    let found = connection(channel)?.peer.map { ($0.certificate.der, credential.authority.der) }
    perform(core.receiveCertificate(found, isNew: false, over: channel, at: now), now)
  }

  /// Goes on as a member with a certificate that another one gave.
  func adopt(_ der: [UInt8], _ authority: [UInt8], _ now: UInt64) {
    perform(core.receiveAdoption(refusal: objection(to: der, authority), at: now), now)
  }

  /// Nil once the certificate is kept and in use.
  private func objection(to der: [UInt8], _ authority: [UInt8]) -> [UInt8]? {
    guard authority == credential.authority.der, let certificate = try? Certificate(der),
      certificate.publicKey == credential.key.publicKey,
      certificate.objection(under: credential.authority, at: time.seconds) == nil
    else { return [UInt8]("the certificate that it gave is not one of this cluster for this node") }
    // As long as it is not kept this node asks again, as one that is no member.
    var admitted = credential
    admitted.certificate = certificate
    admitted.isMember = true
    do throws(Failure) {
      let identity = try admitted.identity()
      try admitted.keep(places)
      self.identity = identity
      credential = admitted
    } catch {
      return error.sentence
    }
    return nil
  }
}

/// A key's fingerprint as people compare it.
func fingerprintText(_ bytes: [UInt8]) -> [UInt8] { Fingerprint(bytes: bytes)?.text ?? [] }
