import Addresses
import LocalOrders
import MachineReadings
import Membership
import Surveys
import Tunnels

/// What this node is asked about its processes, and what it asks others about theirs. Nothing of it happens unless somebody
/// runs `mtop`.
public struct ProcessQuestions: Sendable {
  /// A survey, who wants it, and what has come so far.
  struct Running: Sendable {
    var survey: Survey
    let question: ProcessQuestion
    /// The order that wants it.
    let order: UInt32
    let members: [NodeRecord]
    var answers: [UInt32: ProcessAnswer] = [:]
  }

  /// What the next look at this machine's processes is for.
  enum Purpose: Sendable {
    /// The first of two, for all that wait.
    case first
    /// The second of them.
    case second
    /// An answer at once.
    case answer(ProcessQuestion, to: IPv4Address)
  }

  /// The last look at this machine's processes.
  var look: ProcessLook?
  /// When the second look of a first question is due.
  var lookDue: UInt64?
  /// Questions that wait for it.
  var waiting: [(question: ProcessQuestion, from: IPv4Address)] = []
  /// Looks that have been asked for, and answers that lack their processes.
  var purposes: [Purpose] = []
  var answers: [(answer: ProcessAnswer, to: IPv4Address)] = []
  public internal(set) var allowance = AnswerAllowance()
  var surveys: [Running] = []
  var number: UInt16 = 0
  /// Questions of others that were answered.
  public internal(set) var answered: UInt32 = 0

  /// More questions do not wait.
  static let mostWaiting = 64
  /// More surveys do not run at once.
  static let mostSurveys = 4

  func nextDue(at now: UInt64) -> UInt64? {
    var due = lookDue
    for running in surveys { due = min(due ?? .max, running.survey.nextDue(at: now)) }
    return due
  }
}

extension NodeCore {
  // MARK: Asking

  /// Begins to ask every member; the order is answered when that is over. Nil if too many do so already.
  mutating func beginSurvey(
    _ order: ProcessOrder, most: UInt8, for number: UInt32, at now: UInt64
  ) -> [NodeCommand]? {
    guard processes.surveys.count < ProcessQuestions.mostSurveys else { return nil }
    var members: [NodeRecord] = []
    membership.forEach { record, state in if state.isLive { members.append(record) } }
    let connected = connectedAddresses
    let nodes = members.filter { $0.mac != membership.own.mac }.map { record in
      let address = record.addresses.primary
      return Survey.Node(address: address, hasTunnel: !identity.isEncrypted || connected.contains(address.bits))
    }
    processes.number &+= 1
    // Of many nodes the idle processes would be most of what comes.
    let least = members.count <= 8 ? most : min(most, 4)
    let question = ProcessQuestion(number: processes.number, order: order, most: most, least: least)
    orders[number]?.waits(until: now &+ Survey.longest &+ 2000)
    processes.surveys.append(
      ProcessQuestions.Running(survey: Survey(nodes, at: now), question: question, order: number, members: members))
    return consider(question, from: peers.own, at: now)
  }

