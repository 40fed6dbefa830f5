import Testing

@testable import KernelModules

@Suite struct ModuleServiceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var hasTable = true
    var hasNews = true
    var staysOpen = false
    /// Since the first look.
    var elapsed: UInt64 = 0
    /// When a device came last.
    var device: UInt64 = 0
    var step: ModuleService.Step
    var testDescription: String {
      "\(hasTable ? "a" : "no") table, \(hasNews ? "" : "no ")news, \(staysOpen ? "open" : "to be closed"), "
        + "\(elapsed) ms, last device at \(device)"
    }
  }

  private static let start: UInt64 = 7_000_000

  @Test(
    "late devices are served until none has come for ten seconds, by the kernel's news or by looking; open, they always are",
    arguments: [
      Case(step: .listen(milliseconds: 10_000)),
      Case(elapsed: 9_999, step: .listen(milliseconds: 1)),
      Case(elapsed: 10_000, step: .close),
      Case(elapsed: 10_000, device: 9_000, step: .listen(milliseconds: 9_000)),
      Case(elapsed: 19_000, device: 9_000, step: .close),
      // A device that comes and goes keeps nothing open.
      Case(elapsed: 59_000, device: 58_999, step: .listen(milliseconds: 1_000)),
      Case(elapsed: 60_000, device: 59_999, step: .close),
      Case(elapsed: .max, step: .close),
      Case(hasNews: false, step: .lookAgain(milliseconds: 1000)),
      Case(hasNews: false, elapsed: 9_500, step: .lookAgain(milliseconds: 500)),
      Case(hasNews: false, elapsed: 10_000, step: .close),
      Case(staysOpen: true, step: .listen(milliseconds: nil)),
      Case(staysOpen: true, elapsed: .max, step: .listen(milliseconds: nil)),
      Case(hasNews: false, staysOpen: true, elapsed: .max, step: .lookAgain(milliseconds: 1000)),
      Case(hasTable: false, step: .close),
      Case(hasTable: false, hasNews: false, step: .close),
      Case(hasTable: false, staysOpen: true, step: .end),
      Case(hasTable: false, hasNews: false, staysOpen: true, step: .end),
    ])
  func steps(_ one: Case) {
    var service = ModuleService(
      hasTable: one.hasTable, hasNews: one.hasNews, staysOpen: one.staysOpen, at: Self.start)
    service.receiveDevice(at: Self.start &+ one.device)
    #expect(service.next(at: Self.start &+ one.elapsed) == one.step)
  }

  @Test("whatever could not be read and whatever comes, the kernel is closed after a minute", arguments: 0..<8)
  func closed(_ bits: Int) {
    var service = ModuleService(hasTable: bits & 1 != 0, hasNews: bits & 2 != 0, staysOpen: false, at: Self.start)
    var now = Self.start
    for _ in 0..<1000 {
      switch service.next(at: now) {
      case .close: return #expect(now - Self.start <= ModuleService.longest)
      case .listen(let milliseconds): now += min(milliseconds ?? .max / 2, 500)
      case .lookAgain(let milliseconds): now += milliseconds
      case .end: break
      }
      if bits & 4 != 0 { service.receiveDevice(at: now) }
    }
    Issue.record("it stays open")
  }
}
