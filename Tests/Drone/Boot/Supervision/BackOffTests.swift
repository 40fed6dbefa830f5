import Testing

@testable import Supervision

@Suite("Starting again")
struct BackOffTests {
  @Test("a program that keeps ending at once is started again ever later, at most every 32 s")
  func growing() {
    var backOff = BackOff()
    let delays = (0..<9).map { _ in backOff.delay(afterRunning: 5) }
    #expect(delays == [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 32_000, 32_000])
    #expect(backOff.isExhausted)
  }

  @Test("a useful life makes up for the short ones before it")
  func forgiven() {
    var backOff = BackOff()
    for _ in 0..<5 { _ = backOff.delay(afterRunning: 0) }
    #expect(backOff.delay(afterRunning: BackOff.usefulMilliseconds) == 0)
    #expect(backOff.delay(afterRunning: 0) == 0)
    #expect(backOff.delay(afterRunning: 0) == 1000)
    #expect(!backOff.isExhausted)
  }
}
