import Bytes
import ClusterView
import ControlChannel
import Linux
import LocalOrders
import Membership
import Reporting
import SecureChannel
import Tunnels
import TydCommand

// What `tyd --status` and its like say to the tyd that runs: one line of words over a local socket that only root can open,
// answered by a digit, the exit status, and text up to the socket's end.

/// Sends an order to the tyd that runs here, prints what it answers, and gives the exit status.
func send(_ order: TydCommand.Order) -> Int32 {
  switch ask(order) {
  case .done(let text):
    writeStandardOutput(text)
    return 0
  case .refused(let sentence): return fail(sentence)
  case .nobody:
    guard let sentence = try? readFile(Places().failure, limit: 4096) else { return fail("no tyd runs on this node.") }
    return fail([UInt8]("no tyd runs on this node; the last one ended: ") + sentence)
  }
}

/// A process that wants something of this node.
final class LocalOrder {
  let socket: Descriptor
  var call: OrderCall
  /// In the loop, until it is over.
  var source: Loop.Source?

  init(_ socket: consuming Descriptor, _ call: OrderCall) {
    self.socket = socket
    self.call = call
  }
}

extension Node {
  /// The socket of local orders while another one may come, else no descriptor.
  var orderListener: Int32 { orders.count < OrderCall.most ? local.number : -1 }

  func acceptOrders(_ now: UInt64) {
    while orders.count < OrderCall.most, let socket = try? acceptStream(local) {
      guard let who = try? peerCredentials(of: socket), let call = OrderCall(user: who.user, at: now) else { continue }
      register(LocalOrder(socket, call))
    }
  }

  private func register(_ order: LocalOrder) {
    orders.append(order)
    order.source = loop.add(
      { Interest(order.socket.number) }, isReady: { [self] _, now in take(order, now) },
      due: { order.call.isOver(at: 0) ? 0 : order.call.deadline },
      isDue: { [self] _ in
        order.source?.end()
        order.source = nil
        orders.removeAll { $0 === order }
      })
  }

  func take(_ local: LocalOrder, _ now: UInt64) {
    guard !local.call.isOver(at: now) else { return }
    do throws(SystemError) {
      guard let part = try local.socket.receiveSome(upTo: 512) else { return }
      let host = OrderCall.Host(id: membership.own.id, canCertify: admission.canCertify)
      if let answer = carryOut(local.call.take(part, host), local, now) { try reply(answer, local) }
    } catch {
      local.call.answered()
    }
  }

  /// Whoever asked reads at once; one that does not must not hold up the node for longer than a moment.
  func reply(_ answer: OrderAnswer, _ local: LocalOrder) throws(SystemError) {
    let bytes = answer.bytes
    var sent = 0
    while sent < bytes.count {
      let went = try local.socket.sendSome(bytes, from: sent)
      sent += went
      if went == 0, !waitWritable(local.socket.number, milliseconds: 200) { return }
    }
  }

  /// Nil if there is nothing to answer, or not yet.
  private func carryOut(_ step: OrderCall.Step, _ local: LocalOrder, _ now: UInt64) -> OrderAnswer? {
    switch step {
    case .wait, .end: return nil
    case .answer(let answer): return answer
    case .show(let view): return .done(text(of: view, now))
    case .survey(let ranking, let most):
      return beginSurvey(ranking, most: most, for: local, now) ? nil : .tooManySurveys
    case .leave(let milliseconds, let isFarewell, let answer):
      if isFarewell { carryOut(membership.leave(now: now), now) }
      end = now &+ milliseconds
      return answer
    case .remove(let id):
      let result = membership.remove(id, now: now)
      carryOut(result.effects, now)
      return .removed(id, result.done)
    case .allow(let id):
      let result = membership.allow(id, now: now)
      carryOut(result.effects, now)
      return .allowed(id, result.done)
    case .openWindow(let minutes):
      admission.openWindow(minutes: minutes, at: now)
      return .window(minutes: minutes)
    case .approve(let digits):
      do throws(Admission.ApprovalError) {
        return .approved(try admission.approve(digits, at: now))
      } catch {
        return .notApproved(error)
      }
    }
  }

  private func text(of view: OrderCall.View, _ now: UInt64) -> [UInt8] {
    switch view {
    case .status(let json): json ? statusJSON(now) : statusText(now)
    case .table: clusterTable().text
    case .standing: nodeStanding.text
    case .pending: pendingText(now)
    }
  }
}
