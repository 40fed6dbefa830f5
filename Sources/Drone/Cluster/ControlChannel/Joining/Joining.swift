import Addresses
import Bytes
import ChannelFailure

/// What the driver of `Joining` has to do, in this order.
public enum JoiningCommand: Equatable, Sendable {
  /// Ask the network whether a member is on it.
  case search
  /// For the log: one has answered, and will be asked.
  case reportAnswer(IPv4Address)
  /// Begin a connection to this member; what comes of it is told by `receive…`.
  case connect(IPv4Address)
  /// For the console: a member's operator must approve this node's key, and by which order.
  case askForApproval([UInt8])
  /// For the console: why this node is not in yet, which it has not said before.
  case report([UInt8])
  /// Nothing comes of it; why, as a sentence.
  case giveUp([UInt8])
}

/// A node's way into the cluster: whom it asks, when it asks again, what it says meanwhile, and when it gives up. It holds no
/// socket, no key and no clock.
///
/// Anybody can answer a search. So one that refuses this node, or turns out to be none of its cluster, ends nothing: the others
/// that have answered are asked, in turn, and then the network once more.
///
/// Whoever drives it calls `step` when `nextDue` has come, and the other functions for what happens, and carries out the steps
/// that these give. It is over when the node is in, which nobody needs to tell it.
public struct Joining: Sendable {
  /// A first try and two more.
  static let tries = 3
  /// How long a question to the network, or a connection, may take, in milliseconds.
  public static let patience: UInt64 = 3000
  /// From a try that failed to the next.
  static let pause: UInt64 = 1000
  /// Between two questions whether the key has been approved.
  static let approvalInterval: UInt64 = 2000
  /// Before a patient node begins anew: at first, and at last.
  static let firstRest: UInt64 = 3000
  static let longestRest: UInt64 = 30_000
  /// Of more obstacles than these the oldest are told again.
  static let mostTold = 8
  /// Answers to one search beyond these are passed over.
  static let mostAnswers = 16

  /// Whom this node asks, and how often it still does.
  private struct Candidate: Sendable {
    let address: IPv4Address
    var triesLeft = Joining.tries
  }

  /// Whom the operator named; nil for any member.
  private let named: IPv4Address?
  /// The first is the one that is asked; none while a member is being searched for.
  private var candidates: [Candidate]
  /// Of whom nothing is to be hoped before the next round.
  private var spent: [IPv4Address] = []
  /// To the network; none where the operator named a member.
  private var questionsLeft: Int
  /// Until then the last question may be answered.
  private var answersEnd: UInt64 = 0
  /// It begins anew instead of giving up.
  private let isPatient: Bool
  /// This node has no certificate of the cluster yet: only members that can admit answer its search.
  private var mustBeAdmitted: Bool
  /// When `step` is to be called; nil while a connection is under way.
  public private(set) var nextDue: UInt64?
  /// Nothing that still happens counts: the end of the connection that brought the refusal, say.
  private var hasGivenUp = false
  /// The operator has been told that approval is needed.
  public private(set) var hasAsked = false
  /// How often it has begun anew.
  private var rounds: UInt64 = 0
  /// Why the last try failed, as a phrase, and at whom.
  private var reason: [UInt8] = []
  private var failed: IPv4Address?
  /// Why this node is not in yet and what to do, as a phrase: what it waits for. Empty before the first try is over.
  public private(set) var obstacle: [UInt8] = []
  /// The obstacles that the operator has been told of: each is told once, since they may take turns.
  private var told: [[UInt8]] = []

  /// - Parameter named: the member to join at; nil for any that answers on this network.
  public init(at named: IPv4Address?, isPatient: Bool, mustBeAdmitted: Bool = false, now: UInt64) {
    self.named = named
    self.mustBeAdmitted = mustBeAdmitted
    self.isPatient = isPatient
    candidates = named.map { [Candidate(address: $0)] } ?? []
    questionsLeft = named == nil ? Joining.tries : 0
    nextDue = now
  }

  /// Who is asked; nil while a member is being searched for.
  public var member: IPv4Address? { candidates.first?.address }

  /// Only what a first round does is for the console.
  public var isQuiet: Bool { rounds > 0 }

  // MARK: What happens

  /// The time has come for the next try.
  public mutating func step(at now: UInt64) -> [JoiningCommand] {
    guard let due = nextDue, due <= now else { return [] }
    guard let member else {
      guard questionsLeft > 0 else { return giveUp(at: now) }
      if questionsLeft == Joining.tries { spent = [] }
      questionsLeft -= 1
      answersEnd = now &+ Joining.patience
      nextDue = answersEnd
      return [.search]
    }
    candidates[0].triesLeft -= 1
    nextDue = nil
    return [.connect(member)]
  }