  /// Asks whom it is time to ask, looks when a look is due, and gives what has come to whoever waits for it.
  mutating func stepProcesses(at now: UInt64) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    if let due = processes.lookDue, due <= now {
      processes.lookDue = nil
      commands += read(for: .second)
    }
    processes.surveys.removeAll { orders[$0.order]?.isOver(at: now) != false }
    guard !processes.surveys.isEmpty else { return commands }
    let connected = connectedAddresses
    for index in processes.surveys.indices {
      processes.surveys[index].survey.connected { connected.contains($0.bits) }
      let bytes = message(.question(processes.surveys[index].question))
      for address in processes.surveys[index].survey.due(at: now) { commands.append(.send(bytes, to: address)) }
      let running = processes.surveys[index]
      let hasOwn = running.answers[peers.own.bits] != nil
      if running.survey.isOver(at: now) && (hasOwn || now >= running.survey.end) {
        commands += finish(running, at: now)
      }
    }
    processes.surveys.removeAll { orders[$0.order] == nil }
    return commands
  }

  private var connectedAddresses: Set<UInt32> { Set(peers.tunnels.pairs.map { $0.peer.address.bits }) }

  private mutating func finish(_ running: ProcessQuestions.Running, at now: UInt64) -> [NodeCommand] {
    let nodes = running.members.map { record in
      let address = record.addresses.primary
      var outcome = running.survey.wasAsked(address) ? SurveyReport.Outcome.silent : .notAsked
      if let answer = running.answers[address.bits] { outcome = .answered(answer) }
      return SurveyReport.Node(
        id: record.id, address: address, load: record.load, processors: record.cpus, outcome: outcome)
    }
    orders[running.order]?.answered()
    let report = SurveyReport(nodes).bytes(of: membership.cluster)
    return [.answer(order: running.order, .done(report))] + endOrderIfOver(running.order, at: now)
  }

  // MARK: Datagrams

  /// Takes a datagram about processes: from live members alone.
  mutating func receiveProcessMessage(
    _ bytes: [UInt8], from address: IPv4Address, at now: UInt64
  ) -> [NodeCommand] {
    guard isIn, let message = try? ProcessMessage(bytes, of: membership.cluster),
      let member = membership.member(at: address), member.mac == message.sender, member.mac != membership.own.mac
    else { return [] }
    switch message.body {
    case .question(let question):
      return processes.allowance.admits(address, at: now) ? consider(question, from: address, at: now) : []
    case .answer(let answer):
      for index in processes.surveys.indices where processes.surveys[index].question.number == answer.number {
        if processes.surveys[index].survey.answered(address) {
          processes.surveys[index].answers[address.bits] = answer
        }
      }
      return []
    }
  }

  private func message(_ body: ProcessMessage.Body) -> [UInt8] {
    ProcessMessage(cluster: membership.cluster, sender: membership.own.mac, body).bytes
  }

  // MARK: Answering

  private mutating func consider(
    _ question: ProcessQuestion, from asker: IPv4Address, at now: UInt64
  ) -> [NodeCommand] {
    guard processes.lookDue == nil else {
      wait(question, asker)
      return []
    }
    switch LookPlan.step(processes.look, at: now) {
    case .answer: return read(for: .answer(question, to: asker), processes: false)
    case .look: return read(for: .answer(question, to: asker))
    case .begin:
      processes.lookDue = now &+ LookPlan.first
      wait(question, asker)
      return read(for: .first)
    }
  }

  private mutating func wait(_ question: ProcessQuestion, _ asker: IPv4Address) {
    // Asked twice it is answered once.
    guard processes.waiting.count < ProcessQuestions.mostWaiting,
      !processes.waiting.contains(where: { $0.question == question && $0.from == asker })
    else { return }
    processes.waiting.append((question, asker))
  }

  private mutating func read(for purpose: ProcessQuestions.Purpose, processes isWhole: Bool = true) -> [NodeCommand] {
    processes.purposes.append(purpose)
    return [.readMachine(processes: isWhole)]
  }

  /// How this machine is, and all its processes if they were asked for.
  public mutating func receiveMachine(
    _ machine: MachineReadings, processes readings: [ProcessReading]?, at now: UInt64
  ) -> [NodeCommand] {
    guard !processes.purposes.isEmpty else { return [] }
    let purpose = processes.purposes.removeFirst()
    if let readings {
      if case .first = purpose { processes.look = nil }
      processes.look = ProcessLook(readings, at: now, since: processes.look)
    }
    switch purpose {
    case .first: return []
    case .second:
      let waiting = processes.waiting
      processes.waiting = []
      return waiting.flatMap { answer($0.question, to: $0.from, machine) }
    case .answer(let question, let asker): return answer(question, to: asker, machine)
    }
  }

  private mutating func answer(
    _ question: ProcessQuestion, to asker: IPv4Address, _ machine: MachineReadings
  ) -> [NodeCommand] {
    guard let look = processes.look else { return [] }
    let answer = ProcessAnswer(
      number: question.number, total: UInt32(clamping: look.processes.count), running: UInt32(clamping: look.running),
      processors: max(machine.processors, 1), memoryTotal: UInt32(clamping: machine.memoryTotal),
      memoryAvailable: UInt32(clamping: machine.memoryAvailable), processes: [])
    processes.answers.append((answer, asker))
    let most = min(Int(question.most), ProcessMessage.mostProcesses)
    return [.describeProcesses(look.busiest(question.order, most: most, least: Int(question.least)))]
  }

  /// What `describeProcesses` asked for.
  public mutating func receiveDescriptions(_ described: [ListedProcess]) -> [NodeCommand] {
    guard !processes.answers.isEmpty else { return [] }
    var (answer, asker) = processes.answers.removeFirst()
    answer.processes = described
    guard asker == peers.own else {
      processes.answered &+= 1
      return [.send(message(.answer(answer)), to: asker)]
    }
    for index in processes.surveys.indices where processes.surveys[index].question.number == answer.number {
      processes.surveys[index].answers[asker.bits] = answer
    }
    return []
  }
}
