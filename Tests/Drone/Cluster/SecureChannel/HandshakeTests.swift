import Addresses
import Testing

@testable import SecureChannel

@Suite("Handshakes between our own ends")
struct HandshakeTests {
  @Test("two members know each other by their fingerprints")
  func members() throws {
    let cluster = try Cluster()
    let (one, other) = (try cluster.member(), try cluster.member())
    let (client, server) = try connected(one, other)
    #expect(client.peer?.isMember == true && client.peer?.fingerprint == other.fingerprint)
    #expect(server.peer?.isMember == true && server.peer?.fingerprint == one.fingerprint)
    #expect(server.peer?.certificate.role == .node)
  }

  @Test(
    "what one side sends the other receives, in both directions and in pieces of any size", arguments: [1, 7, 4096])
  func messages(piece: Int) throws {
    let cluster = try Cluster()
    let (client, server) = try connected(cluster.member(), cluster.member())
    let message = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for (from, to) in [(client, server), (server, client)] {
      #expect(from.send(message))
      var rest = from.takeOutput()[...]
      while !rest.isEmpty {
        to.receive([UInt8](rest.prefix(piece)))
        rest = rest.dropFirst(piece)
      }
      #expect(to.takeReceived() == message)
      #expect(to.takeReceived() == [])
    }
  }

  @Test("a joiner comes in as one where joiners may come, and sees a member")
  func joiner() throws {
    let cluster = try Cluster()
    let joining = try cluster.joiner()
    let (client, server) = try connected(joining, cluster.member(), admitting: .membersAndJoiners)
    #expect(client.peer?.isMember == true)
    #expect(server.peer?.isMember == false && server.peer?.fingerprint == joining.fingerprint)
    #expect(server.peer?.certificate.role == .joiner)
  }

  @Test("a member is a member also where joiners may come")
  func memberAmongJoiners() throws {
    let cluster = try Cluster()
    let (_, server) = try connected(cluster.member(), cluster.member(), admitting: .membersAndJoiners)
    #expect(server.peer?.isMember == true)
  }

  @Test("an end in order says so on both sides, and what was sent before arrives")
  func end() throws {
    let cluster = try Cluster()
    let (client, server) = try connected(cluster.member(), cluster.member())
    #expect(client.send([1, 2, 3]))
    client.close()
    exchange(client, server)
    #expect(server.takeReceived() == [1, 2, 3])
    #expect(server.reason == .finished && client.reason == .closedHere)
    #expect(!client.send([4]) && !server.send([4]))
  }

  @Test("a transport that ends without TLS's own end was cut")
  func cut() throws {
    let cluster = try Cluster()
    let (client, server) = try connected(cluster.member(), cluster.member())
    server.transportEnded()
    #expect(server.reason == .cutOff)
    client.close()
    client.transportEnded()
    #expect(client.reason == .closedHere)
  }

  @Test("nothing is sent before the peer is known")
  func early() throws {
    let cluster = try Cluster()
    let client = try SecureConnection(cluster.member(), as: .client, at: present, started: 0)
    #expect(!client.send([1]))
    #expect(client.state == .handshaking)
  }

  @Test("output that nobody takes has a bound, and taking it makes room again")
  func bound() throws {
    let cluster = try Cluster()
    let (client, server) = try connected(cluster.member(), cluster.member())
    let piece = [UInt8](repeating: 7, count: 60_000)
    var sent = 0
    while client.send(piece) { sent += 1 }
    #expect(sent == 8)
    #expect(client.takeOutput().count <= SecureConnection.largestOutput)
    #expect(client.send(piece))
    #expect(client.peer != nil && server.peer != nil)
  }

  @Test("a handshake is small: who runs past the bound is no peer of ours")
  func size() throws {
    let cluster = try Cluster()
    let client = try SecureConnection(cluster.member(), as: .client, at: present, started: 0)
    let server = try SecureConnection(cluster.member(), as: .server, at: present, started: 0)
    let hello = client.takeOutput()
    server.receive(hello)
    let answer = server.takeOutput()
    client.receive(answer)
    #expect(hello.count + client.takeOutput().count < 2048 && answer.count < 2048)
  }
}

@Suite("Keying material")
struct ExporterTests {
  @Test("both sides export the same, and another label, context, length or connection gives other bytes")
  func exports() throws {
    let cluster = try Cluster()
    let (one, other) = (try cluster.member(), try cluster.member())
    let (client, server) = try connected(one, other)
    let first = try #require(client.export(label: "EXPORTER-droneforge-esp", context: [1, 2, 3], count: 36))
    #expect(first.count == 36)
    #expect(server.export(label: "EXPORTER-droneforge-esp", context: [1, 2, 3], count: 36) == first)
    #expect(client.export(label: "EXPORTER-droneforge-esp", context: [1, 2, 3], count: 36) == first)
    var all: Set<[UInt8]> = [first]
    let contexts: [[UInt8]] = [[], [1, 2], [1, 2, 4], [1, 2, 3, 0]]
    for context in contexts {
      let bytes = try #require(server.export(label: "EXPORTER-droneforge-esp", context: context, count: 36))
      #expect(client.export(label: "EXPORTER-droneforge-esp", context: context, count: 36) == bytes)
      #expect(all.insert(bytes).inserted)
    }
    #expect(all.insert(try #require(client.export(label: "EXPORTER-other", context: [1, 2, 3], count: 36))).inserted)
    let shorter = try #require(client.export(label: "EXPORTER-droneforge-esp", context: [1, 2, 3], count: 20))
    #expect(shorter != [UInt8](first.prefix(20)))
    let (again, _) = try connected(one, other)
    #expect(
      all.insert(try #require(again.export(label: "EXPORTER-droneforge-esp", context: [1, 2, 3], count: 36))).inserted)
  }

  @Test("there is none before the peer is known, nor after the end")
  func onlyOpen() throws {
    let cluster = try Cluster()
    let client = try SecureConnection(cluster.member(), as: .client, at: present, started: 0)
    #expect(client.export(label: "EXPORTER-x", context: [], count: 32) == nil)
    let (open, _) = try connected(cluster.member(), cluster.member())
    #expect(open.export(label: "EXPORTER-x", context: [], count: 0) == nil)
    open.close()
    #expect(open.export(label: "EXPORTER-x", context: [], count: 32) == nil)
  }
}
