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
    guard let place = order(number), !orders[place].call.isOver(at: now) else { return [] }
    let host = OrderCall.Host(id: membership.ownID, canCertify: admission.canCertify)
    perform(orders[place].call.take(part, host), number, at: now)
    endOrderIfOver(number, at: now)
    return finish()
  }

  func endOrderIfOver(_ number: UInt32, at now: UInt64) {
    guard let place = order(number), orders[place].call.isOver(at: now) else { return }
    orders.remove(at: place)
    surveys.receiveEnd(ofOrder: number)
    commands.append(.endOrder(number))
  }

  func order(_ number: UInt32) -> Int? { orders.firstIndex { $0.number == number } }

  private func answer(_ answer: OrderAnswer, _ number: UInt32) { commands.append(.answer(order: number, answer)) }

  private func perform(_ step: OrderCall.Step, _ number: UInt32, at now: UInt64) {
    switch step {
    case .wait, .end: break
    case .answer(let text): answer(text, number)
    case .show(let view):
      if view == .pending { admission.forget(at: now) }
      commands.append(.show(order: number, view))
    case .survey(let ranking, let most):
      if !beginSurvey(ranking, most: most, for: number, at: now) { answer(.tooManySurveys, number) }
    case .leave(let milliseconds, let isFarewell, let text):
      if isFarewell { perform(membership.leave(now: now), at: now) }
      isEnding = true
      commands.append(.end(after: milliseconds))
      answer(text, number)
    case .remove(let id):
      let result = membership.remove(id, now: now)
      perform(result.effects, at: now)
      answer(.removed(id, result.done), number)
    case .allow(let id):
      let result = membership.allow(id, now: now)
      perform(result.effects, at: now)
      answer(.allowed(id, result.done), number)
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
