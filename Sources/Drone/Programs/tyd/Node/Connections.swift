import Addresses
import Bytes
import ChannelFailure
import ControlChannel
import DroneLayout
import Linux
import NodeCore
import SecureChannel
import Tunnels

/// Connections of the control channel by their channels' numbers: TCP and TLS, with members and with who wants to be one. What is
/// said by them is the core's.
final class Connections {
  /// A handshake takes an old processor a tenth of a second: members' datagrams do not wait for more of them than so many. The
  /// oldest come first.
  private static let handshakesPerTurn = 3

  private let core: NodeCore
  private let keys: NodeKeys
  private let loop: Loop
  private let listener: Descriptor
  private let use: TransformUse
  private var perform: ([NodeCommand], UInt64) -> Void = { _, _ in }
  private var open: [Connection] = []
  /// How many whose other side has not proved who it is went on in a turn of the loop.
  private var handshakes = 0
  private var handshakeTurn: UInt64 = 0

  init(_ core: NodeCore, _ keys: NodeKeys, in loop: Loop, _ use: TransformUse) throws(SystemError) {
    self.core = core
    self.keys = keys
    self.loop = loop
    self.use = use
    listener = try listenStream(on: SocketAddress(.unspecified, port: ClusterPorts.control), transforms: use)
  }

  /// From now on others may come; `perform` carries out what the core asks for.
  func register(_ perform: @escaping ([NodeCommand], UInt64) -> Void) {
    self.perform = perform
    loop.add({ [self] in Interest(listener.number) }) { [self] _, now in accept(now) }
  }

  private func accept(_ now: UInt64) {
    for _ in 0..<64 {
      guard let socket = try? acceptStream(listener) else { return }
      guard let peer = peerAddress(of: socket) else { continue }
      let (channel, commands) = core.receiveConnection(from: peer.address, at: now)
      perform(commands, now)
      guard let channel else { continue }
      let connection = Connection(channel, socket, with: peer.address, identity: keys.identity, time: keys.seconds)
      connection.begin(.server, now: now)
      add(connection)
    }
  }

  /// Begins a connection with another node.
  func connect(_ channel: UInt32, _ address: IPv4Address, from own: IPv4Address) throws(SystemError) {
    let socket = try connectStream(
      to: SocketAddress(address, port: ClusterPorts.control), from: own, transforms: use)
    add(Connection(channel, socket, with: address, identity: keys.identity, time: keys.seconds))
  }

  /// Takes a connection into the loop.
  private func add(_ connection: Connection) {
    open.append(connection)
    connection.source = loop.add(
      { Interest(connection.socket.number, connection.interest) },
      isReady: { [self] ready, now in
        if connection.isHandshaking {
          if handshakeTurn != loop.turns { (handshakeTurn, handshakes) = (loop.turns, 0) }
          handshakes += 1
          if handshakes > Connections.handshakesPerTurn { return }
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

  private func forget(_ connection: Connection) {
    connection.source?.end()
    connection.source = nil
    open.removeAll { $0 === connection }
  }

  private func connection(_ channel: UInt32) -> Connection? { open.first { $0.channel == channel && !$0.isOver } }

  // MARK: What the core asks for

  func say(_ message: ControlMessage, over channel: UInt32) { connection(channel)?.send(message) }

  /// Ends one once what was said has gone.
  func close(_ channel: UInt32) { connection(channel)?.close() }

  /// Ends one without a word.
  func drop(_ channel: UInt32) {
    guard let connection = connection(channel) else { return }
    connection.expire()
    forget(connection)
  }

  func closeAll() {
    for connection in open { connection.close() }
  }

  /// What the other side has shown.
  func certificate(over channel: UInt32) -> Certificate? { connection(channel)?.peer?.certificate }

  /// Keys for a security association.
  func export(_ context: KeyContext, count: Int, over channel: UInt32) -> [UInt8]? {
    connection(channel)?.export(context, count: count)
  }
}
