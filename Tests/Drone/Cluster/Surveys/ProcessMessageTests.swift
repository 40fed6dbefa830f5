import Addresses
import Bytes
import MachineReadings
import Testing

@testable import Membership
@testable import Surveys

/// Questions and answers as bytes.
@Suite struct ProcessMessageTests {
  static let cluster = ClusterIdentifier(bits: 0xC1A0_0102_0304_0506)
  static let sender = MACAddress(bits: 0x5254_0012_3407) ?? .zero

  static let process = ListedProcess(
    process: 300, user: 1000, state: UInt8(ascii: "R"), priority: 20, nice: -5, cpu: 998, time: 16_384, virtual: 4096,
    resident: 480, shared: 120, name: [UInt8]("loop".utf8))

  static func answer(_ processes: [ListedProcess]) -> ProcessMessage {
    ProcessMessage(
      cluster: cluster, sender: sender,
      .answer(
        ProcessAnswer(
          number: 0x1234, total: 31, running: 2, processors: 1, memoryTotal: 30_000, memoryAvailable: 20_000,
          processes: processes)))
  }

  private static func header(_ kind: UInt8) -> [UInt8] {
    [
      0x01, kind,  // version, kind
      0xC1, 0xA0, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,  // cluster
      0x52, 0x54, 0x00, 0x12, 0x34, 0x07,  // sender's MAC
      0x12, 0x34,  // number
    ]
  }

  @Test("a question is 21 bytes")
  func question() throws {
    let message = ProcessMessage(
      cluster: Self.cluster, sender: Self.sender,
      .question(ProcessQuestion(number: 0x1234, order: .memory, most: 40, least: 4)))
    let bytes = Self.header(0x40) + [1, 40, 4]  // by memory, at most 40, at least 4
    #expect(message.bytes == bytes)
    #expect(try ProcessMessage(bytes, of: Self.cluster) == message)
    #expect(try ProcessMessage(bytes + [9, 9], of: Self.cluster) == message, "a later version may append")
  }

  @Test("an answer, byte for byte")
  func answer() throws {
    let message = Self.answer([Self.process])
    let bytes: [UInt8] =
      Self.header(0x41) + [
        31, 2, 1,  // processes, running, processors
        0xB0, 0xEA, 0x01,  // memory: 0x30 + 0x6A · 128 + 128² KiB
        0xA0, 0x9C, 0x01,  // available: 0x20 + 0x1C · 128 + 128² KiB
        22,  // length of the process
        0xAC, 0x02,  // PID: 0x2C + 2 · 128
        0xE8, 0x07,  // user: 0x68 + 7 · 128
        UInt8(ascii: "R"), 20, 0xFB,  // state, priority, nice -5
        0xE6, 0x07,  // CPU: 0x66 + 7 · 128 thousandths
        0x80, 0x80, 0x01,  // time: 128² hundredths of a second
        0x80, 0x20, 0xE0, 0x03, 0x78,  // virtual 32 · 128, resident 0x60 + 3 · 128, shared 120 KiB
        4, UInt8(ascii: "l"), UInt8(ascii: "o"), UInt8(ascii: "o"), UInt8(ascii: "p"),
      ]
    #expect(message.bytes == bytes)
    #expect(try ProcessMessage(bytes, of: Self.cluster) == message)
    #expect(ProcessMessage.isOne(bytes))
  }

  @Test("fields that a later version appends to a process are passed over")
  func later() throws {
    var process = Self.process
    process.job = JobName(home: 0x0115, process: 300)
    var bytes = Self.answer([process]).bytes
    #expect(bytes.suffix(4) == [0x01, 0x15, 0xAC, 0x02])
    bytes[27] += 3
    bytes += [7, 7, 7]
    #expect(try ProcessMessage(bytes, of: Self.cluster) == Self.answer([process]))
  }

  @Test("an answer is one datagram of at most 1200 bytes, whatever is to be in it, and the last go first")
  func bounded() throws {
    let largest = ListedProcess(
      process: .max, user: .max, state: 0xFF, priority: -1, nice: -1, cpu: .max, time: .max, virtual: .max,
      resident: .max, shared: .max, name: [UInt8](repeating: 0x41, count: 99),
      job: JobName(home: .max, process: .max))
    let bytes = Self.answer([largest] + Array(repeating: Self.process, count: 100)).bytes
    #expect(bytes.count <= 1200 && bytes.count > 1150)
    guard case .answer(let answer) = try ProcessMessage(bytes, of: Self.cluster).body else {
      Issue.record("no answer")
      return
    }
    #expect(answer.processes.first == largest)
    #expect(answer.processes.count > 40)
  }

  @Test("membership's own datagrams are not taken for them, and membership throws these away")
  func apart() {
    let ping = Datagram(cluster: Self.cluster, sender: Self.sender, number: 1, body: .ping(digest: nil)).bytes
    #expect(!ProcessMessage.isOne(ping))
    #expect(throws: MembershipDecodeError.kind(1)) { try ProcessMessage(ping, of: Self.cluster) }
    #expect(throws: MembershipDecodeError.kind(0x41)) {
      try Datagram(Self.answer([]).bytes, of: Self.cluster)
    }
    #expect(!ProcessMessage.isOne([]) && !ProcessMessage.isOne([1]))
  }

  @Test("damage is named")
  func damage() {
    let good = Self.answer([Self.process]).bytes
    func error(_ bytes: [UInt8]) -> MembershipDecodeError? {
      do throws(MembershipDecodeError) { _ = try ProcessMessage(bytes, of: Self.cluster) } catch { return error }
      return nil
    }
    #expect(error([]) == .truncated(offset: 0, needed: 1, available: 0))
    #expect(error([2] + good.dropFirst()) == .version(2))
    #expect(error([1, 0x42] + good.dropFirst(2)) == .kind(0x42))
    #expect(error([UInt8](repeating: 1, count: 1201)) == .tooLong(1201))
    #expect(error(good.dropLast()) == .truncated(offset: 28, needed: 22, available: 21))
    var other = good
    other[2] = 0
    #expect(error(other) == .foreign(ClusterIdentifier(bits: 0x00A0_0102_0304_0506)))
    var longName = good
    longName[45] = 16
    #expect(error(longName) == .value(offset: 45))
    var order = ProcessMessage(
      cluster: Self.cluster, sender: Self.sender, .question(ProcessQuestion(number: 1, order: .cpu, most: 1, least: 1))
    ).bytes
    order[18] = 3
    #expect(error(order) == .value(offset: 18))
  }

  @Test("a report is read as it was written, in the order of ids, with who did not answer")
  func report() throws {
    guard case .answer(let answer) = Self.answer([Self.process]).body else { return }
    let report = SurveyReport([
      .init(id: 0x0116, address: IPv4Address(192, 168, 1, 22), load: 0, processors: 1, outcome: .silent),
      .init(id: 0x010B, address: IPv4Address(192, 168, 1, 11), load: 104, processors: 2, outcome: .answered(answer)),
      .init(id: 0x0117, address: IPv4Address(192, 168, 1, 23), load: 0, processors: 1, outcome: .notAsked),
    ])
    #expect(report.nodes.map(\.id) == [0x010B, 0x0116, 0x0117])
    #expect(try SurveyReport(report.bytes(of: Self.cluster)) == report)
    #expect(throws: MembershipDecodeError.self) { try SurveyReport([UInt8]()) }
    #expect(throws: MembershipDecodeError.version(9)) { try SurveyReport([UInt8]([9])) }
    #expect(throws: MembershipDecodeError.self) {
      try SurveyReport([UInt8](report.bytes(of: Self.cluster).dropLast()))
    }
  }
}
