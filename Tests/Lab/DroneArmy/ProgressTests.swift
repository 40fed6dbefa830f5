import NodeStatus
import Addresses
import Bytes
import Testing

@testable import DroneArmy

@Suite struct DroneProgressTests {
  private static let console = "  2.41 s  shells  ok\r\n\r\ndrone2:/# [  2.9] kernel: no prompt:/ #\r\n"
  private static let control =
    "[  2.3] a message\r\ndrone2:/# until tyd; do :; done; echo tyd is 'in, yes'\r\ntyd is in, yes\r\ndrone2:/# "

  private static func pieces(_ text: String, _ size: Int) -> [[UInt8]] {
    let bytes = [UInt8](text.utf8)
    return stride(from: 0, to: bytes.count, by: size).map { [UInt8](bytes[$0..<min($0 + size, bytes.count)]) }
  }

  /// A drone that is in.
  private static func member(at now: UInt64) -> DroneProgress {
    var drone = DroneProgress()
    drone.start(at: now)
    for piece in pieces(control, 1) { _ = drone.hear(control: piece, at: now) }
    return drone
  }

  @Test(
    "a drone is at its shell and in the cluster when its ports say so, however the text comes", arguments: [1, 2, 7])
  func ports(_ size: Int) {
    var drone = DroneProgress()
    drone.start(at: 1000)
    let shells = Self.pieces(Self.console, size).filter { drone.hear(console: $0, at: 1500) }
    #expect(shells.count == 1 && drone.sinceStart(drone.shellAt) == 500)
    let news = Self.pieces(Self.control, size).compactMap { drone.hear(control: $0, at: 1700) }
    #expect(news == [.shell, .member])
    #expect(drone.isMember && drone.sinceStart(drone.memberAt) == 700)
  }

  @Test("the question's own echo is no answer")
  func echo() {
    var drone = DroneProgress()
    drone.start(at: 0)
    let news = ["drone2:/# ", DroneProgress.question].map { drone.hear(control: [UInt8]($0.utf8), at: 1) }
    #expect(news == [.shell, nil])
    #expect(DroneProgress.question.utf8.count < 1024, "no longer than the shell's line")
  }

  @Test("a drone that is started again is on its way again, and one that is off hears nothing")
  func again() {
    var drone = DroneProgress()
    var news = drone.hear(control: [UInt8](Self.control.utf8), at: 5)
    #expect(news == nil)
    drone = Self.member(at: 10)
    drone.end()
    #expect(!drone.isRunning && !drone.isMember && drone.starts == 1)
    drone.start(at: 30)
    #expect(drone.isRunning && !drone.isMember && drone.starts == 2)
    news = drone.hear(control: [UInt8]("drone2:/# ".utf8), at: 40)
    #expect(news == .shell)
  }

  @Test("a few are on their way at a time; one that does not arrive holds the others up for two minutes only")
  func order() {
    let order = StartingOrder(atATime: 2)
    var drones = [DroneProgress](repeating: DroneProgress(), count: 5)
    #expect(order.next(drones, at: 0) == [0, 1])
    drones[0].start(at: 0)
    drones[1].start(at: 0)
    #expect(order.next(drones, at: 10) == [])
    drones[1] = Self.member(at: 0)
    #expect(order.next(drones, at: 20) == [2])
    drones[2].start(at: 20)
    #expect(order.next(drones, at: 119_999) == [])
    #expect(order.next(drones, at: 120_000) == [3])
    // A drone that was killed is not started by itself.
    drones[2].end()
    drones[3].start(at: 120_000)
    #expect(order.next(drones, at: 120_001) == [4])
  }
}

@Suite struct ArmyPlanTests {
  @Test("the boot line of the first and of another, to the byte")
  func bootLine() throws {
    let plan = try #require(ArmyPlan(count: 3))
    #expect(
      plan.bootLine(of: 1, contact: nil)
        == "console=ttyS1,115200 console=ttyS0,115200 ip=192.168.1.11:::255.255.255.0:drone1::off tyd=first")
    #expect(
      plan.bootLine(of: 3, contact: plan.address(of: 1), words: "certaintyd=off")
        == "console=ttyS1,115200 console=ttyS0,115200 ip=192.168.1.13:::255.255.255.0:drone3::off tyd=192.168.1.11"
        + " certaintyd=off")
  }

  @Test("every drone has an address of its own on the network, and a card of its own")
  func addresses() throws {
    let plan = try #require(ArmyPlan(count: ArmyPlan.counts.upperBound))
    #expect(Set(plan.numbers.map { plan.address(of: $0) }).count == plan.count)
    #expect(plan.numbers.allSatisfy { plan.address(of: $0).bits & 0xFF < 255 })
    let cards = plan.numbers.map { plan.hardware(of: $0) }
    #expect(Set(cards).count == plan.count)
    #expect(cards.allSatisfy { MACAddress(text: $0.utf8) != nil })
    #expect(ArmyPlan(count: 0) == nil && ArmyPlan(count: 201) == nil)
  }
}

