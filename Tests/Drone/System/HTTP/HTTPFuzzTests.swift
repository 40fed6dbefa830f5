import TestSupport
import Testing

@testable import HTTP

@Suite struct HTTPFuzzTests {
  private let mutator = Mutator([
    "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "GET", " ", "/metrics", "/", "HTTP/1.1", "HTTP/1.0", "\r\n", "\n", "\r",
    "Host:", "a", ":", "?", "\u{0}", "HEAD", "localhost", "127.0.0.1:9639", "[::1]",
  ])

  @Test("any bytes are a request, a refusal, or not enough; and what was enough stays what it was")
  func requests() {
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = mutator.bytes(&generator, pieces: 0...20)
      let request = HTTPRequest(bytes)
      if case .get(let path, _) = request, path.first != UInt8(ascii: "/") || path.contains(where: { $0 <= 0x20 }) {
        return "\(path) is no path"
      }
      let here = HTTPRequest(bytes, isForThisComputer: true)
      if here != request, case .refused(.misdirected, _) = here {} else if here != request { return "\(here)" }
      if request != .incomplete, HTTPRequest(bytes + [0x41, 0x0A, 0x0A]) != request {
        return "\(bytes) became another"
      }
      return nil
    }
    #expect(fault == nil)
  }
}
