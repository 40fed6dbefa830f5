import ControlChannel
import LocalOrders
import Membership
import Surveys

// Orders of programs on this machine, by the number of their connection.

extension NodeCore {
  /// More programs wait until one is done.
  public var takesOrders: Bool { orders.count < OrderCall.most }

  /// A program connects. Gives its number; nil for one that may give no order.
  public func receiveOrderer(user: UInt32, at now: UInt64) -> UInt32? {
    guard let call = OrderCall(user: user, at: now) else { return nil }
    let number = orderNumber()
    orders.append((number, call))
    return number
  }

  /// Bytes came, or none: the program has closed its end, or its connection failed.
  public func receive(_ part: [UInt8], fromOrder number: UInt32, at now: UInt64) -> [NodeCommand] {
    guard let place = order(number) else { return [] }
    let host = OrderCall.Host(id: membership.ownID, canCertify: admission.canCertify)
    perform(orders[place].call.receive(part, host), number, at: now)
    return finish()
  }

  func order(_ number: UInt32) -> Int? { orders.firstIndex { $0.number == number } }

  func finishOrder(_ number: UInt32, at now: UInt64) {
    if let place = order(number) { perform(orders[place].call.finish(), number, at: now) }
  }

  private func answer(_ answer: OrderAnswer, _ number: UInt32) { commands.append(.answer(order: number, answer)) }

  func perform(_ asked: [OrderCommand], _ number: UInt32, at now: UInt64) {
    for command in asked { perform(command, number, at: now) }
  }

  private func perform(_ command: OrderCommand, _ number: UInt32, at now: UInt64) {
    switch command {
    case .end:
      orders.removeAll { $0.number == number }
      surveys.receiveEnd(ofOrder: number)
      commands.append(.endOrder(number))
    case .answer(let text): answer(text, number)
    case .show(let view):
      if view == .pending { admission.forget(at: now) }
      commands.append(.show(order: number, view))
    case .survey(let ranking, let most):
      if !beginSurvey(ranking, most: most, for: number, at: now) {
        answer(.tooManySurveys, number)
        finishOrder(number, at: now)
      }
    case .leave(let milliseconds, let isFarewell, let text):
      if isFarewell { perform(membership.leave(at: now), at: now) }
      isEnding = true
      commands.append(.end(after: milliseconds))
      answer(text, number)
    case .remove(let id):
      let result = membership.remove(id, at: now)
      perform(result.commands, at: now)
      answer(.removed(id, result.outcome), number)
    case .allow(let id):
      let result = membership.allow(id, at: now)
      perform(result.commands, at: now)
      answer(.allowed(id, result.outcome), number)
    case .release(let address):
      let released = peers.release(kept: address, membership)
      commands += released ?? []
      answer(.released(address, released != nil), number)
    case .openWindow(let minutes):
      admission.openWindow(minutes: minutes, at: now)
      answer(.window(minutes: minutes), number)
    case .approve(let digits):
      do throws(Admission.ApprovalError) {
        answer(.approved(try admission.approve(digits, at: now)), number)
      } catch {
        answer(.notApproved(error), number)
      }
    }
  }
}
