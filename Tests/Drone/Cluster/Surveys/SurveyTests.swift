import Addresses
import Testing

@testable import Surveys

/// For calls that change what they are made on.
private func expect(_ holds: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(holds, sourceLocation: sourceLocation)
}

/// Questions to many nodes on a clock of the test's.
@Suite struct SurveyTests {
  private static func nodes(_ count: Int, tunnels: Int) -> [Survey.Node] {
    (0..<count).map { Survey.Node(address: IPv4Address(bits: 0x0A00_0001 + UInt32($0)), hasTunnel: $0 < tunnels) }
  }

  /// Runs a survey; `delay` is how long a node takes to answer, nil for never. Gives when each question was asked.
  private static func run(
    _ nodes: [Survey.Node], delay: (Survey.Node) -> UInt64?
  ) -> (asked: [(at: UInt64, address: IPv4Address)], answered: Int, end: UInt64) {
    var survey = Survey(nodes, at: 1000)
    var now: UInt64 = 1000
    var asked: [(at: UInt64, address: IPv4Address)] = []
    var answers: [(at: UInt64, address: IPv4Address)] = []
    var answered = 0
    while !survey.isOver(at: now) {
      for answer in answers where answer.at <= now { if survey.receiveAnswer(from: answer.address) { answered += 1 } }
      answers.removeAll { $0.at <= now }
      if survey.isOver(at: now) { break }
      for address in survey.step(at: now) {
        asked.append((now, address))
        if let node = nodes.first(where: { $0.address == address }), let delay = delay(node) {
          answers.append((now + delay, address))
        }
      }
      now = max(now + 1, min(survey.nextDue, answers.map(\.at).min() ?? .max))
    }
    return (asked, answered, now)
  }

  @Test("a node alone asks nobody and has its answer at once")
  func alone() {
    let result = Self.run([], delay: { _ in nil })
    #expect(result.asked.isEmpty && result.end == 1000)
  }

  @Test("every node is asked once, spread over the first second", arguments: [1, 6, 79, 100, 999])
  func spread(_ count: Int) {
    let result = Self.run(Self.nodes(count, tunnels: count), delay: { _ in 5 })
    #expect(result.answered == count)
    #expect(Set(result.asked.map(\.address.bits)).count == count)
    #expect(result.asked.count == count)
    // Never more than its share in 10 ms, and never later than a second.
    var inSlot: [UInt64: Int] = [:]
    for one in result.asked { inSlot[one.at, default: 0] += 1 }
    #expect(inSlot.values.allSatisfy { $0 <= (count + 99) / 100 })
    #expect(result.end <= 2010)
  }

  @Test("who is silent is asked once more and then given up, after two seconds")
  func silent() {
    let nodes = Self.nodes(10, tunnels: 10)
    let result = Self.run(nodes, delay: { $0.address == nodes[3].address ? nil : 5 })
    #expect(result.answered == 9)
    #expect(result.asked.filter { $0.address == nodes[3].address }.count == 2)
    #expect(result.asked.count == 11)
    #expect(result.end == 3000)
  }

  @Test("nodes with a tunnel come first, and of the others at most 48 are being asked at a time")
  func handshakes() {
    let nodes = Self.nodes(100, tunnels: 12)
    let result = Self.run(nodes, delay: { $0.hasTunnel ? 2 : nil })
    let first = result.asked.prefix(12).map(\.address)
    #expect(first == nodes.prefix(12).map(\.address))
    #expect(Set(result.asked.map(\.address.bits)).count == 12 + 48)
    #expect(result.answered == 12)
    // Two seconds, and five milliseconds for each of the 88 tunnels.
    #expect(result.end == 3440)
  }

  @Test("who has a tunnel by now makes room for the next, before it has answered")
  func connected() {
    var survey = Survey(Self.nodes(100, tunnels: 0), at: 0)
    var asked = 0
    for now in stride(from: UInt64(0), to: 500, by: 10) { asked += survey.step(at: now).count }
    #expect(asked == 48)
    survey.receiveConnections { $0.bits <= 0x0A00_0005 }
    for now in stride(from: UInt64(500), to: 800, by: 10) { asked += survey.step(at: now).count }
    #expect(asked == 53)
  }

  @Test("where handshakes end, the next begin: 88 of them are done in time when each takes 200 ms")
  func manyHandshakes() {
    let result = Self.run(Self.nodes(100, tunnels: 12), delay: { $0.hasTunnel ? 2 : 200 })
    #expect(result.answered == 100)
  }

  @Test("a first round of a thousand nodes reaches them all within six seconds when a handshake takes a quarter of one")
  func thousandHandshakes() {
    let result = Self.run(Self.nodes(999, tunnels: 12), delay: { $0.hasTunnel ? 2 : 250 })
    #expect(result.answered == 999)
    #expect(result.end <= 1000 + 6000)
  }

  @Test("only who was asked is heard, and once")
  func heard() {
    let nodes = Self.nodes(3, tunnels: 3)
    var survey = Survey(nodes, at: 0)
    expect(!survey.receiveAnswer(from: nodes[0].address))  // not asked yet
    expect(survey.step(at: 0) == [nodes[0].address])
    #expect(survey.wasAsked(nodes[0].address) && !survey.wasAsked(nodes[1].address))
    expect(survey.receiveAnswer(from: nodes[0].address))
    expect(!survey.receiveAnswer(from: nodes[0].address))  // a second time
    expect(!survey.receiveAnswer(from: IPv4Address(10, 9, 9, 9)))  // a stranger
  }

  @Test("a pause of the process is made up for in part, not all at once")
  func pause() {
    var survey = Survey(Self.nodes(1000, tunnels: 1000), at: 0)
    expect(survey.step(at: 0).count == 10)
    expect(survey.step(at: 500).count == 110)
    expect(survey.step(at: 505).isEmpty)
    expect(survey.step(at: 510).count == 10)
  }

  @Test("a member is answered five times a second, all together 64 times")
  func allowance() {
    var allowance = AnswerAllowance()
    let asker = IPv4Address(10, 0, 0, 1)
    expect(allowance.admits(asker, at: 1000))
    expect(!allowance.admits(asker, at: 1199))
    expect(allowance.admits(asker, at: 1200))
    expect(allowance.admits(IPv4Address(10, 0, 0, 2), at: 1200))
    var admitted = 0
    for number in 10..<200 as Range<UInt32> where allowance.admits(IPv4Address(bits: number), at: 1300) {
      admitted += 1
    }
    #expect(admitted == 61)
    #expect(allowance.refused == 130)
    expect(allowance.admits(asker, at: 3000))
  }
}
