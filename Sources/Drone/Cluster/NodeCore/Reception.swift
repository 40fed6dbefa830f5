import Addresses
import Bytes
import ChannelFailure
import ControlChannel
import DroneLayout

/// Whoever comes to this node and is no member yet: which connections stay, who is admitted, who is told where to ask, and how
/// often others were turned away.
struct Reception {
  var admission: Admission
  var refusals = Refusals()
  private var answers = DiscoveryAllowance()
  private var notes = NoteAllowance()

  init(canCertify: Bool) { admission = Admission(canCertify: canCertify) }

  // MARK: Connections

  /// Somebody connects who has proved nothing yet.
  mutating func connect(_ channel: UInt32, from address: IPv4Address, isMemberAddress: Bool) -> Admission.Entrance {
    let entrance = admission.connected(channel, from: address, isMemberAddress: isMemberAddress)
    if entrance != .free { refusals.tooMany &+= 1 }
    return entrance
  }

  /// The other end is a member: it is none of the strangers any longer. Gives the connection that has to go for it.
  mutating func receiveEstablishment(of channel: UInt32, by key: [UInt8]) -> UInt32? {
    guard let former = admission.receiveEstablishment(of: channel, by: key) else { return nil }
    refusals.tooMany &+= 1
    return former
  }

  /// Somebody's connection has ended.
  mutating func receiveEnd(of channel: UInt32, _ reason: ClosedReason?) {
    admission.receiveEnd(of: channel)
    if let reason { refusals.count(reason) }
  }

  /// What somebody said over a connection is wrong.
  mutating func refuse(_ objection: Objection, _ call: Call, at now: UInt64) -> [NodeCommand] {
    refusals.count(objection)
    let news = objection.note.isEmpty ? [] : report(.refused(call.address, objection), at: now)
    return news + (objection.sentence.isEmpty ? [.close(channel: call.channel)] : refuse(objection.sentence, call))
  }

  private func refuse(_ reason: [UInt8], _ call: Call) -> [NodeCommand] {
    [.say(channel: call.channel, .refused(reason: reason)), .close(channel: call.channel)]
  }

  // MARK: Joiners

  /// Somebody with a key that nobody has certified asks to be admitted.
  mutating func admit(_ call: Call, at now: UInt64) -> [NodeCommand] {
    guard let key = call.conversation.peer?.fingerprint else { return [.close(channel: call.channel)] }
    let isNew = !admission.pending.contains { $0.fingerprint == key }
    switch admission.request(key, from: call.address, at: now) {
    case .admit: return [.certify(channel: call.channel)]
    case .wait:
      let news = isNew ? report(.waits(call.address, key: key), at: now) : []
      return news + [.say(channel: call.channel, .pending(fingerprint: key)), .close(channel: call.channel)]
    case .refuse(let reason): return refuse(reason, call)
    }
  }

  /// The certificate for who is at the other end, and the authority's, both DER; nil if none can be made.
  /// - Parameters:
  ///   - call: nil if the connection is over.
  ///   - isNew: it was asked for by `certify`.
  mutating func answer(
    _ call: Call?, with certificate: (own: [UInt8], authority: [UInt8])?, isNew: Bool, over channel: UInt32,
    at now: UInt64
  ) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    if let certificate {
      if isNew, let call, let key = call.conversation.peer?.fingerprint {
        commands += report(.admitted(call.address, key: key), at: now)
      }
      commands.append(
        .say(channel: channel, .admitted(certificate: certificate.own, authority: certificate.authority)))
    } else if isNew {
      commands.append(.say(channel: channel, .refused(reason: [UInt8]("this member cannot make certificates"))))
    }
    return commands + [.close(channel: channel)]
  }

  /// Somebody asks the group for a member. Whoever is not in itself has nothing to offer; other clusters' questions are not
  /// this one's.
  mutating func answer(
    _ datagram: [UInt8], from asker: IPv4Address, own address: IPv4Address, of cluster: [UInt8], at now: UInt64
  ) -> [NodeCommand] {
    guard let question = Discovery(datagram), question.isAnswered(by: cluster, canCertify: admission.canCertify),
      answers.admits(at: now)
    else { return [] }
    let answer = Discovery.answer(address: address, port: ClusterPorts.control, cluster: cluster)
    return [.answerQuestion(answer.encoded, to: asker)]
  }

  // MARK: The log

  /// Tells people what anybody on the network can cause, as long as there is not too much of it.
  private mutating func report(_ news: NodeNews, at now: UInt64) -> [NodeCommand] {
    notes.admits(at: now) ? [.report(news)] : []
  }

  /// When `step` is due, in milliseconds; nil for never.
  var nextDue: UInt64? { notes.nextDue }

  /// Tells how much was left out of the log, once the time is over.
  mutating func step(at now: UInt64) -> [NodeCommand] {
    notes.step(at: now).map { [.report(.omitted($0))] } ?? []
  }
}
