import Addresses
import ControlChannel
import DroneLayout
import Membership
import Bytes

// This node's own way into the cluster, and the questions of others that are on theirs.

extension NodeCore {
  /// Begins to join, at the contact or at any member.
  public func join(at now: UInt64) -> [NodeCommand] {
    joining = Joining(
      at: identity.contact, isPatient: identity.isPatient, mustBeAdmitted: !identity.isMember, now: now)
    perform(joining?.step(at: now) ?? [], at: now)
    return finish()
  }

  /// This node is in the cluster.
  public func enter(at now: UInt64) -> [NodeCommand] {
    enterCluster(at: now)
    return finish()
  }

  func enterCluster(at now: UInt64) {
    joining = nil
    keepSoon(at: now)
    commands.append(.enter)
  }

  /// Goes on with the map that a former run left. Nil if it cannot be read.
  public func resume(map: [UInt8], at now: UInt64) -> [NodeCommand]? { read(map, at: now) ? finish() : nil }

  /// Says goodbye to the others.
  public func leave(at now: UInt64) -> [NodeCommand] {
    perform(membership.leave(at: now), at: now)
    return finish()
  }

  /// Ends: everything that this node put into the kernel for its peers is taken out again.
  public func end() -> [NodeCommand] {
    isEnding = true
    return peers.releaseAll()
  }

  func perform(_ asked: [JoiningCommand], at now: UInt64) {
    for command in asked {
      switch command {
      case .search:
        let question: Discovery =
          identity.isMember ? .question(cluster: identity.cluster) : .admission(cluster: identity.cluster)
        commands.append(.search(question.encoded))
      case .reportAnswer(let address): commands.append(.report(.answered(address)))
      case .connect(let member):
        // The filter of this node lets 3278 out and nothing else; the member's lets it in.
        let purpose: Conversation.Purpose = identity.isMember ? .entry : .admission
        let channel = calls.ownChannel()
        joiningChannel = channel
        call(purpose, member, channel, patience: Joining.patience, at: now)
      case .askForApproval(let order): commands.append(.report(.needsApproval(order)))
      case .report(let sentence): commands.append(.report(.isWaiting(sentence)))
      case .giveUp(let sentence):
        isEnding = true
        commands.append(.fail(sentence))
      }
    }
  }

  /// `reason`: a phrase, which may come from the other side.
  func stopJoining(_ reason: [UInt8], at now: UInt64) {
    perform(joining?.receiveRefusal(reason.prefix(200).map(printable), at: now) ?? [], at: now)
  }

  /// The member asks its operator first.
  func waitForApproval(of key: [UInt8], at now: UInt64) {
    guard key == identity.key else { return stopJoining([UInt8]("it mistakes this node for another"), at: now) }
    perform(joining?.receiveDelay(forApprovalOf: identity.keyText, at: now) ?? [], at: now)
  }

  /// Whether the certificate that `adopt` brought is in use now; if not, why, as a phrase.
  public func receiveAdoption(refusal: [UInt8]?, at now: UInt64) -> [NodeCommand] {
    if let refusal {
      stopJoining(refusal, at: now)
    } else {
      identity.isMember = true
      joining?.receiveApproval(at: now)
      commands.append(.report(.isApproved))
    }
    return finish()
  }

  /// The cluster as the member there knows it.
  func enter(_ map: [UInt8], at now: UInt64) {
    if !read(map, at: now) { stopJoining([UInt8]("its map of the cluster cannot be read"), at: now) }
  }

  private func read(_ map: [UInt8], at now: UInt64) -> Bool {
    do throws(MembershipDecodeError) {
      perform(try membership.join(map: map, at: now), at: now)
      return true
    } catch {
      return false
    }
  }

  // MARK: Finding each other

  /// A question to the group came.
  public func receiveQuestion(_ datagram: [UInt8], from asker: IPv4Address, at now: UInt64) -> [NodeCommand] {
    isIn ? reception.answer(datagram, from: asker, own: peers.own, of: identity.cluster, at: now) : []
  }

  /// An answer to this node's own question came. Nobody answers for another.
  public func receiveAnswer(_ datagram: [UInt8], from sender: IPv4Address, at now: UInt64) -> [NodeCommand] {
    guard case .answer(let address, let port, let cluster)? = Discovery(datagram), cluster == identity.cluster,
      port == ClusterPorts.control, address == sender
    else { return [] }
    perform(joining?.receiveAnswer(from: address, at: now) ?? [], at: now)
    return finish()
  }
}