@Suite struct InquiryTests {
  @Test("the same drone is asked every two seconds; one that does not answer is passed over after eight")
  func turn() {
    var inquiry = Inquiry()
    #expect(inquiry.next([], at: 5000) == nil)
    #expect(inquiry.next([0, 1], at: 5000) == 0)
    #expect(inquiry.next([0, 1], at: 5001) == nil)
    let isAnswer = inquiry.answer(from: 0, at: 5100)
    #expect(isAnswer)
    #expect(inquiry.next([0, 1], at: 7000) == 0)
    #expect(inquiry.next([0, 1], at: 14_999) == nil)
    #expect(inquiry.next([0, 1], at: 15_000) == 1)
    let isTooLate = !inquiry.answer(from: 0, at: 15_001)
    #expect(isTooLate)
    inquiry.drop(1)
    #expect(inquiry.next([0], at: 17_000) == 0)
  }
}

@Suite struct NodeStatusTests {
  @Test("a status is read; a node that is back under another identity counts as it is now")
  func view() throws {
    let line =
      #"{"node":"0x010b","address":"192.168.1.11","state":"in","nodes":[{"id":"0x010c","address":"192.168.1.12","#
      + #""state":"dead","fingerprint":"aa"},{"id":"0x010d","address":"192.168.1.12","state":"alive","fingerprint":"bb"}]}"#
    let view = try #require(NodeStatus(line: [UInt8](line.utf8)))
    #expect(view.node(at: IPv4Address(192, 168, 1, 12))?.id == 0x010D)
    #expect(view.node(at: IPv4Address(192, 168, 1, 99)) == nil)
  }

  @Test("what is no status is none", arguments: ["", "{", "{}", "tyd --status --json", "{\"nodes\":3}", "[1]"])
  func none(_ line: String) { #expect(NodeStatus(line: [UInt8](line.utf8)) == nil) }

  @Test("lines come whole, and one that never ends is thrown away")
  func lines() {
    var reader = LineReader(limit: 8)
    #expect(reader.read([UInt8]("ab\r\nc".utf8)) == [[0x61, 0x62]])
    #expect(reader.read([UInt8]("d\n".utf8)) == [[0x63, 0x64]])
    #expect(reader.read([UInt8]("123456789".utf8)) == [])
    #expect(reader.read([UInt8]("\nx\n".utf8)) == [[], [0x78]])
  }
}

@Suite struct OutputStateTests {
  @Test(
    "a line may be written between two texts, not within a control sequence or a letter",
    arguments: [
      ("plain", true), ("\u{1B}", false), ("\u{1B}[", false), ("\u{1B}[1;3", false), ("\u{1B}[1;31m", true),
      ("\u{1B}]0;title", false), ("\u{1B}]0;title\u{7}", true), ("\u{1B}(", false), ("\u{1B}(B", true), ("ä", true),
    ])
  func between(_ text: String, _ expected: Bool) {
    var output = OutputState()
    output.pass([UInt8](text.utf8))
    #expect(output.isBetween == expected)
  }

  @Test("half a letter is no place either")
  func half() {
    var output = OutputState()
    output.pass([0xE2, 0x96])
    #expect(!output.isBetween)
    output.pass([0x88])
    #expect(output.isBetween)
  }
}

@Suite struct ConsoleTailTests {
  @Test("the end of a console is kept, and tells a machine that was switched off from one that restarts")
  func tail() {
    var tail = ConsoleTail()
    for number in 0..<4000 { tail.append([UInt8]("line \(number)\r\n".utf8)) }
    #expect(tail.bytes.count <= 8192 && tail.lines.last == "line 3999")
    #expect(!tail.isSwitchedOff)
    tail.append([UInt8]("   12.3 s  end  ok  restarting (SIGTERM)\r\n".utf8))
    #expect(!tail.isSwitchedOff)
    tail.append([UInt8]("   12.3 s  end  ok  switching off (SIGUSR2)\r\n".utf8))
    #expect(tail.isSwitchedOff)
  }
}
