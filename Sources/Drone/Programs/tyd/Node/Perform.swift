import Addresses
import Bytes
import ControlChannel
import DroneLayout
import Linux
import LocalOrders
import Membership
import NodeCore
import Reporting
import SecureChannel
import Supervision
import MachineReadings
import Tunnels
import TydCommand

extension Node {
  /// Carries out what the core asks for, in its order; what follows from an answer comes before the rest.
  func perform(_ commands: [NodeCommand], _ now: UInt64) {
    for command in commands { perform(command, now) }
  }

  private func perform(_ command: NodeCommand, _ now: UInt64) {
    switch command {
    case .send(let bytes, let address):
      try? gossip.send(bytes, to: SocketAddress(address, port: ClusterPorts.control), from: interface.address)
    case .answerQuestion(let bytes, let asker): search.answer(bytes, to: asker)
    case .search(let question): search.ask(question)

    case .connect(let channel, let address): connect(channel, address, now)
    case .say(let channel, let message): connections.say(message, over: channel)
    case .close(let channel): connections.close(channel)
    case .drop(let channel): connections.drop(channel)

    case .admit(let ticket, let changes):
      perform(core.receiveAdmission(ticket, isDone: kernel.admit(changes), at: now), now)
    case .change(let change): try? kernel.make(change)
    case .install(let channel, let keyed):
      let isDone = kernel.install(keyed) { connections.export($0, count: $1, over: channel) }
      perform(core.receiveInstallation(over: channel, isDone: isDone, at: now), now)
    case .remove(let association): kernel.remove(association)
    case .removeWaiting(let peer): kernel.removeWaiting(peer)
    case .readAssociations:
      // Nothing can be said of them while the kernel does not answer.
      if let uses = kernel.associations() { perform(core.receiveAssociations(uses, at: now), now) }
    case .changeAddress(let address): kernel.follow(address)
    case .releaseFormer(let former, let peers): kernel.release(former: former, peers)

    case .certify(let channel):
      let made = connections.certificate(over: channel).flatMap { keys.certify($0.publicKey) }
      perform(core.receiveCertificate(made, isNew: true, over: channel, at: now), now)
    case .findCertificate(let channel):
      // A member that asks all the same, with a certificate that stands, has what it wants.
      let found = connections.certificate(over: channel).map { ($0.der, keys.credential.authority.der) }
      perform(core.receiveCertificate(found, isNew: false, over: channel, at: now), now)
    case .adopt(let certificate, let authority):
      perform(core.receiveAdoption(refusal: keys.adopt(certificate, authority), at: now), now)
    case .believe(let seconds):
      keys.believe(seconds: Int64(clamping: seconds))
      core.seconds = UInt64(clamping: keys.seconds)

    case .readMachine(let isWhole):
      let readings = isWhole ? readProcesses() : nil
      perform(core.receiveMachine(Linux.readMachine(), processes: readings, at: now), now)
    case .describeProcesses(let processes):
      perform(core.receiveDescriptions(processes.map { ListedProcess(reading: $0) }, at: now), now)
    case .keepMap: keepMap(now)
    case .enter: enter(now)
    case .answer(let order, let answer): orders.reply(answer, to: order)
    case .show(let order, let shown): orders.reply(.done(view.text(of: shown, now)), to: order)
    case .endOrder(let order): orders.end(order)
    case .report(let news): tell(news)
    case .end(let milliseconds): end = now &+ milliseconds
    case .endWithout(let news):
      tell(news)
      exitStatus = toldToEnd
      end = now
      if !core.isIn { failure = Failure(sentence(of: news)) }
    case .fail(let sentence): failure = Failure(sentence)
    }
  }

  /// Begins a connection with another node.
  private func connect(_ channel: UInt32, _ address: IPv4Address, _ now: UInt64) {
    do throws(SystemError) {
      try connections.connect(channel, address, from: interface.address)
    } catch {
      report.note("connect", address.text + [UInt8](": ") + error.text)
      perform(core.receiveRefusedConnection(channel, at: now), now)
    }
  }

  // MARK: What people are told

  private func tell(_ news: NodeNews) {
    switch news {
    case .joined(let record): tell(record, "is in")
    // It says so itself, and nobody need do anything.
    case .changed: break
    case .suspected(let record): tell(record, "does not answer")
    case .cleared(let record): tell(record, "answers again")
    case .died(let record): tell(record, "is dead")
    case .left(let record): tell(record, "has left")
    case .removed(let record): tell(record, "was removed")
    case .answered(let address): search.tell(address.text + [UInt8](" answered"))
    case .removedItself, .replaced: report.step(.failed, "tyd", sentence(of: news))
    case .needsApproval(let order):
      // That may take hours. When this member is gone the next question opens the filter again.
      search.end()
      report.step(.degraded, "approval", [UInt8]("needed. ") + order)
    case .isApproved: report.step(.ok, "approval", [UInt8]("given"))
    case .isWaiting(let sentence): report.step(.degraded, "tyd", sentence)
    case .refused(let address, let objection):
      report.note("refused", address.text + [UInt8](" ") + objection.note)
    case .admitted(let address, let key):
      report.note("join", address.text + [UInt8](" is admitted, key ") + fingerprintText(key))
    case .waits(let address, let key):
      report.note("join", address.text + [UInt8](" waits, key ") + fingerprintText(key))
    case .omitted(let count): report.noteOmitted(count)
    }
  }

  private func tell(_ record: NodeRecord, _ what: StaticString) {
    report.note(
      "member",
      idText(record.id) + [UInt8](" ") + record.addresses.primary.text + [UInt8](" ") + [UInt8](what))
  }

  private func sentence(of news: NodeNews) -> [UInt8] {
    switch news {
    case .removedItself: [UInt8]("This node was removed from the cluster by an operator.")
    case .replaced: [UInt8]("Another node with this one's hardware address is in the cluster.")
    default: []
    }
  }
}

/// A key's fingerprint as people compare it.
private func fingerprintText(_ bytes: [UInt8]) -> [UInt8] { Fingerprint(bytes: bytes)?.text ?? [] }
