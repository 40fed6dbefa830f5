import Addresses
import TestSupport
import Testing

@testable import BootServer

private let peer = TFTPServer.Peer(IPv4Address(192, 168, 1, 100), port: 2070)

private func acknowledge(_ block: Int) -> [UInt8] {
  [0, 4, UInt8(truncatingIfNeeded: block >> 8), UInt8(truncatingIfNeeded: block)]
}

/// The receiving side of RFC 7440 as §4 has it, with its most talkative reading: it acknowledges a whole window, the last
/// block of all, and for each block that it did not expect what it has.
struct WindowClient {
  let blockSize: Int
  let window: Int
  private(set) var content: [UInt8] = []
  private(set) var isDone = false
  /// The last block of those that came without a gap.
  private var has = 0
  private var sinceAcknowledged = 0

  init(blockSize: Int, window: Int) {
    self.blockSize = blockSize
    self.window = window
  }

  mutating func receive(_ packet: [UInt8]) -> [UInt8]? {
    guard packet[1] == 3 else { return has == 0 ? acknowledge(0) : nil }
    guard packet[2...3].elementsEqual(acknowledge(has + 1)[2...3]), !isDone else {
      sinceAcknowledged = 0
      return acknowledge(has)
    }
    content += packet.dropFirst(4)
    has += 1
    sinceAcknowledged += 1
    isDone = packet.count - 4 < blockSize
    guard isDone || sinceAcknowledged == window else { return nil }
    sinceAcknowledged = 0
    return acknowledge(has)
  }
}

/// A server with one file, its client, and the cable between them.
struct WindowTransfer {
  var server: TFTPServer
  var client: WindowClient
  private let size: Int
  /// Packets of the server, from 0 on, and how often it waited for nothing.
  private(set) var packets = 0
  private(set) var timeouts = 0
  private(set) var reads = 0
  private var answers = 0
  private var last: [BootNews] = []

  init(size: Int, blockSize: Int, window: Int) throws {
    self.size = size
    server = TFTPServer(try network(), files: [.init(Array("file".utf8), size: size)], ports: 1)
    client = WindowClient(blockSize: blockSize, window: window)
  }

  static func byte(_ offset: Int) -> UInt8 { UInt8(truncatingIfNeeded: offset &* 7 &+ offset >> 8) }

  /// Whether the client has the file, byte for byte, and the server knows.
  var isWhole: Bool {
    client.isDone && client.content.elementsEqual((0..<size).lazy.map(WindowTransfer.byte)) && server.nextDue == nil
      && last.contains(.sent(peer.address, file: Array("file".utf8), percent: 100))
  }

  /// Lets everything happen. `fate`: how often a packet arrives, by its number, and whether it is an answer. In each round
  /// all that was sent arrives, in its order.
  mutating func run(until most: Int = 1_000_000, fate: (_ number: Int, _ isAnswer: Bool) -> Int) {
    var counted = 0
    func read(_: Int, _ offset: Int, _ count: Int) -> [UInt8]? {
      counted += 1
      return (offset..<offset + count).map(WindowTransfer.byte)
    }
    let words = ["file", "octet", "blksize", "\(client.blockSize)", "windowsize", "\(client.window)"]
    var now: UInt64 = 0
    var commands = server.receive(
      request: [0, 1] + words.flatMap { Array($0.utf8) + [0] }, from: peer, at: now, read: read)
    while packets < most {
      var replies: [[UInt8]] = []
      last = []
      for command in commands {
        if case .news(let news) = command { last.append(news) }
        guard case .send(let packet, _, _) = command else { continue }
        for _ in 0..<fate(packets, false) { replies += client.receive(packet).map { [$0] } ?? [] }
        packets += 1
      }
      commands = []
      for reply in replies {
        for _ in 0..<fate(answers, true) {
          commands += server.receive(reply, on: 0, from: peer, at: now, read: read)
        }
        answers += 1
      }
      guard commands.isEmpty else { continue }
      guard let due = server.nextDue else { break }
      now = due
      timeouts += 1
      commands = server.step(at: now, read: read)
    }
    reads = counted
  }
}

/// More than one block before an acknowledgement (RFC 7440).
@Suite struct TFTPWindowTests {
  private func request(_ server: inout TFTPServer, _ words: [String]) -> [TFTPServer.Command] {
    server.receive(
      request: [0, 1] + (["file", "octet"] + words).flatMap { Array($0.utf8) + [0] }, from: peer, at: 0, read: read)
  }

