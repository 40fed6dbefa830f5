import Addresses
import ChannelFailure
import Testing

@testable import SecureChannel

@Suite("Peers that must not come in")
struct HostilePeerTests {
  @Test("a member of another cluster is refused by both sides", arguments: SecureConnection.Admission.all)
  func otherCluster(admitting: SecureConnection.Admission) throws {
    // The same name: names prove nothing.
    let (ours, theirs) = (try Cluster("home"), try Cluster("home"))
    let (client, server) = try connected(theirs.member(), ours.member(), admitting: admitting)
    #expect(client.reason == .wrongAuthority)
    #expect(server.reason == .refused(alert: 48))
    // And by the server alone, when the client trusts both.
    let key = try SigningKey()
    let spy = try ChannelIdentity(
      key: key, certificate: theirs.authority.issue(for: key.publicKey, key: theirs.key), authority: ours.authority)
    let (_, alone) = try connected(spy, ours.member(), admitting: admitting)
    #expect(alone.reason == .wrongAuthority)
  }

  @Test("a self-signed certificate is none of a member")
  func selfSigned() throws {
    let cluster = try Cluster()
    let (client, server) = try connected(cluster.joiner(), cluster.member())
    #expect(server.reason == .notMember)
    // The client knew the server first, and then is told.
    #expect(client.reason == .refused(alert: 48))
    // Nor may a server show one.
    let (other, _) = try connected(cluster.member(), cluster.joiner())
    #expect(other.reason == .notMember)
  }

  @Test("after the authority's end nobody is a member, and before its beginning nobody yet")
  func dates() throws {
    let cluster = try Cluster()
    #expect(try connected(cluster.member(), cluster.member(), at: ends + 1).client.reason == .expired)
    #expect(try connected(cluster.member(), cluster.member(), at: began - 1).client.reason == .notYetValid)
    #expect(try connected(cluster.member(), cluster.member(), at: ends - 1).client.peer != nil)
    #expect(try connected(cluster.member(), cluster.member(), at: began).client.peer != nil)
    // The server's own judgement.
    for (time, reason) in [(ends + 1, ClosedReason.expired), (began - 1, .notYetValid)] {
      let client = try SecureConnection(cluster.member(), as: .client, at: present, started: 0)
      let server = try SecureConnection(cluster.member(), as: .server, at: time, started: 0)
      exchange(client, server)
      #expect(server.reason == reason)
    }
  }

  @Test("who is no member may send its one request, and a member as much as it likes")
  func bytesInAll() throws {
    let cluster = try Cluster()
    let piece = [UInt8](repeating: 7, count: 4096)
    for (identity, most) in [(try cluster.joiner(), 4), (try cluster.member(), 64)] {
      let (client, server) = try connected(identity, cluster.member(), admitting: .membersAndJoiners)
      var arrived = 0
      for _ in 0..<64 {
        _ = client.send(piece)
        server.receive(client.takeOutput())
        arrived += server.takeReceived().count
      }
      #expect(server.reason == (most == 64 ? nil : .flooded))
      #expect(arrived / 4096 <= most && arrived >= 4096)
    }
  }

  @Test("the date is no matter for somebody who only wants to join")
  func joinerFrom1980() throws {
    let cluster = try Cluster()
    let (_, server) = try connected(cluster.joiner(), cluster.member(), admitting: .membersAndJoiners)
    #expect(server.peer?.isMember == false)
  }

  @Test(
    "the authority's own certificate is none of a node, wherever it is shown", arguments: SecureConnection.Admission.all
  )
  func authorityAsNode(admitting: SecureConnection.Admission) throws {
    let cluster = try Cluster()
    let thief = try ChannelIdentity(key: cluster.key, certificate: cluster.authority, authority: cluster.authority)
    let server = try connected(thief, cluster.member(), admitting: admitting).server
    #expect(server.reason == (admitting == .members ? .notMember : .badCertificate))
  }

  @Test("a node cannot make members")
  func nodeAsAuthority() throws {
    let cluster = try Cluster()
    let key = try SigningKey()
    let node = try cluster.authority.issue(for: key.publicKey, key: cluster.key)
    let victim = try SigningKey()
    let forged = try node.issue(for: victim.publicKey, key: key)
    #expect(forged.objection(under: cluster.authority, at: present) == .wrongAuthority)
    let spy = try ChannelIdentity(key: victim, certificate: forged, authority: cluster.authority)
    #expect(try connected(spy, cluster.member()).server.reason == .wrongAuthority)
    #expect(try connected(spy, cluster.member(), admitting: .membersAndJoiners).server.reason == .wrongAuthority)
  }

  @Test(
    "bytes that are no TLS are refused as such",
    arguments: ["GET / HTTP/1.0\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\0\0\0\0\0\0\0\0"])
  func noTLS(text: String) throws {
    let server = try SecureConnection(Cluster().member(), as: .server, at: present, started: 0)
    server.receive(ascii(text))
    #expect(server.reason == .noTLS)
  }

