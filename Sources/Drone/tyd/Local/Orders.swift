import Admission
import ClusterProtocol
import ClusterView
import Linux
import Membership
import NetworkAddresses
import SecureChannel
import Startup
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
  var deadline: UInt64
  /// It is answered later.
  var isWaiting = false
  var line: [UInt8] = []
  var isAnswered = false
  var isOver = false

  init(_ socket: consuming Descriptor, deadline: UInt64) {
    self.socket = socket
    self.deadline = deadline
  }
}

extension Node {
  func acceptOrders(_ now: UInt64) {
    while orders.count < 16, let socket = try? acceptStream(local) {
      guard let who = try? peerCredentials(of: socket), who.user == 0 else { continue }
      orders.append(LocalOrder(socket, deadline: now &+ 5000))
    }
  }

  func take(_ local: LocalOrder, _ now: UInt64) {
    guard !local.isOver else { return }
    do throws(SystemError) {
      guard let part = try local.socket.receiveSome(upTo: 512) else { return }
      if local.isAnswered || local.isWaiting {
        local.isOver = part.isEmpty || local.isAnswered
        return
      }
      local.line += part
      guard let end = local.line.firstIndex(of: UInt8(ascii: "\n")) else {
        local.isOver = part.isEmpty || local.line.count > 512
        return
      }
      local.isOver = true
      let answer: Answer
      let order = TydCommand.Order(line: [UInt8](local.line[..<end]))
      if case .processes(let ranking, let most)? = order, beginSurvey(ranking, most: most, for: local, now) {
        local.isOver = false
        local.isWaiting = true
        return
      }
      if let order {
        answer = carryOut(order, now)
      } else {
        answer = .failed([UInt8]("the running tyd does not know this order."))
      }
      try reply(answer, local)
      // Whoever ends the node waits until it has ended: that is when the socket does.
      local.isAnswered = true
      if order == .leave || order == .stop { local.isOver = false }
    } catch {
      local.isOver = true
    }
  }

  /// Whoever asked reads at once; one that does not must not hold up the node for longer than a moment.
  func reply(_ answer: Answer, _ local: LocalOrder) throws(SystemError) {
    let bytes = [answer.isDone ? UInt8(ascii: "0") : UInt8(ascii: "1")] + answer.text
    var sent = 0
    while sent < bytes.count {
      let went = try local.socket.sendSome(bytes, from: sent)
      sent += went
      if went == 0, !waitWritable(local.socket.number, milliseconds: 200) { return }
    }
  }

  enum Answer {
    case done([UInt8])
    case failed([UInt8])

    var isDone: Bool {
      if case .done = self { true } else { false }
    }

    var text: [UInt8] {
      switch self {
      case .done(let text), .failed(let text): text
      }
    }
  }

  private func carryOut(_ order: TydCommand.Order, _ now: UInt64) -> Answer {
    switch order {
    case .status(let json): return .done(json ? statusJSON(now) : statusText(now))
    case .table: return .done(clusterTable().text)
    case .standing: return .done(nodeStanding.text)
    case .pending: return .done(pendingText(now))
    case .processes: return .failed([UInt8]("several mtop run on this node already; end one of them."))
    case .stop:
      end = now
      return .done([])
    case .leave:
      carryOut(membership.leave(now: now), now)
      // The farewells go out before their tunnels are taken down.
      end = now &+ 300
      return .done([UInt8]("Left the cluster.\n"))
    case .remove(let id):
      guard id != membership.own.id else {
        return .failed([UInt8]("this node cannot remove itself; say tyd --leave."))
      }
      let result = membership.remove(id, now: now)
      carryOut(result.effects, now)
      guard result.done else { return .failed(idText(id) + [UInt8](" is no node that this one knows.")) }
      return .done(idText(id) + [UInt8](" is removed, and its key with it.\n"))
    case .allow(let id):
      let result = membership.allow(id, now: now)
      carryOut(result.effects, now)
      guard result.done else { return .failed(idText(id) + [UInt8](" was not removed.")) }
      return .done(idText(id) + [UInt8](" may join again.\n"))
    case .approve(let digits): return approve(digits, now)
    case .approveWindow(let minutes):
      guard admission.canCertify else { return cannotCertify }
      admission.openWindow(minutes: minutes, at: now)
      return .done(
        minutes == 0
          ? [UInt8]("Joiners wait for approval.\n")
          : [UInt8]("Everybody who asks is admitted for ") + number(minutes) + [UInt8](" minutes.\n"))
    }
  }

  private var cannotCertify: Answer {
    .failed([UInt8]("this node does not hold the cluster's key; approve on one that does (tyd --status)."))
  }

  private func approve(_ digits: [UInt8], _ now: UInt64) -> Answer {
    guard admission.canCertify else { return cannotCertify }
    do throws(Admission.ApprovalError) {
      let fingerprint = try admission.approve(digits, at: now)
      return .done([UInt8]("Approved ") + fingerprint.flatMap { hexadecimalByte($0) } + [UInt8](".\n"))
    } catch {
      switch error {
      case .unknown:
        return .failed(
          [UInt8](
            "no joiner with this fingerprint is waiting (tyd --pending); give all 64 digits to approve one beforehand.")
        )
      case .ambiguous: return .failed([UInt8]("several joiners' fingerprints begin so; give more digits."))
      case .full: return .failed([UInt8]("too many approvals are open; let those joiners come first."))
      }
    }
  }
}
