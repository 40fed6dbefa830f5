import TestSupport
import Testing
import TydCommand

@Suite struct OrderFuzzTests {
  private let orders = Mutator([
    "leave", "stop", "pending", "status", "json", "table", "standing", "remove", "allow", "approve", "window",
    "processes", " ", " ", "277", "0", "65536", "40", "abcdef0123456789",
  ])

  @Test("any line is an order that is read again as it was, or none")
  func orderLines() {
    let fault = Fuzzing.configured.firstFault { generator in
      let line = orders.bytes(&generator, pieces: 0...5).filter { $0 != 10 }
      guard let order = TydCommand.Order(line: line) else { return nil }
      return TydCommand.Order(line: [UInt8](order.line.dropLast())) == order ? nil : "\(order) for \(line)"
    }
    #expect(fault == nil)
  }
}
