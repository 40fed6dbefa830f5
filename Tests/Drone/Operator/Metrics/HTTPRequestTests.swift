import Testing

@testable import Metrics

/// Requests as programs send them, and as nobody should.
@Suite struct HTTPRequestTests {
  private static func read(_ text: String) -> HTTPRequest { HTTPRequest([UInt8](text.utf8)) }

  static let metrics = HTTPRequest.get(path: [UInt8]("/metrics".utf8))
  static let cases: [(String, HTTPRequest)] = [
    ("GET /metrics HTTP/1.1\r\nHost: a\r\nUser-Agent: Wget\r\nConnection: close\r\n\r\n", metrics),
    ("GET /metrics HTTP/1.1\nhOST: a\n\n", metrics),
    ("GET /metrics HTTP/1.0\r\n\r\n", metrics),
    ("GET /metrics?x=y HTTP/1.1\r\nHost:\r\n\r\nrest", metrics),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", .get(path: [UInt8(ascii: "/")])),
    ("", .incomplete),
    ("GET /metrics HTTP/1.1\r\nHost: a\r\n", .incomplete),
    ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r", .incomplete),
    ("POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.otherMethod)),
    ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.otherMethod)),
    ("GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n", .refused(.otherVersion)),
    ("GET /metrics HTTP/1.1\r\n\r\n", .refused(.badRequest)),
    ("GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .refused(.badRequest)),
    ("GET /metrics\r\n\r\n", .refused(.badRequest)),
    ("GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequest)),
    ("GET metrics HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequest)),
    ("GET http://a/metrics HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequest)),
    ("GET /\u{1B} HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.badRequest)),
    ("GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", .refused(.badRequest)),
    ("GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n", .refused(.badRequest)),
    ("\r\n\r\n", .refused(.badRequest)),
    ("\u{16}\u{3}\u{1} TLS\n\n", .refused(.badRequest)),
    ("GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 5000), .refused(.tooLarge)),
    ("GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 5000) + "\r\n\r\n", .refused(.tooLarge)),
  ]

  @Test("a request is read or refused", arguments: cases.indices)
  func request(_ index: Int) {
    let (text, request) = Self.cases[index]
    #expect(Self.read(text) == request, "\(text.debugDescription)")
  }

  @Test("a request that comes byte by byte is incomplete up to its last")
  func slowly() {
    let bytes = [UInt8](Self.cases[0].0.utf8)
    for count in 0..<bytes.count { #expect(HTTPRequest(Array(bytes.prefix(count))) == .incomplete) }
    #expect(HTTPRequest(bytes) == Self.metrics)
  }

  @Test("an answer says how long it is, of which type, and that the connection ends")
  func answer() {
    let text = String(decoding: HTTPAnswer.metrics([UInt8]("a 1\n".utf8)), as: UTF8.self)
    #expect(
      text == "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 4\r\n"
        + "Connection: close\r\n\r\na 1\n")
    for status in HTTPStatus.allCases {
      let text = String(decoding: HTTPAnswer.refusal(status), as: UTF8.self)
      #expect(text.hasPrefix("HTTP/1.1 ") && text.contains("\r\nContent-Length: "))
      #expect(text.contains("Allow: GET") == (status == .otherMethod))
    }
  }
}
