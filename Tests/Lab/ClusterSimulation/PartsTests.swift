import Addresses
import Bytes
import Testing

@testable import ClusterSimulation

/// What the simulation is made of.
@Suite struct PartsTests {
  @Test("events come in the order of their times, and of their insertion where these are the same")
  func queue() {
    var random = SplitMix64(seed: 3)
    var queue = EventQueue<Int>()
    var expected: [(time: UInt64, number: Int)] = []
    var last: UInt64 = 0
    for number in 0..<5000 {
      let time = last + random.next() % 50
      queue.insert(number, at: time)
      expected.append((time, number))
      guard random.happens(480) else { continue }
      expected.sort { ($0.time, $0.number) < ($1.time, $1.number) }
      let next = expected.removeFirst()
      let found = queue.popFirst()
      #expect(found?.time == next.time && found?.event == next.number)
      last = next.time
    }
    expected.sort { ($0.time, $0.number) < ($1.time, $1.number) }
    var rest: [Int] = []
    while let (_, event) = queue.popFirst() { rest.append(event) }
    #expect(rest == expected.map(\.number) && queue.nextTime == nil)
  }

  @Test("an address is the machine's that got it last, and whoever had it before takes nothing away when it moves")
  func addresses() {
    var machines = MachineTable()
    let address = IPv4Address(10, 0, 0, 1)
    let first = machines.add(at: nil)
    #expect(machines[first].address == address)
    let second = machines.add(at: address)
    #expect(machines.index(at: address) == second)
    machines.move(first, to: IPv4Address(10, 0, 0, 9))
    #expect(machines.index(at: address) == second && machines.index(at: IPv4Address(10, 0, 0, 9)) == first)
    machines.move(second, to: IPv4Address(10, 0, 0, 8))
    #expect(machines.index(at: address) == nil)
    #expect(machines.index(of: machines[second].mac) == second && machines.index(of: .broadcast) == nil)
  }

  @Test("what is said over a connection arrives in its order, and the connection is over when both ends have left")
  func lines() {
    var lines = LineTable()
    let number = lines.begin(
      Line.End(machine: 0, boots: 1, channel: 7), Line.End(machine: 1, boots: 1), at: 5)
    let early = lines.say(number, 0, 7, at: 9)
    #expect(early == nil)
    lines.accept(number, as: 2)
    lines.open(number)
    let said = [lines.say(number, 0, 7, at: 30), lines.say(number, 0, 7, at: 20), lines.say(number, 1, 2, at: 10)]
    #expect(said.map { $0?.time } == [30, 30, 10] && said.map { $0?.end } == [1, 1, 0])
    lines.leave(number, 0, 7)
    #expect(lines[number] != nil)
    lines.leave(number, 1, 2)
    #expect(lines[number] == nil)
  }

  @Test("of each kind of fault a few are told, so that none hides another")
  func faults() {
    var invariants = Invariants()
    for number in 0..<20 { invariants.fault("node \(number) is green", at: UInt64(number)) }
    invariants.fault("node 3 is blue", at: 99)
    #expect(invariants.faults.count == 6 && invariants.faults.last == "99 ms: node 3 is blue")
  }
}
