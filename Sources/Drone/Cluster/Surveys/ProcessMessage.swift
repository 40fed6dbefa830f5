import Addresses
import Bytes
import MachineReadings
import Membership

// What members ask each other about their processes: one datagram each way, UDP port 3278, always inside ESP. It begins as
// membership's do; versions that do not know these kinds throw them away.
//
//     0  version      1 byte, 1
//     1  kind         1 byte: 0x40 a question, 0x41 an answer
//     2  cluster      8 bytes
//     10 sender       6 bytes, its MAC
//     16 number       2 bytes, of the question that this is or answers

/// The processes that a question is about.
public struct ProcessQuestion: Equatable, Sendable {
  public var number: UInt16
  public var order: ProcessOrder
  /// At most so many processes, and at least so many even if they are idle.
  public var most: UInt8
  public var least: UInt8

  public init(number: UInt16, order: ProcessOrder, most: UInt8, least: UInt8) {
    self.number = number
    self.order = order
    self.most = most
    self.least = least
  }
}

/// A node's processes, and what of the machine is needed to judge them.
public struct ProcessAnswer: Equatable, Sendable {
  public var number: UInt16
  /// How many processes there are, and how many of them run.
  public var total: UInt32
  public var running: UInt32
  public var processors: UInt16
  /// KiB.
  public var memoryTotal: UInt32
  public var memoryAvailable: UInt32
  /// In the order that was asked for.
  public var processes: [ListedProcess]

  public init(
    number: UInt16, total: UInt32, running: UInt32, processors: UInt16, memoryTotal: UInt32, memoryAvailable: UInt32,
    processes: [ListedProcess]
  ) {
    self.number = number
    self.total = total
    self.running = running
    self.processors = processors
    self.memoryTotal = memoryTotal
    self.memoryAvailable = memoryAvailable
    self.processes = processes
  }
}

/// One datagram about processes.
public struct ProcessMessage: Equatable, Sendable {
  public enum Body: Equatable, Sendable {
    case question(ProcessQuestion)
    case answer(ProcessAnswer)
  }

  public var cluster: ClusterIdentifier
  public var sender: MACAddress
  public var body: Body

  /// No datagram is longer, so that with ESP, UDP and IP it fits any link's MTU, tunnels included.
  public static let largest = 1200
  /// More processes are in no answer: fewer than 16 bytes are in no process.
  public static let mostProcesses = 72

  private static let version: UInt8 = 1
  private static let question: UInt8 = 0x40
  private static let answer: UInt8 = 0x41

  public init(cluster: ClusterIdentifier, sender: MACAddress, _ body: Body) {
    self.cluster = cluster
    self.sender = sender
    self.body = body
  }

  /// Whether a datagram on membership's port is about processes, by its second byte.
  public static func isOne(_ bytes: [UInt8]) -> Bool {
    bytes.count > 1 && (bytes[1] == question || bytes[1] == answer)
  }

  /// The datagram. Processes that find no room in it are left out, the last first.
  ///
  ///     question  18 order 1, most 1, least 1
  ///     answer    18 total, running, processors, memory in all, available: varints
  ///               then for each process to the end: 1 byte with the length of
  ///               PID, user: varints; state, priority, nice: 1 byte each; CPU, time, virtual, resident, shared: varints;
  ///               the name with a byte for its length before it; of a job's, its home node, 2, and number, a varint
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(128)
    out.append(ProcessMessage.version)
    switch body {
    case .question: out.append(ProcessMessage.question)
    case .answer: out.append(ProcessMessage.answer)
    }
    out.append(networkOrder: cluster.bits)
    out.append(sender)
    switch body {
    case .question(let question):
      out.append(networkOrder: question.number)
      out.append(question.order.rawValue)
      out.append(question.most)
      out.append(question.least)
    case .answer(let answer):
      out.append(networkOrder: answer.number)
      out.append(varint: answer.total)
      out.append(varint: answer.running)
      out.append(varint: UInt32(answer.processors))
      out.append(varint: answer.memoryTotal)
      out.append(varint: answer.memoryAvailable)
      for process in answer.processes {
        let one = process.bytes
        if out.count + 1 + one.count > ProcessMessage.largest { break }
        out.append(UInt8(truncatingIfNeeded: one.count))
        out += one
      }
    }
    return out
  }

  /// Reads a datagram of `cluster`. Fields that a later version appends to a process are passed over, and so are bytes behind a
  /// question.
  public init(_ bytes: [UInt8], of cluster: ClusterIdentifier) throws(MembershipDecodeError) {
    guard bytes.count <= ProcessMessage.largest else { throw .tooLong(bytes.count) }
    var reader = WireReader(bytes)
    let version = try reader.uint8()
    guard version == ProcessMessage.version else { throw .version(version) }
    let kind = try reader.uint8()
    self.cluster = ClusterIdentifier(bits: try reader.uint64())
    guard self.cluster == cluster else { throw .foreign(self.cluster) }
    sender = try reader.mac()
    let number = try reader.uint16()
    switch kind {
    case ProcessMessage.question:
      let place = reader.offset
      guard let order = ProcessOrder(rawValue: try reader.uint8()) else { throw .value(offset: place) }
      body = .question(
        ProcessQuestion(number: number, order: order, most: try reader.uint8(), least: try reader.uint8()))
    case ProcessMessage.answer:
      var answer = ProcessAnswer(
        number: number, total: try reader.varint(), running: try reader.varint(),
        processors: UInt16(clamping: try reader.varint(upTo: 0xFFFF)), memoryTotal: try reader.varint(),
        memoryAvailable: try reader.varint(), processes: [])
      while !reader.isAtEnd {
        var part = try reader.part(Int(try reader.uint8()))
        let process = try ListedProcess(&part)
        if answer.processes.count < ProcessMessage.mostProcesses { answer.processes.append(process) }
      }
      body = .answer(answer)
    default: throw .kind(kind)
    }
  }
}

extension ListedProcess {
  fileprivate var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(varint: process)
    out.append(varint: user)
    out.append(state)
    out.append(UInt8(bitPattern: priority))
    out.append(UInt8(bitPattern: nice))
    out.append(varint: cpu)
    out.append(varint: time)
    out.append(varint: virtual)
    out.append(varint: resident)
    out.append(varint: shared)
    out.append(UInt8(truncatingIfNeeded: name.count))
    out += name
    if let job {
      out.append(networkOrder: job.home)
      out.append(varint: job.process)
    }
    return out
  }

  fileprivate init(_ reader: inout WireReader) throws(MembershipDecodeError) {
    self.init(
      process: try reader.varint(), user: try reader.varint(), state: try reader.uint8(),
      priority: Int8(bitPattern: try reader.uint8()), nice: Int8(bitPattern: try reader.uint8()),
      cpu: try reader.varint(), time: try reader.varint(), virtual: try reader.varint(),
      resident: try reader.varint(), shared: try reader.varint(), name: [])
    let place = reader.offset
    let count = try reader.uint8()
    guard count <= ProcessReading.longestName else { throw .value(offset: place) }
    for _ in 0..<count { name.append(try reader.uint8()) }
    if !reader.isAtEnd { job = JobName(home: try reader.uint16(), process: try reader.varint()) }
  }
}
