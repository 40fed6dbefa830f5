import ControlChannel
import LocalOrders
import Membership

// Orders of programs on this machine, by the number of their connection.

extension NodeCore {
  /// More programs wait until one is done.
  public var takesOrders: Bool { orders.count < OrderCall.most }

  /// A program connects. Gives its number; nil for one that may give no order.
  public mutating func receiveOrderer(user: UInt32, at now: UInt64) -> UInt32? {
    guard let call = OrderCall(user: user, at: now) else { return nil }
    let number = orderNumber()
    orders[number] = call
    return number
  }

  /// Bytes came, or none: the program has closed its end, or its connection failed.
  public mutating func receive(_ part: [UInt8], fromOrder number: UInt32, at now: UInt64) -> [NodeCommand] {
    guard orders[number]?.isOver(at: now) == false else { return [] }
    let host = OrderCall.Host(id: membership.own.id, canCertify: admission.canCertify)
    guard let step = orders[number]?.take(part, host) else { return [] }
    return follow(step, number, at: now) + endOrderIfOver(number, at: now)
  }

  mutating func endOrderIfOver(_ number: UInt32, at now: UInt64) -> [NodeCommand] {
    guard orders[number]?.isOver(at: now) == true else { return [] }
    orders[number] = nil
    return [.endOrder(number)]
  }

  private mutating func follow(_ step: OrderCall.Step, _ number: UInt32, at now: UInt64) -> [NodeCommand] {
    switch step {
    case .wait, .end: return []
    case .answer(let answer): return [.answer(order: number, answer)]
    case .show(let view):
      if view == .pending { admission.forget(at: now) }
      return [.show(order: number, view)]
    case .survey(let ranking, let most):
      guard let commands = beginSurvey(ranking, most: most, for: number, at: now) else {
        return [.answer(order: number, .tooManySurveys)]
      }
      return commands
    case .leave(let milliseconds, let isFarewell, let answer):
      let farewell = isFarewell ? leave(at: now) : []
      isEnding = true
      return farewell + [.end(after: milliseconds), .answer(order: number, answer)]
    case .remove(let id):
      let result = membership.remove(id, now: now)
      return follow(result.effects, at: now) + [.answer(order: number, .removed(id, result.done))]
    case .allow(let id):
      let result = membership.allow(id, now: now)
      return follow(result.effects, at: now) + [.answer(order: number, .allowed(id, result.done))]
    case .openWindow(let minutes):
      admission.openWindow(minutes: minutes, at: now)
      return [.answer(order: number, .window(minutes: minutes))]
    case .approve(let digits):
      do throws(Admission.ApprovalError) {
        return [.answer(order: number, .approved(try admission.approve(digits, at: now)))]
      } catch {
        return [.answer(order: number, .notApproved(error))]
      }
    }
  }
}
