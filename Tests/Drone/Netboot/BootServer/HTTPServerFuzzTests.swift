import Addresses
import TestSupport
import Testing

@testable import BootServer

@Suite struct HTTPServerFuzzTests {
  @Test("whatever comes, in whatever order, places stay bounded and only the files' bytes go out")
  func connections() throws {
    let mutator = Mutator([
      "GET /drone-x64.efi HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD ", "GET ", "/", "drone-x64.efi", " HTTP/1.0\r\n\r\n",
      "\r\n\r\n",
      "Host: a\r\n", "\u{0}",
    ])
    let content = [UInt8](repeating: 7, count: 200_000)
    let fresh = HTTPServer(try network(), files: [.init(Array("drone-x64.efi".utf8), size: content.count)])
    let fault = Fuzzing.lives(of: 20).firstFault { generator in
      var server = fresh
      var now: UInt64 = 0
      for _ in 0..<20 {
        let place = Int.random(in: -1...HTTPServer.most, using: &generator)
        now += UInt64.random(in: 0...4000, using: &generator)
        switch UInt8.random(in: 0..<5, using: &generator) {
        case 0:
          _ = server.admit(
            IPv4Address(192, 168, 1, UInt8.random(in: 90...110, using: &generator)), at: now)
        case 1: _ = server.receive(mutator.bytes(&generator, pieces: 0...4), on: place, at: now)
        case 2:
          let bytes = server.next(on: place) { _, offset, count in Array(content[offset..<offset + count]) }
          guard let bytes, bytes.count <= 64 << 10 else { return "nothing, or too much, to send" }
          _ = server.sent(Int.random(in: 0...bytes.count, using: &generator), on: place, at: now)
        case 3: _ = server.end(place)
        default: _ = server.step(at: now)
        }
        if let due = server.nextDue, due > now + HTTPServer.patience { return "a place without an end" }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
