import ProcessControl
import Testing

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

@Suite("A program that is kept running")
struct KeptProcessTests {
  @Test("it is due, begins, runs and ends, and is due again when its holder says so")
  func life() {
    var kept = KeptProcess(dueAt: 5)
    #expect(!kept.isDue(at: 4))
    #expect(kept.isDue(at: 5))
    kept.begin(at: 5)
    #expect(kept.dueAt == nil)
    kept.run(as: 7)
    #expect(kept.process == 7)
    kept.end()
    #expect(kept.process == nil)
    #expect(!kept.isDue(at: .max))
    kept.schedule(at: 6)
    #expect(kept.dueAt == 6)
  }

  @Test("each short run and each start that fails makes the next wait longer; a useful life makes up for them")
  func waits() {
    var kept = KeptProcess(dueAt: 0)
    var now: UInt64 = 0
    var waits: [UInt64] = []
    for _ in 0..<8 {
      kept.begin(at: now)
      kept.schedule(at: now)
      waits.append((kept.dueAt ?? .max) - now)
      now = kept.dueAt ?? .max
    }
    #expect(waits == [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 32_000])
    #expect(kept.hasFailedForLong)
    kept.begin(at: now)
    kept.schedule(at: now + BackOff.usefulMilliseconds)
    #expect(kept.dueAt == now + BackOff.usefulMilliseconds)
    #expect(!kept.hasFailedForLong)
  }
}
