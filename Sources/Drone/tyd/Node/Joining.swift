import Admission
import ClusterProtocol
import Conversation
import Linux
import Membership
import NetworkAddresses
import SecureChannel
import Startup
import Tunnels
import TydCommand

/// How far this node is on its way into the cluster.
struct Joining {
  /// Nil while a member is being searched for.
  var contact: IPv4Address?
  var search: DatagramSocketBox?
  /// When the next try is due.
  var due: UInt64?
  var triesLeft = Joining.tries
  /// The operator has been told that approval is needed.
  var hasAsked = false
  /// How often a patient node has begun anew.
  var rounds: UInt64 = 0
  /// Why the last try failed.
  var reason: [UInt8] = []
  /// Why this node is not in yet and what to do, as a phrase: what a patient node waits for. Empty before the first try is over.
  var obstacle: [UInt8] = []
  /// The obstacles that the operator has been told of: each is told once, since they may take turns.
  var told: [[UInt8]] = []

  /// One and two retries, three seconds each.
  static let tries = 3
  static let patience: UInt64 = 3000
  /// Between two questions whether the key has been approved.
  static let approvalInterval: UInt64 = 2000
  private static let mostTold = 8

  /// Notes what is in the way; whether that is news to the operator.
  mutating func meet(_ obstacle: [UInt8]) -> Bool {
    self.obstacle = obstacle
    guard !told.contains(obstacle) else { return false }
    if told.count == Joining.mostTold { told.removeFirst() }
    told.append(obstacle)
    return true
  }
}

/// A socket that can stand in a copyable value.
final class DatagramSocketBox {
  let socket: DatagramSocket
  init(_ socket: consuming DatagramSocket) { self.socket = socket }
  var descriptor: Int32 { socket.descriptor }
}

extension Node {
  func beginJoining(_ contact: TydCommand.Contact, _ now: UInt64) {
    var joining = Joining()
    if case .address(let address) = contact { joining.contact = address }
    joining.due = now
    self.joining = joining
    continueJoining(now)
  }

  /// The next try is due.
  func continueJoining(_ now: UInt64) {
    guard var joining else { return }
    guard joining.triesLeft > 0 else { return give(up: joining) }
    joining.triesLeft -= 1
    guard let contact = joining.contact else {
      joining.due = now &+ Joining.patience
      self.joining = joining
      return search(now)
    }
    joining.due = nil
    self.joining = joining
    // The filter of this node lets 3278 out and nothing else; the member's lets it in.
    if !open(
      credential.isMember ? .entry : .admission, to: contact, channel: ownNumber(), patience: Joining.patience, now)
    {
      tryAgain([UInt8]("there is no way to it"), now)
    }
  }

  private func give(up joining: Joining) {
    var sentence = [UInt8]("no member of this cluster answered on this network")
    if let contact = joining.contact {
      let reason = joining.reason.isEmpty ? [UInt8]("no answer") : joining.reason
      sentence = [UInt8]("could not join at ") + contact.text + [UInt8](": ") + reason
    }
    if command.isPatient { return beginAgain(joining, sentence) }
    failure = Failure(sentence + [UInt8](joining.contact == nil ? "; say tyd -m ADDRESS." : "."))
  }

  /// A patient node pauses, 3 s at first and 30 s at last, and begins anew; it says why once.
  private func beginAgain(_ old: Joining, _ sentence: [UInt8]) {
    var next = Joining()
    if case .join(.address(let address)) = command.task { next.contact = address }
    next.search = old.search
    next.hasAsked = old.hasAsked
    next.due = millisecondsSinceStart() &+ min(3000 << min(old.rounds, 4), 30_000)
    next.rounds = old.rounds &+ 1
    next.told = old.told
    if next.meet(sentence) {
      report.step(.degraded, "tyd", sentence + [UInt8]("; it is tried again and again, quietly"))
    }
    joining = next
  }

  private func tryAgain(_ reason: [UInt8], _ now: UInt64) {
    guard var joining else { return }
    joining.reason = reason
    joining.due = now &+ (joining.triesLeft > 0 ? 1000 : 0)
    self.joining = joining
  }

  /// A connection to the member at which this node joins has ended before it brought what it was for.
  func contactEnded(_ connection: Connection, _ now: UInt64) {
    guard joining != nil, joining?.due == nil else { return }
    if let failure = connection.failure { return tryAgain(failure.text, now) }
    switch connection.ended {
    case .refused(48)?, .refused(46)?, .refused(42)?, .wrongAuthority?:
      stop([UInt8]("the node there is of another cluster"))
    case let reason?: tryAgain(reason.text, now)
    case nil: tryAgain([UInt8]("the connection ended"), now)
    }
  }

  func stop(_ reason: [UInt8]) {
    guard var joining else { return }
    // It may come from the other side.
    joining.reason = reason.prefix(200).map(printable)
    joining.triesLeft = 0
    give(up: joining)
  }

  // MARK: Admission

  /// The member asks its operator first.
  func waitForApproval(_ fingerprint: [UInt8], _ now: UInt64) {
    guard var joining else { return }
    guard fingerprint == credential.fingerprint else { return stop([UInt8]("it mistakes this node for another")) }
    let order = [UInt8]("On a member that may admit: tyd --approve ") + credential.certificate.fingerprint.text
    if joining.meet([UInt8]("its key must be approved. ") + order) {
      report.step(.degraded, "approval", [UInt8]("needed. ") + order)
    }
    joining.hasAsked = true
    joining.triesLeft = Joining.tries
    joining.due = now &+ Joining.approvalInterval
    self.joining = joining
  }

  func take(_ der: [UInt8], _ authority: [UInt8], _ now: UInt64) {
    guard authority == credential.authority.der, let certificate = try? Certificate(der),
      certificate.publicKey == credential.key.publicKey,
      certificate.objection(under: credential.authority, at: time.seconds) == nil
    else { return stop([UInt8]("the certificate that it gave is not one of this cluster for this node")) }
    credential.certificate = certificate
    credential.isMember = true
    do throws(Failure) {
      try credential.keep(places)
      identity = try credential.identity()
    } catch {
      return stop(error.sentence)
    }
    report.step(.ok, "approval", [UInt8]("given"))
    joining?.triesLeft = Joining.tries
    joining?.due = now
  }

  // MARK: Entry

  /// The cluster as the member there knows it.
  func join(_ map: [UInt8], _ now: UInt64) {
    do throws(MembershipDecodeError) {
      carryOut(try membership.join(map: map, now: now), now)
    } catch {
      stop([UInt8]("its map of the cluster cannot be read"))
    }
  }
}
