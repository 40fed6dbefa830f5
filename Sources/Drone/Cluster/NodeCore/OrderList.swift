import LocalOrders

/// The orders of programs on this machine, by the number of their connection.
struct OrderList {
  private var orders: [(number: UInt32, call: OrderCall)] = []
  private var nextNumber: UInt32 = 1
  /// When the first one's time is over, in milliseconds; `UInt64.max` without any.
  private(set) var nextDue = UInt64.max

  /// More programs wait until one is done.
  var isFull: Bool { orders.count >= OrderCall.most }

  func contains(_ number: UInt32) -> Bool { place(of: number) != nil }

  private func place(of number: UInt32) -> Int? { orders.firstIndex { $0.number == number } }

  /// Those whose time is over.
  func due(at now: UInt64) -> [UInt32] {
    var due: [UInt32] = []
    for order in orders where order.call.nextDue <= now { due.append(order.number) }
    return due
  }

  mutating func insert(_ call: OrderCall) -> UInt32 {
    defer { nextNumber &+= 1 }
    orders.append((nextNumber, call))
    nextDue = min(nextDue, call.nextDue)
    return nextNumber
  }

  mutating func remove(_ number: UInt32) {
    orders.removeAll { $0.number == number }
    findNextDue()
  }

  /// Tells an order what happens, and gives what it asks for; nothing where there is none.
  mutating func tell(_ number: UInt32, _ happens: (inout OrderCall) -> [OrderCommand]) -> [OrderCommand] {
    guard let place = place(of: number) else { return [] }
    let asked = happens(&orders[place].call)
    findNextDue()
    return asked
  }

  private mutating func findNextDue() {
    nextDue = .max
    for place in orders.indices { nextDue = min(nextDue, orders[place].call.nextDue) }
  }
}
