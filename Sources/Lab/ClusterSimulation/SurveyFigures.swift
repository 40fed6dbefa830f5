import Addresses
import Bytes
import MachineReadings
import Membership
import Surveys

/// What it costs to ask every node of a cluster for its processes once, as `mtop` does, on a virtual LAN.
public struct SurveyFigures: Sendable {
  public let nodes: Int
  /// Questions and answers with ESP, UDP and IP headers, handshakes left out.
  public let bytes: Int
  /// What the handshakes take beside that.
  public let handshakeBytes: Int
  /// Tunnels that had to be made for it.
  public let handshakes: Int
  /// Who answered in time; all but the one that asks, if all is well.
  public let answers: Int
  /// Questions in the busiest 10 ms.
  public let burst: Int
  /// Until the last answer, or until the time was over, in milliseconds.
  public let duration: UInt64

  /// - Parameters:
  ///   - tunnels: nodes to which this one has a tunnel already: its neighbours in a first round, all in those that follow.
  ///   - busy: processes that each node tells of besides those that do nothing.
  public init(nodes: Int, tunnels: Int, busy: Int = 1, seed: UInt64 = 1, network: Network = .lan) {
    var random = SplitMix64(seed: seed)
    let others = (1..<max(nodes, 1)).map { index in
      Survey.Node(address: IPv4Address(bits: 0x0A00_0000 + UInt32(index)), hasTunnel: index <= tunnels)
    }
    var survey = Survey(others, at: 0)
    var events = EventQueue<IPv4Address>()
    let least: UInt8 = nodes <= 8 ? 40 : 4
    let question = Network.espBytes(
      payload: SurveyFigures.message(
        .question(ProcessQuestion(number: 1, order: .cpu, most: 40, least: least))
      ).bytes.count)
    let answer = Network.espBytes(
      payload: SurveyFigures.message(.answer(SurveyFigures.answer(busy: busy, idle: Int(least)))).bytes.count)
    var (now, bytes, handshakes, answers, burst): (UInt64, Int, Int, Int, Int) = (0, 0, 0, 0, 0)
    /// When the tunnel to a node is there.
    var tunnelAt: [UInt32: UInt64] = [:]
    while !survey.isOver(at: now) {
      survey.receiveConnections { (tunnelAt[$0.bits] ?? .max) <= now }
      let asked = survey.step(at: now)
      burst = max(burst, asked.count)
      for address in asked {
        bytes += question
        // A first question has the node look twice.
        var delay = LookPlan.first + random.number(in: network.delay) + random.number(in: network.delay)
        let index = Int(address.bits - 0x0A00_0000)
        if index > tunnels, tunnelAt[address.bits] == nil {
          handshakes += 1
          let handshake = random.number(in: network.handshake)
          tunnelAt[address.bits] = now + handshake
          delay += handshake
        }
        events.insert(address, at: now + delay)
      }
      let next = min(survey.nextDue, events.nextTime ?? .max)
      now = max(now + 1, next)
      while let time = events.nextTime, time <= now, let (_, address) = events.popFirst() {
        bytes += answer
        if survey.receiveAnswer(from: address) { answers += 1 }
      }
    }
    self.nodes = nodes
    self.bytes = bytes
    handshakeBytes = handshakes * Network.handshakeBytes
    self.handshakes = handshakes
    self.answers = answers
    self.burst = burst
    duration = min(now, survey.end)
  }

  private static func message(_ body: ProcessMessage.Body) -> ProcessMessage {
    ProcessMessage(cluster: ClusterIdentifier(bits: 1), sender: .broadcast, body)
  }

  /// A drone has some 30 processes, most of them the kernel's, which do nothing.
  private static func answer(busy: Int, idle: Int) -> ProcessAnswer {
    let processes = (0..<max(busy, min(idle, 30))).map { index in
      ListedProcess(
        process: UInt32(300 + index), user: 0, state: UInt8(ascii: "S"), priority: 20, nice: 0,
        cpu: index < busy ? 998 : 0, time: 100_000, virtual: index < busy ? 4096 : 0, resident: index < busy ? 2048 : 0,
        shared: index < busy ? 512 : 0, name: [UInt8]("kworker/0:1".utf8))
    }
    return ProcessAnswer(
      number: 1, total: 30, running: 1, processors: 1, memoryTotal: 29_696, memoryAvailable: 20_480,
      processes: processes)
  }
}
