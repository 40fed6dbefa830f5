import Testing

@testable import tyd

@Suite struct RunEndTests {
  static let cases: [(RunEnd, leavesDemands: Bool)] = [
    // As when the package is upgraded: whatever was demanded, and even if nobody else is there.
    (RunEnd(cause: .signal, demands: true, demanded: false), true),
    (RunEnd(cause: .signal, demands: false, demanded: false), false),
    // It did not get in: what it found stays, what it began does not.
    (RunEnd(cause: .failure, demands: true, demanded: true), true),
    (RunEnd(cause: .failure, demands: false, demanded: true), true),
    (RunEnd(cause: .failure, demands: true, demanded: false), false),
    // An operator wants it, or it belongs to the cluster no longer.
    (RunEnd(cause: .order, demands: true, demanded: true), false),
    (RunEnd(cause: .expulsion, demands: true, demanded: true), false),
    // With -c off nothing is to be demanded.
    (RunEnd(cause: .signal, isEncrypted: false, demands: true, demanded: true), false),
    (RunEnd(cause: .failure, isEncrypted: false, demands: true, demanded: true), false),
  ]

  @Test("a signal and a start that fails leave what is demanded; an order and an expulsion do not")
  func leaves() {
    for (end, leavesDemands) in RunEndTests.cases { #expect(end.leavesDemands == leavesDemands, "\(end)") }
  }
}
