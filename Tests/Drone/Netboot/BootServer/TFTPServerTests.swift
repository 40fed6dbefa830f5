import Addresses
import Testing

@testable import BootServer

private let client = TFTPServer.Peer(IPv4Address(192, 168, 1, 100), port: 2070)

private func request(_ operation: UInt8, _ words: [String]) -> [UInt8] {
  [0, operation] + words.flatMap { Array($0.utf8) + [0] }
}

private func acknowledge(_ block: UInt16) -> [UInt8] { [0, 4, UInt8(block >> 8), UInt8(block & 0xFF)] }

@Suite struct TFTPServerTests {
  static let content = (0..<1300).map { UInt8(truncatingIfNeeded: $0 &* 7) }

  private func server(ports: Int = 4, size: Int = content.count) throws -> TFTPServer {
    TFTPServer(
      try network(), files: [.init(Array("chaos/bzImage".utf8), size: size), .init(Array("empty".utf8), size: 0)],
      ports: ports)
  }

  private func read(_ file: Int, _ offset: Int, _ count: Int) -> [UInt8]? {
    (0..<count).map { UInt8(truncatingIfNeeded: (offset + $0) &* 7) }
  }

  /// The packets of some commands.
  private func packets(_ commands: [TFTPServer.Command]) -> [[UInt8]] {
    commands.compactMap {
      switch $0 {
      case .answer(let bytes, _), .send(let bytes, _, _): bytes
      case .news: nil
      }
    }
  }

  /// Plays a client that loses nothing; gives what arrived, and what was told of it on the way.
  private func fetch(
    _ server: inout TFTPServer, _ words: [String]
  ) -> (content: [UInt8], packets: Int, percents: [UInt8]) {
    var got: [UInt8] = []
    var count = 0
    var percents: [UInt8] = []
    var commands = server.receive(request: request(1, words), from: client, at: 0, read: read)
    while count < 100_000 {
      for case .news(.sent(_, _, let percent)) in commands { percents.append(percent) }
      guard case .send(let bytes, _, let port)? = commands.first(where: { if case .send = $0 { true } else { false } })
      else { break }
      count += 1
      let isData = bytes[1] == 3
      if isData { got += bytes.dropFirst(4) }
      commands = server.receive(
        isData ? [0, 4, bytes[2], bytes[3]] : acknowledge(0), on: port, from: client, at: 1, read: read)
    }
    return (got, count, percents)
  }

