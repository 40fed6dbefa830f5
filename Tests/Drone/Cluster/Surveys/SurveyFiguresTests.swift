import ClusterSimulation
import Testing

/// What the questions to a whole cluster cost, with ESP, UDP and IP headers.
@Suite struct SurveyFiguresTests {
  @Test(
    "at 100 nodes a round with its tunnels takes 30 kB, and all answer in time, also when most tunnels have to be made")
  func hundred() {
    let first = SurveyFigures(nodes: 100, tunnels: 12)
    #expect(first.answers == 99)
    #expect(first.handshakes == 87)
    let next = SurveyFigures(nodes: 100, tunnels: 99)
    #expect(next.answers == 99 && next.handshakes == 0 && next.burst == 1)
    #expect((25_000...32_000).contains(next.bytes), "\(next.bytes)")
    // Every datagram filled: the bound, not what is usual.
    #expect(SurveyFigures(nodes: 100, tunnels: 99, busy: 40).bytes <= 99 * (84 + 1264))
  }

  @Test("at 1,000 nodes no 10 ms see more than ten questions, and all answer, also when most tunnels have to be made")
  func thousand() {
    let next = SurveyFigures(nodes: 1000, tunnels: 999)
    #expect(next.answers == 999)
    #expect(next.burst <= 10)
    let first = SurveyFigures(nodes: 1000, tunnels: 12)
    #expect(first.answers == 999 && first.handshakes == 987)
    #expect(first.duration <= 6500, "\(first.duration)")
  }

  @Test("a cluster of one asks nobody")
  func one() {
    let figures = SurveyFigures(nodes: 1, tunnels: 0)
    #expect(figures.bytes == 0 && figures.answers == 0 && figures.duration == 0)
  }
}
