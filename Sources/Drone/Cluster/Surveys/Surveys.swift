import Addresses
import MachineReadings
import Membership

/// What is asked for by `Surveys`.
public enum SurveyCommand: Equatable, Sendable {
  /// Send this to UDP port 3278 of a member.
  case send(ProcessMessage.Body, to: IPv4Address)
  /// Read how the machine is, and all its processes if they are wanted; answered by `receiveMachine`.
  case readMachine(processes: Bool)
  /// Read what else is to be said of these; answered by `receiveDescriptions`.
  case describeProcesses([ProcessLook.Process])
  /// The survey that this order wants is over.
  case answer(order: UInt32, SurveyReport)
}

/// What this node is asked about its processes, and what it asks others about theirs. Nothing of it happens unless somebody
/// runs `mtop`. It holds no socket, no clock and no machine.
public struct Surveys: Sendable {
  /// A survey, who wants it, and what has come so far.
  private struct Running: Sendable {
    var survey: Survey
    let question: ProcessQuestion
    let order: UInt32
    /// This node is the first.
    let members: [NodeRecord]
    /// In the same order.
    var answers: [ProcessAnswer?]

    func isOver(at now: UInt64) -> Bool { survey.isOver(at: now) && (answers[0] != nil || now >= survey.end) }

    var report: SurveyReport {
      SurveyReport(
        members.enumerated().map { place, record in
          let address = record.addresses.primary
          return SurveyReport.Node(
            id: record.id, address: address, load: record.load, processors: record.cpus,
            outcome: answers[place].map { .answered($0) } ?? (survey.wasAsked(address) ? .silent : .notAsked))
        })
    }
  }

  /// Who is answered.
  private enum Asker: Equatable, Sendable {
    case itself
    case member(IPv4Address)
  }

  /// What the next look at this machine's processes is for.
  private enum Purpose: Sendable {
    /// The first of two, for all that wait.
    case first
    /// The second of them.
    case second
    /// An answer at once.
    case answer(ProcessQuestion, to: Asker)
  }

  /// The last look at this machine's processes.
  private var look: ProcessLook?
  /// When the second look of a first question is due.
  private var lookDue: UInt64?
  /// Questions that wait for it.
  private var waiting: [(question: ProcessQuestion, from: Asker)] = []
  /// Looks that have been asked for, and answers that lack their processes.
  private var purposes: [Purpose] = []
  private var answers: [(answer: ProcessAnswer, to: Asker)] = []
  private var running: [Running] = []
  private var number: UInt16 = 0
  public private(set) var allowance = AnswerAllowance()
  /// Questions of others that were answered.
  public private(set) var answered: UInt32 = 0

  /// More questions do not wait.
  static let mostWaiting = 64
  /// More surveys do not run at once.
  static let most = 4

  public init() {}

  /// When `step` is due; nil when only an event can change something.
  public var nextDue: UInt64? {
    var due = lookDue
    for one in running { due = min(due ?? .max, one.survey.nextDue) }
    return due
  }

  // MARK: Asking

  /// Begins to ask these members, this node first among them; an order is answered when that is over. Nil if too many wait
  /// already.
  /// - Parameter hasTunnel: whether asking the member there takes no handshake.
  public mutating func begin(
    _ ranking: ProcessOrder, most: UInt8, for order: UInt32, _ members: [NodeRecord],
    hasTunnel: (IPv4Address) -> Bool, at now: UInt64
  ) -> [SurveyCommand]? {
    guard running.count < Surveys.most, !members.isEmpty else { return nil }
    let nodes = members.dropFirst().map { record in
      Survey.Node(address: record.addresses.primary, hasTunnel: hasTunnel(record.addresses.primary))
    }
    number &+= 1
    // Of many nodes the idle processes would be most of what comes.
    let question = ProcessQuestion(
      number: number, order: ranking, most: most, least: members.count <= 8 ? most : min(most, 4))
    running.append(
      Running(
        survey: Survey(nodes, at: now), question: question, order: order, members: members,
        answers: members.map { _ in nil }))
    return consider(question, from: .itself, at: now)
  }

  /// Nobody waits for this order's answer any longer.
  public mutating func receiveEnd(ofOrder order: UInt32) { running.removeAll { $0.order == order } }

  /// To which members there is a tunnel by now: to be said before each `step`.
  public mutating func receiveConnections(_ isConnected: (IPv4Address) -> Bool) {
    for index in running.indices { running[index].survey.receiveConnections(isConnected) }
  }