  @Test("a file arrives in blocks of 512, and a shorter one is the last")
  func plain() throws {
    var server = try server()
    let first = server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0, read: read)
    let packet = try #require(packets(first).first)
    // Operation 3, block 1, and the first half kilobyte.
    #expect(packet == [0, 3, 0, 1] + Self.content.prefix(512))
    #expect(first.contains(.news(.sent(client.address, file: Array("chaos/bzImage".utf8), percent: 0))))
    server = try self.server()
    let (content, count, _) = fetch(&server, ["chaos/bzImage", "octet"])
    #expect(content == Self.content && count == 3 && server.nextDue == nil)
    #expect(fetch(&server, ["empty", "octet"]).content == [])
  }

  @Test("a file of a whole number of blocks ends with an empty one, and block numbers go round")
  func ends() throws {
    var server = try server(size: 1024)
    #expect(fetch(&server, ["chaos/bzImage", "octet"]).packets == 3)
    server = try self.server(size: 8 * 70_000)
    let (content, count, _) = fetch(&server, ["chaos/bzImage", "octet", "blksize", "8"])
    #expect(content.count == 560_000 && count == 70_002)
  }

  @Test(
    "that all has arrived is told once, whether or not the last block is empty",
    arguments: [0, 1, 511, 512, 5119, 5120])
  func told(_ size: Int) throws {
    var server = try server(size: size)
    let percents = fetch(&server, ["chaos/bzImage", "octet"]).percents
    #expect(percents.first == 0 && percents.last == 100 && percents == Set(percents).sorted(), "\(percents)")
    #expect(size != 5120 || percents == Array(stride(from: 0, through: 100, by: 10)))
  }

  @Test(
    "options are acknowledged as RFC 2347 to 2349 and 7440 say, in the server's order and bounds; others are passed over"
  )
  func options() throws {
    let cases: [(words: [String], reply: String)] = [
      (["tsize", "0"], "tsize|1300|"),
      (["BLKSIZE", "1408", "tsize", "0"], "blksize|1408|tsize|1300|"),
      (["blksize", "65464"], "blksize|1468|"),
      (["timeout", "3", "multicast", ""], "timeout|3|"),
      (["windowsize", "1"], "windowsize|1|"),
      (["tsize", "0", "WindowSize", "4", "blksize", "1468"], "blksize|1468|windowsize|4|tsize|1300|"),
      (["windowsize", "16"], "windowsize|16|"),
      (["windowsize", "17"], "windowsize|16|"),
      (["windowsize", "65535"], "windowsize|16|"),
    ]
    for (words, reply) in cases {
      var server = try server()
      let commands = server.receive(
        request: request(1, ["/chaos/bzImage", "OCTET"] + words), from: client, at: 0, read: read)
      let expected = [0, 6] + Array(reply.utf8).map { $0 == UInt8(ascii: "|") ? 0 : $0 }
      #expect(packets(commands) == [expected], "\(words)")
    }
    for words in [
      ["blksize", "7"], ["blksize", "x"], ["timeout", "0"], ["timeout", "255"], ["windowsize", "0"],
      ["windowsize", "65536"], ["windowsize", "-1"], ["windowsize", ""], ["windowsize"],
    ] {
      var server = try server()
      let commands = server.receive(
        request: request(1, ["chaos/bzImage", "octet"] + words), from: client, at: 0, read: read)
      #expect(packets(commands).map { $0.prefix(4) } == [[0, 3, 0, 1]], "\(words)")
    }
  }

  @Test("a name that a ROM read too far in an option is the name without that")
  func endMark() throws {
    var server = try server()
    let bytes: [UInt8] = [0, 1] + Array("chaos/bzImage".utf8) + [0xFF, 0] + Array("octet".utf8) + [0]
    #expect(packets(server.receive(request: bytes, from: client, at: 0, read: read)).first?.prefix(4) == [0, 3, 0, 1])
  }

  static let refused: [(request: [UInt8], code: UInt8)] = [
    (request(1, ["chaos/ca.key", "octet"]), 1),
    (request(1, ["chaos/../chaos/bzImage", "octet"]), 1),
    (request(1, ["../../etc/passwd", "octet"]), 1),
    (request(1, ["chaos\\bzImage", "octet"]), 1),
    (request(1, ["chaos/bzImage", "netascii"]), 0),
    (request(2, ["chaos/bzImage", "octet"]), 2),
  ]

  @Test("what is not in the table is not there, whatever its name; nothing is stored", arguments: refused.indices)
  func refuses(_ index: Int) throws {
    var server = try server()
    let (request, code) = Self.refused[index]
    let commands = server.receive(request: request, from: client, at: 0, read: read)
    #expect(packets(commands).first?.prefix(4) == [0, 5, 0, code] && server.nextDue == nil)
  }

  @Test(
    "what is no request gets no answer",
    arguments: [[], [0], [0, 1], [0, 1, 0, 0], [0, 9, 1, 1], [1, 1, 65, 0, 66, 0]])
  func noise(_ bytes: [UInt8]) throws {
    var server = try server()
    #expect(server.receive(request: bytes, from: client, at: 0, read: read) == [])
  }

  @Test("a packet that is not acknowledged is sent again, later and later, and then the client is given up")
  func retransmission() throws {
    var server = try server()
    let first = packets(
      server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0, read: read))
    var times: [UInt64] = []
    var last: [TFTPServer.Command] = []
    while let due = server.nextDue {
      times.append(due)
      last = server.step(at: due, read: read)
      if server.nextDue != nil { #expect(packets(last) == first) }
    }
    #expect(times == [1000, 3000, 7000, 15_000, 23_000, 31_000])
    #expect(last == [.news(.broken(client.address, file: Array("chaos/bzImage".utf8)))])
  }

  @Test("a second copy of an acknowledgement causes nothing to be sent")
  func duplicates() throws {
    var server = try server()
    _ = server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0, read: read)
    #expect(packets(server.receive(acknowledge(1), on: 0, from: client, at: 1, read: read)).count == 1)
    #expect(server.receive(acknowledge(1), on: 0, from: client, at: 2, read: read) == [])
    #expect(server.receive(acknowledge(9), on: 0, from: client, at: 3, read: read) == [])
  }

  @Test("a second copy of a request starts nothing, as long as the client has not answered")
  func duplicateRequest() throws {
    var server = try server()
    let words = request(1, ["chaos/bzImage", "octet"])
    _ = server.receive(request: words, from: client, at: 0, read: read)
    #expect(server.receive(request: words, from: client, at: 4, read: read) == [])
  }

  static let again: [(words: [String], progress: Bool)] = [
    (["empty", "octet"], false), (["chaos/bzImage", "octet", "blksize", "1408"], false),
    (["chaos/bzImage", "octet"], true),
  ]

  @Test("a client that asks anew from the same port gets the new transfer at once", arguments: again.indices)
  func anew(_ index: Int) throws {
    let (words, progress) = Self.again[index]
    var server = try server()
    _ = server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0, read: read)
    if progress { _ = server.receive(acknowledge(1), on: 0, from: client, at: 1, read: read) }
    let commands = server.receive(request: request(1, words), from: client, at: 200, read: read)
    #expect(packets(commands).count == 1)
    // The old transfer is gone: the new one alone is repeated.
    #expect(server.nextDue.map { packets(server.step(at: $0, read: read)) } == packets(commands))
  }

  @Test("a last block that nobody acknowledges counts as arrived, after seven seconds")
  func lostLast() throws {
    var server = try server(size: 600)
    _ = server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0, read: read)
    _ = server.receive(acknowledge(1), on: 0, from: client, at: 1, read: read)
    var last: [TFTPServer.Command] = []
    var time: UInt64 = 0
    while let due = server.nextDue {
      time = due
      last = server.step(at: due, read: read)
    }
    #expect(last == [.news(.sent(client.address, file: Array("chaos/bzImage".utf8), percent: 100))] && time == 7001)
  }

  @Test("somebody else's packet does not disturb a transfer")
  func strangers() throws {
    var server = try server()
    _ = server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0, read: read)
    let other = TFTPServer.Peer(IPv4Address(192, 168, 1, 101), port: 2070)
    let answer = server.receive(acknowledge(1), on: 0, from: other, at: 1, read: read)
    #expect(packets(answer).first?.prefix(4) == [0, 5, 0, 5])
    #expect(packets(server.receive(acknowledge(1), on: 0, from: client, at: 2, read: read)).count == 1)
    // An error, or what is no message, might be the answer to such an answer.
    for bytes in [[0, 5, 0, 5, 0], [0, 9, 0, 0], [0, 3, 0, 1, 7]] as [[UInt8]] {
      #expect(server.receive(bytes, on: 0, from: other, at: 2, read: read) == [])
    }
    let far = TFTPServer.Peer(IPv4Address(10, 0, 0, 1), port: 2070)
    #expect(server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: far, at: 3, read: read) == [])
  }

  @Test("there are as many transfers as ports, four for one address; a client that ends one frees its port")
  func bounds() throws {
    var server = try server(ports: 5)
    var begun = 0
    for port in 1...9 as ClosedRange<UInt16> {
      let peer = TFTPServer.Peer(client.address, port: port)
      begun += packets(server.receive(request: request(1, ["empty", "octet"]), from: peer, at: 0, read: read)).count
    }
    #expect(begun == 4)
    for last in 101...103 as ClosedRange<UInt8> {
      let peer = TFTPServer.Peer(IPv4Address(192, 168, 1, last), port: 1)
      begun += packets(server.receive(request: request(1, ["empty", "octet"]), from: peer, at: 0, read: read)).count
    }
    #expect(begun == 5)
    // A boot ROM that only wanted the size.
    let peer = TFTPServer.Peer(client.address, port: 1)
    #expect(server.receive([0, 5, 0, 8, 0], on: 0, from: peer, at: 1, read: read) == [])
    let next = TFTPServer.Peer(IPv4Address(192, 168, 1, 102), port: 1)
    #expect(!server.receive(request: request(1, ["empty", "octet"]), from: next, at: 2, read: read).isEmpty)
  }

  @Test("a file that cannot be read ends its transfer and is said so")
  func unreadable() throws {
    var server = try server()
    let commands = server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0) { _, _, _ in nil
    }
    #expect(packets(commands).first?.prefix(4) == [0, 5, 0, 0])
    _ = server.receive(request: request(1, ["chaos/bzImage", "octet"]), from: client, at: 0, read: read)
    let then = server.receive(acknowledge(1), on: 0, from: client, at: 1) { _, _, _ in nil }
    #expect(packets(then).first?.prefix(4) == [0, 5, 0, 0] && server.nextDue == nil)
  }
}
