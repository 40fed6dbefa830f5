import Addresses
import ControlChannel
import DroneLayout
import Membership
import Bytes

// This node's own way into the cluster, and the questions of others that are on theirs.

extension NodeCore {
  /// Begins to join, at the contact or at any member.
  public mutating func join(at now: UInt64) -> [NodeCommand] {
    joining = Joining(
      at: identity.contact, isPatient: identity.isPatient, mustBeAdmitted: !identity.isMember, now: now)
    return follow(joining?.step(at: now) ?? [], at: now)
  }

  /// This node is in the cluster.
  public mutating func enter(at now: UInt64) -> [NodeCommand] {
    joining = nil
    keepSoon(at: now)
    return [.enter]
  }

  /// Goes on with the map that a former run left. Nil if it cannot be read.
  public mutating func resume(map: [UInt8], at now: UInt64) -> [NodeCommand]? {
    do throws(MembershipDecodeError) {
      return follow(try membership.join(map: map, now: now), at: now)
    } catch {
      return nil
    }
  }

  /// Says goodbye to the others.
  public mutating func leave(at now: UInt64) -> [NodeCommand] { follow(membership.leave(now: now), at: now) }

  /// Ends: everything that this node put into the kernel for its peers is taken out again.
  public mutating func end(at now: UInt64) -> [NodeCommand] {
    isEnding = true
    return peers.releaseAll(at: now)
  }

  mutating func follow(_ steps: [Joining.Step], at now: UInt64) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    for step in steps {
      switch step {
      case .search:
        let question: Discovery =
          identity.isMember ? .question(cluster: identity.cluster) : .admission(cluster: identity.cluster)
        commands.append(.search(question.encoded))
      case .endSearch(let address): commands.append(.endSearch(address))
      case .connect(let member):
        // The filter of this node lets 3278 out and nothing else; the member's lets it in.
        let purpose: Conversation.Purpose = identity.isMember ? .entry : .admission
        commands += call(purpose, member, ownChannel(), patience: Joining.patience, at: now)
      case .askForApproval(let order): commands.append(.tell(.needsApproval(order)))
      case .tell(let sentence): commands.append(.tell(.isWaiting(sentence)))
      case .giveUp(let sentence):
        isEnding = true
        commands.append(.fail(sentence))
      }
    }
    return commands
  }

  /// `reason`: a phrase, which may come from the other side.
  mutating func stopJoining(_ reason: [UInt8], at now: UInt64) -> [NodeCommand] {
    follow(joining?.refused(reason.prefix(200).map(printable), at: now) ?? [], at: now)
  }

  /// The member asks its operator first.
  mutating func waitForApproval(of key: [UInt8], at now: UInt64) -> [NodeCommand] {
    guard key == identity.key else { return stopJoining([UInt8]("it mistakes this node for another"), at: now) }
    return follow(joining?.mustWait(forApprovalOf: identity.keyText, at: now) ?? [], at: now)
  }

  /// Whether the certificate that `adopt` brought is in use now; if not, why, as a phrase.
  public mutating func receiveAdoption(refusal: [UInt8]?, at now: UInt64) -> [NodeCommand] {
    if let refusal { return stopJoining(refusal, at: now) }
    identity.isMember = true
    joining?.approved(at: now)
    return [.tell(.isApproved)]
  }

  /// The cluster as the member there knows it.
  mutating func enter(_ map: [UInt8], at now: UInt64) -> [NodeCommand] {
    resume(map: map, at: now) ?? stopJoining([UInt8]("its map of the cluster cannot be read"), at: now)
  }

  // MARK: Finding each other

  /// A question to the group came.
  public mutating func receiveQuestion(_ datagram: [UInt8], from asker: IPv4Address, at now: UInt64) -> [NodeCommand] {
    // Whoever is not in itself has nothing to offer; other clusters' questions are not this one's.
    guard isIn, let question = Discovery(datagram),
      question.isAnswered(by: identity.cluster, canCertify: admission.canCertify), answers.admits(at: now)
    else { return [] }
    let answer = Discovery.answer(address: peers.own, port: ClusterPorts.control, cluster: identity.cluster)
    return [.answerQuestion(answer.encoded, to: asker)]
  }

  /// An answer to this node's own question came.
  public mutating func receiveAnswer(_ datagram: [UInt8], at now: UInt64) -> [NodeCommand] {
    guard case .answer(let address, let port, let cluster)? = Discovery(datagram), cluster == identity.cluster,
      port == ClusterPorts.control
    else { return [] }
    return follow(joining?.found(address, at: now) ?? [], at: now)
  }
}
