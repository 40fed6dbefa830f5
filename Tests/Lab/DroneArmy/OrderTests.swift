import Testing

@testable import DroneArmy

@Suite struct OrderTests {
  static let orders: [Order] = [
    .kill(1), .reboot(20), .unplug(200), .plug(3), .status(json: false), .status(json: true),
    .console(2, rows: 24, columns: 80),
  ]

  @Test("an order is read as it was written, and is no longer than any may be", arguments: orders)
  func round(_ order: Order) throws {
    #expect(try Order(line: order.line.utf8) == order)
    #expect(order.line.utf8.count < Order.longestLine)
  }

  @Test(
    "anything else is refused with a sentence",
    arguments: [
      "", " ", "kill", "kill ", "kill x", "kill -1", "kill 1 2", "kill  1", "kill 99999", "kill 1\r", "status xml",
      "console 1", "console 1 2 3 4", "KILL 1", "kill ١", "\u{0}",
    ])
  func refused(_ line: String) {
    let refusal = #expect(throws: Order.Refusal.self) { try Order(line: line.utf8) }
    #expect(refusal?.sentence.hasSuffix(".") == true)
  }
}