  @Test("random bytes never open a connection and never stay unanswered for ever")
  func random() throws {
    let identity = try Cluster().member()
    var generator = SystemRandomNumberGenerator()
    for side in [SecureConnection.Side.server, .client] {
      for _ in 0..<300 {
        let connection = try SecureConnection(identity, as: side, at: present, started: 0)
        for _ in 0..<40 where connection.reason == nil {
          connection.receive((0..<Int.random(in: 1...600)).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        #expect(connection.reason?.isRefusal == true, "\(connection.state)")
      }
    }
  }

  @Test("a record or message that announces more than a handshake has is refused when its bytes come")
  func oversized() throws {
    let identity = try Cluster().member()
    let hellos: [[UInt8]] = [
      // A record of 16 KiB with a ClientHello of nearly that size.
      [0x16, 3, 1, 0x40, 0x00, 1, 0x00, 0x3F, 0xFC],
      // A ClientHello of 16 MiB, in many records.
      [0x16, 3, 1, 0x40, 0x00, 1, 0xFF, 0xFF, 0xFF],
    ]
    for hello in hellos {
      let server = try SecureConnection(identity, as: .server, at: present, started: 0)
      server.receive(hello)
      var given = hello.count
      while server.reason == nil, given < 100_000 {
        server.receive([UInt8](repeating: 0, count: 512))
        given += 512
      }
      #expect(server.reason == .tooLarge)
      #expect(given <= 8192 + 512)
    }
    // Longer than any record may be.
    let server = try SecureConnection(identity, as: .server, at: present, started: 0)
    server.receive([0x16, 3, 1, 0xFF, 0xFF, 1])
    #expect(server.reason?.isRefusal == true)
  }

  @Test("a handshake cut at any byte opens nothing, and is cut off")
  func truncated() throws {
    let cluster = try Cluster()
    let (one, other) = (try cluster.member(), try cluster.member())
    // As a server sees it: the client's two flights.
    let record = try flights(one, other)
    for count in 0..<record.hello.count {
      let server = try SecureConnection(other, as: .server, at: present, started: 0)
      server.receive([UInt8](record.hello.prefix(count)))
      #expect(server.state == .handshaking)
      server.transportEnded()
      #expect(server.reason == .cutOff)
    }
    for count in stride(from: 0, to: record.finishLength, by: 1) {
      let client = try SecureConnection(one, as: .client, at: present, started: 0)
      let server = try SecureConnection(other, as: .server, at: present, started: 0)
      server.receive(client.takeOutput())
      client.receive(server.takeOutput())
      let finish = client.takeOutput()
      server.receive([UInt8](finish.prefix(min(count, finish.count - 1))))
      #expect(server.state == .handshaking)
      server.transportEnded()
      #expect(server.reason == .cutOff)
    }
  }

  @Test("a handshake with any one byte changed opens nothing on the side that got it")
  func changed() throws {
    let cluster = try Cluster()
    let (one, other) = (try cluster.member(), try cluster.member())
    let length = try flights(one, other).finishLength
    for place in 0..<length {
      let client = try SecureConnection(one, as: .client, at: present, started: 0)
      let server = try SecureConnection(other, as: .server, at: present, started: 0)
      server.receive(client.takeOutput())
      client.receive(server.takeOutput())
      var finish = client.takeOutput()
      guard place < finish.count else { continue }
      finish[place] ^= 0x20
      server.receive(finish)
      #expect(server.peer == nil, "byte \(place)")
    }
  }

  @Test("a recorded handshake cannot be played again")
  func replayed() throws {
    let cluster = try Cluster()
    let (one, other) = (try cluster.member(), try cluster.member())
    let client = try SecureConnection(one, as: .client, at: present, started: 0)
    let first = try SecureConnection(other, as: .server, at: present, started: 0)
    let hello = client.takeOutput()
    first.receive(hello)
    client.receive(first.takeOutput())
    let finish = client.takeOutput()
    first.receive(finish)
    #expect(first.peer != nil)

    let second = try SecureConnection(other, as: .server, at: present, started: 0)
    second.receive(hello)
    #expect(second.state == .handshaking)
    second.receive(finish)
    #expect(second.reason == .damaged)
    // Nor can a record within a connection.
    #expect(client.send([1, 2, 3]))
    let message = client.takeOutput()
    first.receive(message)
    #expect(first.takeReceived() == [1, 2, 3])
    first.receive(message)
    #expect(first.reason == .damaged && first.takeReceived() == [])
  }

  @Test("half a handshake ends after the limit, an open connection does not")
  func slow() throws {
    let cluster = try Cluster()
    let server = try SecureConnection(cluster.member(), as: .server, at: present, started: 5000)
    var hello = try SecureConnection(cluster.member(), as: .client, at: present, started: 0).takeOutput()[...]
    var now: UInt64 = 5000
    while server.reason == nil, let byte = hello.popFirst() {
      server.receive([byte])
      now += 100
      server.step(at: now)
    }
    #expect(server.reason == .tooSlow && now == 5000 + SecureConnection.handshakeLimit)
    let (client, _) = try connected(cluster.member(), cluster.member())
    client.step(at: 1_000_000)
    #expect(client.peer != nil)
  }

  @Test("the phrases differ")
  func phrases() {
    let all: [ClosedReason] = [
      .finished, .closedHere, .cutOff, .noTLS, .oldVersion, .otherProtocol, .noCertificate, .wrongAuthority, .expired,
      .notYetValid, .notMember, .badCertificate, .tooLarge, .tooSlow, .flooded, .damaged, .refused(alert: 48),
      .refused(alert: 112), .failedHere,
    ]
    #expect(Set(all.map(\.text)).count == all.count)
    #expect(ClosedReason.refused(alert: 112).text == ascii("the peer refused (alert 112)"))
  }

  /// The client's first flight, and how long its second one is.
  private func flights(_ one: ChannelIdentity, _ other: ChannelIdentity) throws -> (hello: [UInt8], finishLength: Int) {
    let client = try SecureConnection(one, as: .client, at: present, started: 0)
    let server = try SecureConnection(other, as: .server, at: present, started: 0)
    let hello = client.takeOutput()
    server.receive(hello)
    client.receive(server.takeOutput())
    return (hello, client.takeOutput().count)
  }
}

extension SecureConnection.Admission {
  static let all: [Self] = [.members, .membersAndJoiners]
}
