import Addresses
import Bytes
import ControlChannel
import Membership

/// The answer to an order: text for the user, or a sentence that says why not.
public enum OrderAnswer: Equatable, Sendable {
  case done([UInt8])
  case failed([UInt8])

  /// As sent over the socket: a digit, which is the exit status, and the text up to the socket's end.
  public var bytes: [UInt8] {
    switch self {
    case .done(let text): [UInt8(ascii: "0")] + text
    case .failed(let sentence): [UInt8(ascii: "1")] + sentence
    }
  }

  // MARK: What is said

  public static var tooManySurveys: OrderAnswer {
    .failed([UInt8]("several mtop already run on this node; end one of them."))
  }

  static var unknown: OrderAnswer { .failed([UInt8]("the running tyd does not know this order.")) }

  static var itself: OrderAnswer { .failed([UInt8]("this node cannot remove itself; use tyd --leave.")) }

  static var cannotCertify: OrderAnswer {
    .failed([UInt8]("this node does not hold the cluster's key; approve on one that does (tyd --status)."))
  }

  static var left: OrderAnswer { .done([UInt8]("Left the cluster.\n")) }

  public static func removed(_ id: UInt16, _ outcome: RemovalOutcome) -> OrderAnswer {
    switch outcome {
    case .done: .done(idText(id) + [UInt8](" is removed, and its key with it.\n"))
    case .unknown: .failed(idText(id) + [UInt8](" is not a node that this one knows."))
    case .unsigned: cannotSign
    case .full:
      .failed(
        [UInt8]("as many nodes are removed as the list holds; allow one again (tyd --allow), or make a new cluster."))
    }
  }

  public static func allowed(_ id: UInt16, _ outcome: RemovalOutcome) -> OrderAnswer {
    switch outcome {
    case .done: .done(idText(id) + [UInt8](" may join again.\n"))
    case .unknown, .full: .failed(idText(id) + [UInt8](" was not removed."))
    case .unsigned: cannotSign
    }
  }

  private static var cannotSign: OrderAnswer {
    .failed(
      [UInt8]("this node does not hold the cluster's key; remove and allow on one that does (tyd --status)."))
  }

  /// - Parameter done: false if this address is not kept.
  public static func released(_ address: IPv4Address, _ done: Bool) -> OrderAnswer {
    done
      ? .done(address.text + [UInt8](" is an address like any other: what goes there leaves in clear.\n"))
      : .failed(address.text + [UInt8](" is not kept for a former member; tyd --status names the addresses that are."))
  }

  public static func window(minutes: UInt16) -> OrderAnswer {
    guard minutes > 0 else { return .done([UInt8]("Joiners wait for approval.\n")) }
    var text = [UInt8]("Everybody who asks is admitted for the next ")
    appendDecimal(UInt64(minutes), to: &text)
    return .done(text + [UInt8](" minutes.\n"))
  }

  public static func approved(_ approval: Admission.Approval) -> OrderAnswer {
    var text = [UInt8]("Approved ") + hexadecimalText(approval.fingerprint)
    if !approval.isWaiting {
      text += [UInt8](" in advance: nobody with this key waits now; a node that shows it is let in within ")
      appendDecimal(Admission.approvalLife / 60_000, to: &text)
      text += [UInt8](" minutes")
    }
    return .done(text + [UInt8](".\n"))
  }

  public static func notApproved(_ error: Admission.ApprovalError) -> OrderAnswer {
    switch error {
    case .unknown:
      .failed(
        [UInt8](
          "no joiner with this fingerprint is waiting (tyd --pending); give all 64 digits to approve one in advance."))
    case .ambiguous: .failed([UInt8]("several joiners' fingerprints begin like this; give more digits."))
    case .full: .failed([UInt8]("too many approvals are open; wait until those joiners are in."))
    }
  }
}