  /// Asks whom it is time to ask, and looks when a look is due.
  public mutating func step(at now: UInt64) -> [SurveyCommand] {
    var commands: [SurveyCommand] = []
    if let due = lookDue, due <= now {
      lookDue = nil
      commands += read(for: .second)
    }
    for index in running.indices {
      for address in running[index].survey.step(at: now) {
        commands.append(.send(.question(running[index].question), to: address))
      }
    }
    return commands + finish(at: now)
  }

  /// Gives what has come to whoever waits for it.
  private mutating func finish(at now: UInt64) -> [SurveyCommand] {
    var commands: [SurveyCommand] = []
    for one in running where one.isOver(at: now) { commands.append(.answer(order: one.order, one.report)) }
    if !commands.isEmpty { running.removeAll { $0.isOver(at: now) } }
    return commands
  }

  // MARK: Messages

  /// A live member's message.
  public mutating func receive(
    _ message: ProcessMessage.Body, from address: IPv4Address, at now: UInt64
  ) -> [SurveyCommand] {
    switch message {
    case .question(let question):
      return allowance.admits(address, at: now) ? consider(question, from: .member(address), at: now) : []
    case .answer(let answer):
      for index in running.indices where running[index].question.number == answer.number {
        guard running[index].survey.receiveAnswer(from: address),
          let place = running[index].members.lastIndex(where: { $0.addresses.primary == address })
        else { continue }
        running[index].answers[place] = answer
      }
      return finish(at: now)
    }
  }

  // MARK: Answering

  private mutating func consider(_ question: ProcessQuestion, from asker: Asker, at now: UInt64) -> [SurveyCommand] {
    guard lookDue == nil else {
      wait(question, asker)
      return []
    }
    switch LookPlan.step(look, at: now) {
    case .answer: return read(for: .answer(question, to: asker), processes: false)
    case .look: return read(for: .answer(question, to: asker))
    case .begin:
      lookDue = now &+ LookPlan.first
      wait(question, asker)
      return read(for: .first)
    }
  }

  private mutating func wait(_ question: ProcessQuestion, _ asker: Asker) {
    // Asked twice it is answered once.
    guard waiting.count < Surveys.mostWaiting,
      !waiting.contains(where: { $0.question == question && $0.from == asker })
    else { return }
    waiting.append((question, asker))
  }

  private mutating func read(for purpose: Purpose, processes isWhole: Bool = true) -> [SurveyCommand] {
    purposes.append(purpose)
    return [.readMachine(processes: isWhole)]
  }

  /// How this machine is, and all its processes if they were asked for.
  public mutating func receiveMachine(
    _ machine: MachineReadings, processes readings: [ProcessReading]?, at now: UInt64
  ) -> [SurveyCommand] {
    guard !purposes.isEmpty else { return [] }
    let purpose = purposes.removeFirst()
    if let readings {
      if case .first = purpose { look = nil }
      look = ProcessLook(readings, at: now, since: look)
    }
    switch purpose {
    case .first: return []
    case .second:
      let askers = waiting
      waiting = []
      return askers.flatMap { answer($0.question, to: $0.from, machine) }
    case .answer(let question, let asker): return answer(question, to: asker, machine)
    }
  }

  private mutating func answer(
    _ question: ProcessQuestion, to asker: Asker, _ machine: MachineReadings
  ) -> [SurveyCommand] {
    guard let look else { return [] }
    let answer = ProcessAnswer(
      number: question.number, total: UInt32(clamping: look.processes.count), running: UInt32(clamping: look.running),
      processors: max(machine.processors, 1), memoryTotal: UInt32(clamping: machine.memoryTotal),
      memoryAvailable: UInt32(clamping: machine.memoryAvailable), processes: [])
    answers.append((answer, asker))
    let most = min(Int(question.most), ProcessMessage.mostProcesses)
    return [.describeProcesses(look.busiest(question.order, most: most, least: Int(question.least)))]
  }

  /// What `describeProcesses` asked for.
  public mutating func receiveDescriptions(_ described: [ListedProcess], at now: UInt64) -> [SurveyCommand] {
    guard !answers.isEmpty else { return [] }
    var (answer, asker) = answers.removeFirst()
    answer.processes = described
    switch asker {
    case .member(let address):
      answered &+= 1
      return [.send(.answer(answer), to: address)]
    case .itself:
      for index in running.indices where running[index].question.number == answer.number {
        running[index].answers[0] = answer
      }
      return finish(at: now)
    }
  }
}
