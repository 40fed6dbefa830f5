import Testing

@testable import KernelModules

@Suite struct ModuleServiceTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var hasTable = true
    var hasNews = true
    var staysOpen = false
    var elapsed: UInt64 = 0
    var step: ModuleService.Step
    var testDescription: String {
      "\(hasTable ? "a" : "no") table, \(hasNews ? "" : "no ")news, \(staysOpen ? "open" : "to be closed"), \(elapsed) ms"
    }
  }

  @Test(
    "late devices are served for ten seconds, by the kernel's news or by looking; open, they always are",
    arguments: [
      Case(step: .listen(milliseconds: 10_000)),
      Case(elapsed: 9_999, step: .listen(milliseconds: 1)),
      Case(elapsed: 10_000, step: .close),
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
    let service = ModuleService(hasTable: one.hasTable, hasNews: one.hasNews, staysOpen: one.staysOpen)
    #expect(service.next(after: one.elapsed) == one.step)
  }

  @Test("whatever could not be read, the kernel is closed after ten seconds", arguments: 0..<4)
  func closed(_ bits: Int) {
    let service = ModuleService(hasTable: bits & 1 != 0, hasNews: bits & 2 != 0, staysOpen: false)
    var elapsed: UInt64 = 0
    for _ in 0..<20 {
      switch service.next(after: elapsed) {
      case .close: return #expect(elapsed <= ModuleService.patience)
      case .listen(let milliseconds): elapsed += milliseconds ?? .max / 2
      case .lookAgain(let milliseconds): elapsed += milliseconds
      case .end: break
      }
    }
    Issue.record("it stays open")
  }
}