  private func read(_: Int, _ offset: Int, _ count: Int) -> [UInt8]? {
    (offset..<offset + count).map(WindowTransfer.byte)
  }

  private func blocks(_ commands: [TFTPServer.Command]) -> [UInt8] {
    commands.compactMap { if case .send(let bytes, _, _) = $0, bytes[1] == 3 { bytes[3] } else { nil } }
  }

  private func server(_ size: Int) throws -> TFTPServer {
    TFTPServer(try network(), files: [.init(Array("file".utf8), size: size)], ports: 1)
  }

  @Test("after the options a window of blocks follows, each with its number and bytes; the last window is shorter")
  func window() throws {
    var server = try server(40)
    // Operation 6, names and values, a zero behind each.
    let options = [0, 6] + Array("blksize|8|windowsize|3|".utf8).map { $0 == UInt8(ascii: "|") ? 0 : $0 }
    #expect(request(&server, ["blksize", "8", "windowsize", "3"]).last == .send(options, to: peer, from: 0))
    func data(_ block: UInt8, _ offsets: Range<Int>) -> TFTPServer.Command {
      // Operation 3, the block's number, its bytes.
      .send([0, 3, 0, block] + offsets.map(WindowTransfer.byte), to: peer, from: 0)
    }
    #expect(
      server.receive(acknowledge(0), on: 0, from: peer, at: 1, read: read) == [
        data(1, 0..<8), data(2, 8..<16), data(3, 16..<24),
      ])
    // Five whole blocks, and an empty one that ends the file.
    let rest = server.receive(acknowledge(3), on: 0, from: peer, at: 2, read: read)
    #expect(rest.prefix(3) == [data(4, 24..<32), data(5, 32..<40), data(6, 40..<40)])
    #expect(
      server.receive(acknowledge(6), on: 0, from: peer, at: 3, read: read) == [
        .news(.sent(peer.address, file: Array("file".utf8), percent: 100))
      ])
  }

  /// Nine blocks in windows of four: packet 0 is the acknowledgement of the options, 1 to 4, 5 to 8 and 9 are the blocks as
  /// long as nothing is lost. Answer 0 is for the options, 1 for the first window.
  static let losses: [(name: String, lost: [Int], answers: [Int], packets: Int, timeouts: Int)] = [
    ("nothing", [], [], 10, 0),
    ("the options", [0], [], 11, 1),
    ("the answer to the options", [], [0], 11, 1),
    ("the very first block", [1], [], 14, 0),
    ("a window's first block", [5], [], 14, 0),
    ("one in the middle, so that the next window begins with it", [6], [], 13, 0),
    ("a window's last block, which no block behind it shows", [8], [], 14, 1),
    ("a whole window", [5, 6, 7, 8], [], 14, 1),
    ("two of a window", [5, 7], [], 14, 0),
    ("one of each of two windows", [2, 10], [], 16, 0),
    ("the block behind a repeated window, whose acknowledgement may have copies", [2, 9], [], 17, 1),
    ("the same block twice", [6, 9], [], 17, 1),
    ("the file's last block", [9], [], 11, 1),
    ("the answer to a window", [], [1], 14, 1),
    ("the last answer", [], [3], 11, 1),
  ]

  @Test("what is lost comes again, and little else", arguments: losses.indices)
  func lost(_ index: Int) throws {
    let (name, lost, answers, packets, timeouts) = Self.losses[index]
    var transfer = try WindowTransfer(size: 4600, blockSize: 512, window: 4)
    transfer.run { number, isAnswer in (isAnswer ? answers : lost).contains(number) ? 0 : 1 }
    #expect(transfer.isWhole, "\(name)")
    #expect(
      transfer.packets == packets && transfer.timeouts == timeouts, "\(name): \(transfer.packets), \(transfer.timeouts)"
    )
  }

  @Test("files of any length arrive in windows of any length, and nothing is sent twice", arguments: [1, 2, 15, 16])
  func lengths(_ window: Int) throws {
    for size in [0, 1, 7, 8, 9, 8 * window - 1, 8 * window, 8 * window + 1, 8 * 3 * window] {
      var transfer = try WindowTransfer(size: size, blockSize: 8, window: window)
      transfer.run { _, _ in 1 }
      #expect(transfer.isWhole && transfer.packets == size / 8 + 2 && transfer.timeouts == 0, "\(size)")
    }
  }

  @Test(
    "block numbers go round in the middle of a window, also where a block is lost there",
    arguments: [nil, 65_535, 65_536, 65_537] as [Int?])
  func wrap(_ lost: Int?) throws {
    var transfer = try WindowTransfer(size: 8 * 65_600 + 3, blockSize: 8, window: 15)
    transfer.run { number, isAnswer in !isAnswer && number == lost ? 0 : 1 }
    #expect(transfer.isWhole && transfer.packets <= 65_602 + 15, "\(transfer.packets)")
  }

  @Test("copies of an acknowledgement repeat a window once, and not the next; old ones and wrong ones do nothing")
  func copies() throws {
    var server = try server(8 * 100)
    _ = request(&server, ["blksize", "8", "windowsize", "4"])
    for (number, expected) in [
      (0, [1, 2, 3, 4]), (0, [1, 2, 3, 4]), (0, []), (0, []),
      // The client has each block twice, and says so four times.
      (4, [5, 6, 7, 8]), (4, []), (4, []), (4, []), (4, []),
      (3, []), (0, []), (9, []), (0x8004, []), (65_535, []),
      (8, [9, 10, 11, 12]), (8, [9, 10, 11, 12]), (8, []),
      // In the middle of what was repeated: new blocks alone.
      (10, [13, 14]), (10, []), (11, [15]), (15, [16, 17, 18, 19]),
    ] as [(Int, [UInt8])] {
      let commands = server.receive(acknowledge(number), on: 0, from: peer, at: 1, read: read)
      #expect(blocks(commands) == expected, "after \(number)")
    }
  }

  @Test("every packet may come twice, and not many more are sent for that")
  func twice() throws {
    var transfer = try WindowTransfer(size: 8 * 1000, blockSize: 8, window: 16)
    transfer.run(until: 10_000) { _, _ in 2 }
    #expect(transfer.isWhole && transfer.packets <= 2 * 1002 && transfer.timeouts == 0, "\(transfer.packets)")
  }

  @Test("a window that is not acknowledged is sent again whole, later and later, and then the client is given up")
  func retransmission() throws {
    var server = try server(8 * 100)
    _ = request(&server, ["blksize", "8", "windowsize", "4"])
    _ = server.receive(acknowledge(0), on: 0, from: peer, at: 0, read: read)
    _ = server.receive(acknowledge(4), on: 0, from: peer, at: 0, read: read)
    var times: [UInt64] = []
    var last: [TFTPServer.Command] = []
    while let due = server.nextDue {
      times.append(due)
      last = server.step(at: due, read: read)
      if server.nextDue != nil { #expect(blocks(last) == [5, 6, 7, 8]) }
    }
    #expect(times == [1000, 3000, 7000, 15_000, 23_000, 31_000])
    #expect(last == [.news(.broken(peer.address, file: Array("file".utf8)))])
    // A client that goes on has all its time again.
    server = try self.server(8 * 100)
    _ = request(&server, ["blksize", "8", "windowsize", "4"])
    _ = server.receive(acknowledge(0), on: 0, from: peer, at: 0, read: read)
    for _ in 0..<3 { if let due = server.nextDue { _ = server.step(at: due, read: read) } }
    #expect(server.nextDue == 15_000)
    #expect(blocks(server.receive(acknowledge(2), on: 0, from: peer, at: 8000, read: read)) == [5, 6])
    #expect(server.nextDue == 9000)
  }

  @Test("nothing of a file is kept: what is sent again is read again, and what cannot be read ends the transfer")
  func reading() throws {
    var transfer = try WindowTransfer(size: 4600, blockSize: 512, window: 4)
    transfer.run { number, isAnswer in !isAnswer && number == 6 ? 0 : 1 }
    #expect(transfer.reads == transfer.packets - 1)
    var server = try server(4600)
    _ = request(&server, ["windowsize", "4"])
    let failed = server.receive(acknowledge(0), on: 0, from: peer, at: 1) { _, offset, count in
      offset < 1024 ? [UInt8](repeating: 1, count: count) : nil
    }
    #expect(failed.count == 2 && server.nextDue == nil)
    guard case .send(let bytes, _, _)? = failed.first else { return #expect(Bool(false), "no error") }
    #expect(bytes.prefix(4) == [0, 5, 0, 0])
  }
}
