import Admission
import ClusterProtocol
import Linux
import Membership
import NetworkAddresses
import SecureChannel
import Tunnels
import TydCommand

extension Node {
  /// How long a connection that came in may last: a map of a large cluster over a slow line.
  private static let patience: UInt64 = 20_000

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
        .incoming, channel, socket, with: peer.address, identity: identity, time: time.seconds,
        deadline: now &+ Node.patience)
      connection.begin(.server, now: now)
      connections.append(connection)
    }
  }

  /// Ends a connection that gives way to another, without a word.
  private func drop(_ channel: UInt32, _ now: UInt64) {
    guard let connection = connection(channel) else { return }
    connection.expire()
    connections.removeAll { $0 === connection }
    tunnels.closed(channel, at: now)
  }

  /// Lets a connection go on, and acts on what came by it.
  func advance(_ connection: Connection, _ ready: Readiness, _ now: UInt64) {
    let wasKnown = connection.peer != nil
    let messages = connection.advance(ready, now: now)
    if !wasKnown, let peer = connection.peer { meet(connection, peer, now) }
    for message in messages where !connection.isClosing { take(message, connection, now) }
    if connection.malformed != nil { refused.malformed &+= 1 }
    if connection.isOver { lose(connection, now) }
    carryOutTunnels(now)
  }

  /// The other side has proved who it is.
  private func meet(_ connection: Connection, _ peer: SecureConnection.Peer, _ now: UInt64) {
    switch connection.purpose {
    case .incoming:
      if peer.isMember { admission.settled(connection.channel) }
    case .admission: connection.send(.join(record: membership.ownMap(now: now)))
    case .entry, .reunion:
      connection.send(.hello(hello(now)))
      connection.send(.mapRequest)
    case .tunnel(let expected):
      guard peer.isMember, peer.fingerprint.bytes == expected.fingerprint else { return connection.close() }
      connection.send(.hello(hello(now)))
      tunnels.opened(connection.channel, at: now)
    }
  }

  func hello(_ now: UInt64) -> Hello {
    Hello(
      cluster: credential.clusterFingerprint, time: UInt64(clamping: time.seconds),
      record: membership.ownMap(now: now))
  }

  private func take(_ message: ControlMessage, _ connection: Connection, _ now: UInt64) {
    guard let peer = connection.peer else { return }
    guard peer.isMember else { return takeFromJoiner(message, connection, peer, now) }
    if case .hello(let hello) = message { return take(hello, connection, peer, now) }
    switch connection.purpose {
    case .incoming:
      // Nothing before the sender has said who it is.
      guard connection.hello != nil else { return refuse(connection, "say hello first") }
      takeFromMember(message, connection, peer, now)
    case .admission: takeAdmission(message, connection, now)
    case .entry: takeEntry(message, connection, now)
    case .reunion: takeReunion(message, connection, now)
    case .tunnel: tunnels.received(message, over: connection.channel, at: now)
    }
  }

  private func take(_ hello: Hello, _ connection: Connection, _ peer: SecureConnection.Peer, _ now: UInt64) {
    guard connection.hello == nil, hello.cluster == credential.clusterFingerprint else { return connection.close() }
    guard let record = record(of: hello.record), record.fingerprint.bytes == peer.fingerprint.bytes else {
      refused.malformed &+= 1
      return refuse(connection, "the record is not of the key that this connection has")
    }
    guard !membership.isRemoved(record.mac, record.fingerprint) else {
      refused.removed &+= 1
      return refuse(connection, "this node was removed from the cluster; tyd --allow on a member lets it join again")
    }
    time.told(Int64(clamping: hello.time), under: credential.authority)
    connection.hello = hello
    if case .incoming = connection.purpose { connection.send(.hello(self.hello(now))) }
  }

  /// The one record in a node's description of itself.
  private func record(of map: [UInt8]) -> NodeRecord? {
    guard let records = try? Membership.records(of: map, cluster: membership.cluster), records.count == 1 else {
      return nil
    }
    return records.first
  }

  private func takeFromMember(
    _ message: ControlMessage, _ connection: Connection, _ peer: SecureConnection.Peer, _ now: UInt64
  ) {
    switch message {
    case .mapRequest:
      guard joining == nil else { return refuse(connection, "this node is not in the cluster itself yet; try again") }
      sendMap(membership.map(now: now), connection)
    case .map(let part, let isLast):
      guard let map = collect(part, isLast, connection) else { return }
      merge(map, now)
      connection.send(.ready)
    case .offer(let offer):
      // The news of a node that joined may not have come here yet; its own word is as good.
      if tunnels.peer(fingerprint: peer.fingerprint.bytes) == nil, let hello = connection.hello {
        merge(hello.record, now)
      }
      tunnels.offered(offer, from: peer.fingerprint.bytes, over: connection.channel, at: now)
    case .join:
      // A member that asks all the same, with a certificate that stands: it has what it wants.
      connection.send(
        .admitted(certificate: peer.certificate.der, authority: credential.authority.der))
      connection.close()
    case .leave, .hello, .pending, .refused, .admitted: connection.close()
    case .accept, .ready, .refuse: tunnels.received(message, over: connection.channel, at: now)
    }
  }

  func sendMap(_ map: [UInt8], _ connection: Connection) {
    var rest = map[...]
    repeat {
      let part = rest.prefix(ControlFrame.mapPartLimit)
      rest = rest.dropFirst(part.count)
      connection.send(.map(part: [UInt8](part), isLast: rest.isEmpty))
    } while !rest.isEmpty
  }

  /// The whole map when its last part has come; nil before, and when it is too long.
  func collect(_ part: [UInt8], _ isLast: Bool, _ connection: Connection) -> [UInt8]? {
    guard connection.map.count + part.count <= Membership.largestMap else {
      refused.malformed &+= 1
      connection.close()
      return nil
    }
    connection.map += part
    guard isLast else { return nil }
    defer { connection.map = [] }
    return connection.map
  }

  func merge(_ map: [UInt8], _ now: UInt64) {
    do throws(MembershipDecodeError) {
      carryOut(try membership.merge(map: map, now: now), now)
    } catch {
      refused.malformed &+= 1
    }
  }

  func refuse(_ connection: Connection, _ reason: StaticString) {
    connection.send(.refused(reason: [UInt8](reason)))
    connection.close()
  }

  // MARK: Joiners

  /// Somebody whose key nobody has certified may ask once to be admitted.
  private func takeFromJoiner(
    _ message: ControlMessage, _ connection: Connection, _ peer: SecureConnection.Peer, _ now: UInt64
  ) {
    guard case .incoming = connection.purpose, case .join(let map) = message, let record = record(of: map),
      record.fingerprint.bytes == peer.fingerprint.bytes
    else {
      refused.malformed &+= 1
      return connection.close()
    }
    guard !membership.isRemoved(record.mac, record.fingerprint) else {
      refused.removed &+= 1
      return refuse(connection, "this node was removed from the cluster; tyd --allow on a member lets it join again")
    }
    let isNew = !admission.pending.contains { $0.fingerprint == peer.fingerprint.bytes }
    switch admission.request(peer.fingerprint.bytes, from: connection.address, at: now) {
    case .admit:
      guard let key = credential.authorityKey,
        let certificate = try? credential.authority.issue(for: peer.certificate.publicKey, key: key)
      else { return refuse(connection, "this member cannot make certificates") }
      report.note("join", connection.address.text + [UInt8](" is admitted, key ") + peer.fingerprint.text)
      connection.send(.admitted(certificate: certificate.der, authority: credential.authority.der))
    case .wait:
      if isNew { report.note("join", connection.address.text + [UInt8](" waits, key ") + peer.fingerprint.text) }
      connection.send(.pending(fingerprint: peer.fingerprint.bytes))
    case .refuse(let reason): connection.send(.refused(reason: reason))
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

/// Why others were turned away, and how often.
struct Refusals {
  var notTLS13: UInt32 = 0
  var wrongCluster: UInt32 = 0
  var expired: UInt32 = 0
  var removed: UInt32 = 0
  var malformed: UInt32 = 0
  var slow: UInt32 = 0
  var tooMany: UInt32 = 0

  /// Each by its name.
  var all: [(name: StaticString, count: UInt32)] {
    [
      ("notTLS13", notTLS13), ("wrongCluster", wrongCluster), ("expired", expired), ("removed", removed),
      ("malformed", malformed), ("slow", slow), ("tooMany", tooMany),
    ]
  }

  mutating func count(_ reason: ClosedReason) {
    switch reason {
    case .noTLS, .oldVersion, .otherProtocol, .noCertificate: notTLS13 &+= 1
    case .wrongAuthority, .notMember, .badCertificate: wrongCluster &+= 1
    case .expired, .notYetValid: expired &+= 1
    case .tooSlow, .flooded: slow &+= 1
    case .tooLarge, .damaged: malformed &+= 1
    default: break
    }
  }
}
