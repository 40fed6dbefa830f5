import Testing

@testable import HTTP

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
    ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", .get(path: [UInt8]("/metrics".utf8), isHead: true)),
    ("HEAD / HTTP/1.0\r\n\r\n", .get(path: [UInt8(ascii: "/")], isHead: true)),
    ("head /metrics HTTP/1.1\r\nHost: a\r\n\r\n", .refused(.otherMethod)),
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

  /// Hosts in a request to an address that is for this computer alone.
  static let hosts: [(host: String, isServed: Bool)] = [
    ("127.0.0.1", true), ("127.0.0.1:9639", true), ("localhost", true), ("LocalHost:80", true), ("[::1]:9639", true),
    ("[::1]", true), ("rebind.evil.example:9639", false), ("localhost.evil.example", false),
    ("127.0.0.1.evil.example", false),
    ("", false), ("192.168.1.11:9639", false), ("127.0.0.1:x", false), ("127.0.0.1:", true), ("::1", false),
    ("localhost:1:2", false),
  ]

  @Test(
    "what is for this computer alone is not given to a page that reached it by another name", arguments: hosts.indices)
  func host(_ index: Int) {
    let (host, isServed) = Self.hosts[index]
    for (method, isHead) in [("GET", false), ("HEAD", true)] {
      let bytes = [UInt8]("\(method) /metrics HTTP/1.1\r\nHost: \t\(host) \r\n\r\n".utf8)
      let served = HTTPRequest.get(path: [UInt8]("/metrics".utf8), isHead: isHead)
      #expect(
        HTTPRequest(bytes, isForThisComputer: true) == (isServed ? served : .refused(.misdirected, isHead: isHead)))
      #expect(HTTPRequest(bytes) == served)
    }
    #expect(HTTPRequest([UInt8]("GET /metrics HTTP/1.0\r\n\r\n".utf8), isForThisComputer: true) == Self.metrics)
  }

  @Test("an answer to HEAD is the head of that to GET")
  func head() {
    for (whole, head) in [
      (
        HTTPAnswer.whole([1, 2, 3], type: "text/plain"), HTTPAnswer.whole([1, 2, 3], type: "text/plain", isHead: true)
      ),
      (HTTPAnswer.refusal(.notFound), HTTPAnswer.refusal(.notFound, isHead: true)),
    ] {
      #expect(whole.starts(with: head) && head.suffix(4) == [13, 10, 13, 10] && whole.count > head.count)
    }
  }

  @Test("a request that comes byte by byte is incomplete up to its last")
  func slowly() {
    let bytes = [UInt8](Self.cases[0].0.utf8)
    for count in 0..<bytes.count { #expect(HTTPRequest(Array(bytes.prefix(count))) == .incomplete) }
    #expect(HTTPRequest(bytes) == Self.metrics)
  }

  @Test("an answer says how long it is, of which type, and that the connection ends")
  func answer() {
    let text = String(
      decoding: HTTPAnswer.whole([UInt8]("a 1\n".utf8), type: "text/plain; version=0.0.4; charset=utf-8"), as: UTF8.self
    )
    #expect(
      text == "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 4\r\n"
        + "Connection: close\r\n\r\na 1\n")
    for status in HTTPStatus.allCases {
      let text = String(decoding: HTTPAnswer.refusal(status), as: UTF8.self)
      #expect(text.hasPrefix("HTTP/1.1 ") && text.contains("\r\nContent-Length: "))
      #expect(text.contains("Allow: GET, HEAD") == (status == .otherMethod))
    }
  }
}
