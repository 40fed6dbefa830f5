import ControlChannel
import LocalOrders
import Membership
import Surveys

// Orders of programs on this machine, by the number of their connection.

extension NodeCore {
  /// More programs wait until one is done.
  public var takesOrders: Bool { !orders.isFull }

  /// A program connects. Gives its number; nil for one that may give no order.
  public func receiveOrderer(user: UInt32, at now: UInt64) -> UInt32? {
    OrderCall(user: user, at: now).map { orders.insert($0) }
  }

  /// Bytes came, or none: the program has closed its end, or its connection failed.
  public func receive(_ part: [UInt8], fromOrder number: UInt32, at now: UInt64) -> [NodeCommand] {
    let host = OrderCall.Host(id: membership.ownID, canCertify: reception.admission.canCertify)
    tell(number, at: now) { $0.receive(part, host) }
    return finish()
  }

  func finishOrder(_ number: UInt32, at now: UInt64) { tell(number, at: now) { $0.finish() } }

  func stepOrders(at now: UInt64) {
    for number in orders.due(at: now) { tell(number, at: now) { $0.step(at: now) } }
  }

  /// Tells an order what happens, and does what it asks for.
  private func tell(_ number: UInt32, at now: UInt64, _ happens: (inout OrderCall) -> [OrderCommand]) {
    for command in orders.tell(number, happens) { perform(command, number, at: now) }
  }

  private func answer(_ answer: OrderAnswer, _ number: UInt32) { commands.append(.answer(order: number, answer)) }

  private func perform(_ command: OrderCommand, _ number: UInt32, at now: UInt64) {
    switch command {
    case .end:
      orders.remove(number)
      surveys.receiveEnd(ofOrder: number)
      commands.append(.endOrder(number))
    case .answer(let text): answer(text, number)
    case .show(let view):
      if view == .pending { reception.admission.forget(at: now) }
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
      reception.admission.openWindow(minutes: minutes, at: now)
      answer(.window(minutes: minutes), number)
    case .approve(let digits):
      do throws(Admission.ApprovalError) {
        answer(.approved(try reception.admission.approve(digits, at: now)), number)
      } catch {
        answer(.notApproved(error), number)
      }
    }
  }
}
