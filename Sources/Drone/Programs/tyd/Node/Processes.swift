import DroneLayout
import Addresses
import Linux
import LocalOrders
import MachineReadings
import Membership
import Surveys
import Tunnels
import TydCommand

/// What this node is asked about its processes, and what it asks others about theirs. Nothing of it happens unless somebody
/// runs `mtop`.
struct ProcessTraffic {
  /// The last look at this machine's processes.
  var look: ProcessLook?
  /// When the second look of a first question is due.
  var lookDue: UInt64?
  /// Questions that wait for it.
  var waiting: [(question: ProcessQuestion, from: IPv4Address)] = []
  var allowance = AnswerAllowance()
  var surveys: [RunningSurvey] = []
  var number: UInt16 = 0
  /// Questions of others that were answered.
  var answered: UInt32 = 0

  /// More questions do not wait.
  static let mostWaiting = 64
  /// More surveys do not run at once.
  static let mostSurveys = 4

  func nextDue(_ now: UInt64) -> UInt64? {
    var due = lookDue
    for running in surveys { due = min(due ?? .max, running.survey.nextDue(at: now)) }
    return due
  }
}

/// A survey, who wants it, and what has come so far.
final class RunningSurvey {
  var survey: Survey
  let question: ProcessQuestion
  let order: LocalOrder
  let members: [NodeRecord]
  var answers: [UInt32: ProcessAnswer] = [:]

  init(_ survey: Survey, _ question: ProcessQuestion, _ order: LocalOrder, _ members: [NodeRecord]) {
    self.survey = survey
    self.question = question
    self.order = order
    self.members = members
  }
}

extension Node {
  // MARK: Asking

  /// Begins to ask every member; the order is answered when that is over. False if too many do so already.
  func beginSurvey(_ order: ProcessOrder, most: UInt8, for local: LocalOrder, _ now: UInt64) -> Bool {
    guard processes.surveys.count < ProcessTraffic.mostSurveys else { return false }
    var members: [NodeRecord] = []
    membership.forEach { record, state in if state.isLive { members.append(record) } }
    let connected = connectedAddresses
    let nodes = members.filter { $0.mac != membership.own.mac }.map { record in
      let address = record.addresses.primary
      return Survey.Node(address: address, hasTunnel: !command.isEncrypted || connected.contains(address.bits))
    }
    processes.number &+= 1
    // Of many nodes the idle processes would be most of what comes.
    let least = members.count <= 8 ? most : min(most, 4)
    let question = ProcessQuestion(number: processes.number, order: order, most: most, least: least)
    local.call.waits(until: now &+ Survey.longest &+ 2000)
    processes.surveys.append(RunningSurvey(Survey(nodes, at: now), question, local, members))
    consider(question, from: interface.address, now)
    return true
  }

  /// Asks whom it is time to ask, looks when a look is due, and gives what has come to whoever waits for it.
  func stepProcesses(_ now: UInt64) {
    if let due = processes.lookDue, due <= now {
      processes.lookDue = nil
      look(now)
      let waiting = processes.waiting
      processes.waiting = []
      for one in waiting { answer(one.question, from: one.from) }
    }
    let connected = processes.surveys.isEmpty ? [] : connectedAddresses
    for running in processes.surveys where !running.order.call.isOver(at: now) {
      running.survey.connected { connected.contains($0.bits) }
      let bytes = message(.question(running.question))
      for address in running.survey.due(at: now) { send(bytes, to: address) }
      let hasOwn = running.answers[interface.address.bits] != nil
      if running.survey.isOver(at: now) && (hasOwn || now >= running.survey.end) { finish(running) }
    }
    processes.surveys.removeAll { $0.order.call.isOver(at: now) }
  }

  private var connectedAddresses: Set<UInt32> { Set(tunnels.pairs.map { $0.peer.address.bits }) }

  private func finish(_ running: RunningSurvey) {
    let nodes = running.members.map { record in
      let address = record.addresses.primary
      var outcome = running.survey.wasAsked(address) ? SurveyReport.Outcome.silent : .notAsked
      if let answer = running.answers[address.bits] { outcome = .answered(answer) }
      return SurveyReport.Node(
        id: record.id, address: address, load: record.load, processors: record.cpus, outcome: outcome)
    }
    try? reply(.done(SurveyReport(nodes).bytes(of: membership.cluster)), running.order)
    running.order.call.answered()
  }

  // MARK: Datagrams

  /// Takes a datagram about processes: from live members alone.
  func takeProcessMessage(_ bytes: [UInt8], from address: IPv4Address, _ now: UInt64) {
    guard joining == nil, let message = try? ProcessMessage(bytes, of: membership.cluster),
      let member = membership.member(at: address), member.mac == message.sender, member.mac != membership.own.mac
    else { return }
    switch message.body {
    case .question(let question):
      if processes.allowance.admits(address, at: now) { consider(question, from: address, now) }
    case .answer(let answer):
      for running in processes.surveys where running.question.number == answer.number {
        if running.survey.answered(address) { running.answers[address.bits] = answer }
      }
    }
  }

  private func message(_ body: ProcessMessage.Body) -> [UInt8] {
    ProcessMessage(cluster: membership.cluster, sender: membership.own.mac, body).bytes
  }

  private func send(_ bytes: [UInt8], to address: IPv4Address) {
    try? gossip.send(bytes, to: SocketAddress(address, port: ClusterPorts.control), from: interface.address)
  }

  // MARK: Answering

  private func consider(_ question: ProcessQuestion, from asker: IPv4Address, _ now: UInt64) {
    guard processes.lookDue == nil else { return wait(question, asker) }
    switch LookPlan.step(processes.look, at: now) {
    case .answer: answer(question, from: asker)
    case .look:
      look(now)
      answer(question, from: asker)
    case .begin:
      processes.look = ProcessLook(readProcesses(), at: now)
      processes.lookDue = now &+ LookPlan.first
      wait(question, asker)
    }
  }

  private func wait(_ question: ProcessQuestion, _ asker: IPv4Address) {
    // Asked twice it is answered once.
    guard processes.waiting.count < ProcessTraffic.mostWaiting,
      !processes.waiting.contains(where: { $0.question == question && $0.from == asker })
    else { return }
    processes.waiting.append((question, asker))
  }

  private func look(_ now: UInt64) {
    processes.look = ProcessLook(readProcesses(), at: now, since: processes.look)
  }

  private func answer(_ question: ProcessQuestion, from asker: IPv4Address) {
    guard let look = processes.look else { return }
    let machine = Linux.readMachine()
    let answer = ProcessAnswer(
      number: question.number, total: UInt32(clamping: look.processes.count), running: UInt32(clamping: look.running),
      processors: max(machine.processors, 1), memoryTotal: UInt32(clamping: machine.memoryTotal),
      memoryAvailable: UInt32(clamping: machine.memoryAvailable),
      processes: look.busiest(
        question.order, most: min(Int(question.most), ProcessMessage.mostProcesses), least: Int(question.least)
      ).map { ListedProcess(reading: $0) })
    guard asker == interface.address else {
      processes.answered &+= 1
      return send(message(.answer(answer)), to: asker)
    }
    for running in processes.surveys where running.question.number == question.number {
      running.answers[asker.bits] = answer
    }
  }
}
