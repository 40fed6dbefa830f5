import Addresses
import Bytes
import ControlChannel
import Linux
import Membership
import Reporting
import SecureChannel
import TydCommand

/// A socket that can stand in a copyable value.
final class DatagramSocketBox {
  let socket: DatagramSocket
  init(_ socket: consuming DatagramSocket) { self.socket = socket }
  var descriptor: Int32 { socket.descriptor }
}

extension Node {
  func beginJoining(_ contact: TydCommand.Contact, _ now: UInt64) {
    var named: IPv4Address?
    if case .address(let address) = contact { named = address }
    joining = Joining(
      at: named, isPatient: command.isPatient, mustBeAdmitted: !credential.isMember, now: now)
    continueJoining(now)
  }

  /// The next try is due.
  func continueJoining(_ now: UInt64) { carryOut(joining?.step(at: now) ?? [], now) }

  func carryOut(_ steps: [Joining.Step], _ now: UInt64) {
    for step in steps {
      switch step {
      case .search: search(now)
      case .endSearch(let address): endSearch(address)
      case .connect(let member):
        // The filter of this node lets 3278 out and nothing else; the member's lets it in.
        if !open(
          credential.isMember ? .entry : .admission, to: member, channel: ownNumber(), patience: Joining.patience, now)
        {
          joining?.failed([UInt8]("there is no way to it"), at: now)
        }
      case .askForApproval(let order): report.step(.degraded, "approval", [UInt8]("needed. ") + order)
      case .tell(let sentence): report.step(.degraded, "tyd", sentence)
      case .giveUp(let sentence): failure = Failure(sentence)
      }
    }
  }

  /// A connection to the member at which this node joins has ended.
  func contactEnded(_ connection: Connection, _ now: UInt64) {
    if let failure = connection.failure {
      joining?.failed(failure.text, at: now)
    } else {
      carryOut(joining?.ended(connection.ended, at: now) ?? [], now)
    }
  }

  /// `reason`: a phrase, which may come from the other side.
  func stopJoining(_ reason: [UInt8], _ now: UInt64) {
    carryOut(joining?.refused(reason.prefix(200).map(printable), at: now) ?? [], now)
  }

  // MARK: Admission

  /// The member asks its operator first.
  func waitForApproval(_ fingerprint: [UInt8], _ now: UInt64) {
    guard fingerprint == credential.fingerprint else {
      return stopJoining([UInt8]("it mistakes this node for another"), now)
    }
    carryOut(joining?.mustWait(forApprovalOf: credential.certificate.fingerprint.text, at: now) ?? [], now)
  }

  func take(_ der: [UInt8], _ authority: [UInt8], _ now: UInt64) {
    guard authority == credential.authority.der, let certificate = try? Certificate(der),
      certificate.publicKey == credential.key.publicKey,
      certificate.objection(under: credential.authority, at: time.seconds) == nil
    else { return stopJoining([UInt8]("the certificate that it gave is not one of this cluster for this node"), now) }
    // As long as it is not kept this node asks again, as one that is no member.
    var admitted = credential
    admitted.certificate = certificate
    admitted.isMember = true
    do throws(Failure) {
      let identity = try admitted.identity()
      try admitted.keep(places)
      self.identity = identity
      credential = admitted
    } catch {
      return stopJoining(error.sentence, now)
    }
    report.step(.ok, "approval", [UInt8]("given"))
    joining?.approved(at: now)
  }

  // MARK: Entry

  /// The cluster as the member there knows it.
  func join(_ map: [UInt8], _ now: UInt64) {
    do throws(MembershipDecodeError) {
      carryOut(try membership.join(map: map, now: now), now)
    } catch {
      stopJoining([UInt8]("its map of the cluster cannot be read"), now)
    }
  }
}