  /// A member has answered the question to the network.
  public mutating func receiveAnswer(from address: IPv4Address, at now: UInt64) -> [JoiningCommand] {
    guard named == nil, !hasGivenUp, candidates.count + spent.count < Joining.mostAnswers,
      !spent.contains(address), !candidates.contains(where: { $0.address == address })
    else { return [] }
    if candidates.isEmpty { nextDue = now }
    candidates.append(Candidate(address: address))
    return [.reportAnswer(address)]
  }

  /// A connection could not begin, or the transport failed; why, as a phrase.
  public mutating func receiveFailure(_ reason: [UInt8], at now: UInt64) {
    guard nextDue == nil, !hasGivenUp else { return }
    fail(reason)
    guard let candidate = candidates.first, candidate.triesLeft > 0 else { return abandon(at: now) }
    // Whoever has answered as well is next.
    candidates.append(candidates.removeFirst())
    nextDue = candidates[0].triesLeft < Joining.tries ? now &+ Joining.pause : now
  }

  private mutating func fail(_ reason: [UInt8]) {
    self.reason = reason
    failed = member
  }

  /// The one that is asked is of no use in this round: another one is, or the network once more.
  private mutating func abandon(at now: UInt64) {
    if !candidates.isEmpty { spent.append(candidates.removeFirst().address) }
    nextDue = candidates.isEmpty ? max(now, answersEnd) : now
  }

  /// A connection has ended before it brought what it was for.
  public mutating func receiveEnd(_ reason: ClosedReason?, at now: UInt64) -> [JoiningCommand] {
    guard nextDue == nil, !hasGivenUp else { return [] }
    switch reason {
    // Alerts (RFC 8446 §6.2): unknown_ca, certificate_unknown, bad_certificate.
    case .refused(TLSAlert.unknownAuthority)?, .refused(TLSAlert.certificateUnknown)?,
      .refused(TLSAlert.badCertificate)?, .wrongAuthority?:
      return receiveRefusal([UInt8]("the node there is of another cluster"), at: now)
    case let reason?: receiveFailure(reason.text, at: now)
    case nil: receiveFailure([UInt8]("the connection ended"), at: now)
    }
    return []
  }

  /// The member, or this node, has a reason for which trying again at once is of no use, as a phrase.
  public mutating func receiveRefusal(_ reason: [UInt8], at now: UInt64) -> [JoiningCommand] {
    guard !hasGivenUp else { return [] }
    fail(reason)
    abandon(at: now)
    return candidates.isEmpty && questionsLeft == 0 ? step(at: now) : []
  }

  /// The member asks its operator first. `key`: this node's, as the operator is to type it.
  public mutating func receiveDelay(forApprovalOf key: [UInt8], at now: UInt64) -> [JoiningCommand] {
    hasAsked = true
    renewTries()
    nextDue = now &+ Joining.approvalInterval
    let order = [UInt8]("On a member that may admit: tyd --approve ") + key
    return meet([UInt8]("its key must be approved. ") + order) ? [.askForApproval(order)] : []
  }

  /// This node has a certificate now, and enters with the next try.
  public mutating func receiveApproval(at now: UInt64) {
    mustBeAdmitted = false
    renewTries()
    nextDue = now
  }

  private mutating func renewTries() {
    if !candidates.isEmpty { candidates[0].triesLeft = Joining.tries }
  }

  // MARK: Giving up

  private var sentence: [UInt8] {
    guard let failed else {
      return [UInt8]("no member of this cluster") + [UInt8](mustBeAdmitted ? " that can admit others" : "")
        + [UInt8](" answered on this network")
    }
    return [UInt8]("could not join at ") + failed.text + [UInt8](": ")
      + (reason.isEmpty ? [UInt8]("no answer") : reason)
  }

  private mutating func giveUp(at now: UInt64) -> [JoiningCommand] {
    let sentence = self.sentence
    guard isPatient else {
      hasGivenUp = true
      nextDue = nil
      return [.giveUp(sentence + [UInt8](failed == nil ? "; say tyd -m ADDRESS." : "."))]
    }
    nextDue = now &+ min(Joining.firstRest << min(rounds, 4), Joining.longestRest)
    rounds &+= 1
    if let named {
      candidates = [Candidate(address: named)]
    } else {
      questionsLeft = Joining.tries
    }
    reason = []
    failed = nil
    return meet(sentence) ? [.report(sentence + [UInt8]("; it is tried again and again, quietly"))] : []
  }

  /// Notes what is in the way; whether that is news to the operator.
  private mutating func meet(_ obstacle: [UInt8]) -> Bool {
    self.obstacle = obstacle
    guard !told.contains(obstacle) else { return false }
    if told.count == Joining.mostTold { told.removeFirst() }
    told.append(obstacle)
    return true
  }
}
