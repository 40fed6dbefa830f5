import Reporting
import TestSupport
import Testing

@Suite struct ReportingFuzzTests {
  private let standings = Mutator([
    "joining", "pending", "member", " ", "\n", "277", "3", "65536", String(repeating: "a0", count: 32),
  ])

  @Test("any line says how a node stands, and what says so is read again as it was")
  func standingLines() {
    let fault = Fuzzing.configured.firstFault { generator in
      let line = standings.bytes(&generator, pieces: 0...6)
      let standing = NodeStanding(line)
      return NodeStanding(standing.text) == standing ? nil : "\(standing) for \(line)"
    }
    #expect(fault == nil)
  }
}
