import Addresses
import Testing

@testable import BootServer

private let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
private let peer = IPv4Address(192, 168, 1, 100)

private func address(_ last: UInt8) -> IPv4Address { IPv4Address(192, 168, 1, last) }

private func read(_ file: Int, _ offset: Int, _ count: Int) -> [UInt8]? { Array(content[offset..<offset + count]) }

@Suite struct HTTPServerTests {
  private func server() throws -> HTTPServer {
    HTTPServer(
      try network(),
      files: [
        .init(Array("drone-x64.efi".utf8), size: content.count), .init(Array("chaos/bzImage".utf8), size: 1000),
        .init(Array("empty".utf8), size: 0),
      ])
  }

  /// Asks, takes all that comes in parts of so many bytes, and gives it with what was told.
  private func ask(
    _ server: inout HTTPServer, _ text: String, parts: Int = 5000
  ) -> (answer: [UInt8], commands: [HTTPServer.Command]) {
    guard case .place(let place) = server.admit(peer, at: 0) else { return ([], []) }
    var commands = server.receive(Array(text.utf8), on: place, at: 0)
    var answer: [UInt8] = []
    while server.isSending(place), let bytes = server.next(on: place, read: read) {
      let part = bytes.prefix(parts)
      answer += part
      commands += server.sent(part.count, on: place, at: 0)
    }
    return (answer, commands)
  }

  @Test("firmware asks for the size and fetches the file, byte for byte; how far it is is told in tenths")
  func file() throws {
    var server = try server()
    let head = ask(&server, "HEAD /drone-x64.efi HTTP/1.1\r\nHost: 192.168.1.11\r\n\r\n")
    let expected =
      "HTTP/1.1 200 OK\r\nContent-Type: application/efi\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n"
    #expect(head.answer == Array(expected.utf8) && head.commands == [.close(0)])
    let whole = ask(
      &server, "GET /drone-x64.efi HTTP/1.1\r\nHost: 192.168.1.11\r\nUser-Agent: UefiHttpBoot/1.0\r\n\r\n")
    #expect(whole.answer == Array(expected.utf8) + content)
    let percents = whole.commands.compactMap { command -> UInt8? in
      if case .news(.sent(peer, _, let percent)) = command { percent } else { nil }
    }
    #expect(percents == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] && whole.commands.last == .close(0))
    #expect(server.nextDue == nil)
  }

  static let answers: [(request: String, first: String)] = [
    ("GET /chaos/bzImage HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
    ("GET /empty HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
    ("GET /chaos HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found"),
    ("GET //chaos/bzImage HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found"),
    ("GET /../etc/passwd HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found"),
    ("GET /chaos/%62zImage HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found"),
    ("PUT /drone-x64.efi HTTP/1.0\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
    ("GET /drone-x64.efi HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"),
    ("GET /drone-x64.efi HTTP/3.0\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported"),
    (String(repeating: "x", count: 5000), "HTTP/1.1 431 Request Header Fields Too Large"),
  ]

  @Test("what is not in the table is not there, whatever its name; nothing is stored", arguments: answers.indices)
  func answer(_ index: Int) throws {
    var server = try server()
    let (request, first) = Self.answers[index]
    #expect(
      String(decoding: ask(&server, request).answer, as: UTF8.self).hasPrefix(first + "\r\n"), "\(request.prefix(40))")
  }

  @Test("there are sixteen connections, four of one address; who holds most loses the oldest to one that holds fewer")
  func places() throws {
    var server = try server()
    for last in [1, 2, 3, 4] as [UInt8] {
      for time in 0..<4 as Range<UInt64> {
        #expect(server.admit(address(100 + last), at: time) == .place(Int(last - 1) * 4 + Int(time)))
      }
    }
    #expect(server.admit(address(101), at: 9) == .refused, "a fifth of one address")
    #expect(server.hasRoom, "somebody holds more than one")
    #expect(server.admit(address(110), at: 9) == .instead(of: 0))
    // Everybody has one in the end, and further ones wait to be accepted.
    for last in 111..<126 as Range<UInt8> {
      guard server.hasRoom else { break }
      #expect(server.admit(address(last), at: 10) != .refused)
    }
    #expect(server.admit(address(130), at: 11) == .refused && !server.hasRoom)
    #expect(server.admit(IPv4Address(10, 0, 0, 1), at: 11) == .refused, "another network")
  }

  @Test("who says nothing, or takes nothing, loses the place after ten seconds; who goes on keeps it")
  func time() throws {
    var server = try server()
    _ = server.admit(peer, at: 0)
    _ = server.receive(Array("GET /drone".utf8), on: 0, at: 1000)
    #expect(server.nextDue == 10_000 && server.step(at: 9_999) == [])
    #expect(server.step(at: 10_000) == [] && server.isSending(0))
    let said = try #require(server.next(on: 0, read: read))
    #expect(String(decoding: said, as: UTF8.self).hasPrefix("HTTP/1.1 408 Request Timeout"))
    #expect(server.step(at: 11_000) == [.close(0)])

    _ = server.admit(peer, at: 20_000)
    _ = server.receive(Array("GET /drone-x64.efi HTTP/1.0\r\n\r\n".utf8), on: 0, at: 20_000)
    // 64 KiB more give ten seconds more.
    _ = server.sent(65_535, on: 0, at: 29_000)
    #expect(server.nextDue == 30_000)
    _ = server.sent(1, on: 0, at: 29_500)
    #expect(server.nextDue == 39_500)
    #expect(server.step(at: 39_500) == [.news(.broken(peer, file: Array("drone-x64.efi".utf8))), .close(0)])
  }

  @Test("a client that goes away in the middle, and a file that cannot be read, end a connection")
  func broken() throws {
    var server = try server()
    let broken = [HTTPServer.Command.news(.broken(peer, file: Array("drone-x64.efi".utf8))), .close(0)]
    for _ in 0..<2 {
      _ = server.admit(peer, at: 0)
      _ = server.receive(Array("GET /drone-x64.efi HTTP/1.0\r\n\r\n".utf8), on: 0, at: 0)
      _ = server.sent(server.next(on: 0, read: read)?.count ?? 0, on: 0, at: 0)
      #expect(server.next(on: 0) { _, _, _ in nil } == nil)
      #expect(server.receive([], on: 0, at: 0) == broken)
    }
    #expect(server.receive([], on: 0, at: 0) == [] && server.end(99) == [] && server.next(on: 99, read: read) == [])
  }
}
