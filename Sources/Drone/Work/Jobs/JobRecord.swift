import Addresses
import Bytes

/// A job that runs on a node, as that node tells it.
public struct JobRecord: Equatable, Sendable {
  public var name: JobName
  /// On the home node.
  public var user: UInt32
  /// As the home node calls the user; empty where it has no name for it.
  public var userName: [UInt8]
  /// For so many seconds it has run.
  public var seconds: UInt32
  /// What it has used of processors, in milliseconds.
  public var processor: UInt64
  /// What it uses of memory, in KiB.
  public var memory: UInt64
  /// The command and its arguments with spaces between them, cut.
  public var command: [UInt8]

  public init(
    name: JobName, user: UInt32, userName: [UInt8] = [], seconds: UInt32 = 0, processor: UInt64 = 0, memory: UInt64 = 0,
    command: [UInt8]
  ) {
    self.name = name
    self.user = user
    self.userName = userName
    self.seconds = seconds
    self.processor = processor
    self.memory = memory
    self.command = command
  }

  public static let longestUserName = 32
  public static let longestCommand = 256

  func write(to out: inout [UInt8]) {
    out.append(networkOrder: name.home)
    out.append(networkOrder: name.process)
    out.append(networkOrder: user)
    out.append(text: [UInt8](userName.prefix(JobRecord.longestUserName)))
    out.append(networkOrder: seconds)
    out.append(networkOrder: processor)
    out.append(networkOrder: memory)
    out.append(text: [UInt8](command.prefix(JobRecord.longestCommand)))
  }

  init(_ reader: inout ByteReader<ReadingError>) throws(ReadingError) {
    name = JobName(home: try reader.uint16(), process: try reader.uint32())
    user = try reader.uint32()
    userName = try reader.text(upTo: JobRecord.longestUserName)
    seconds = try reader.uint32()
    processor = try reader.uint64()
    memory = try reader.uint64()
    command = try reader.text(upTo: JobRecord.longestCommand)
  }

  /// A command as a list of jobs shows it.
  public static func shown(_ arguments: [[UInt8]]) -> [UInt8] {
    var out: [UInt8] = []
    for argument in arguments {
      if !out.isEmpty { out.append(UInt8(ascii: " ")) }
      out += argument.prefix(longestCommand)
      if out.count >= longestCommand { return [UInt8](out.prefix(longestCommand)) }
    }
    return out
  }
}

/// The jobs of one node: what it answers a member that asks for them.
public struct JobList: Equatable, Sendable {
  public var jobs: [JobRecord]

  public init(jobs: [JobRecord]) { self.jobs = jobs }

  public static let most = 1024
  public static let largest = 512 << 10

  public var bytes: [UInt8] {
    let told = jobs.prefix(JobList.most)
    var out: [UInt8] = []
    out.append(varint: UInt32(clamping: told.count))
    for job in told { job.write(to: &out) }
    return out
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    jobs = []
    for _ in 0..<(try reader.varint(upTo: UInt32(JobList.most))) { jobs.append(try JobRecord(&reader)) }
    try reader.end()
  }
}

/// What one node of the cluster said when it was asked for its jobs.
public struct NodeJobs: Equatable, Sendable {
  public var node: UInt16
  /// Nil when it did not answer.
  public var list: JobList?

  public init(node: UInt16, list: JobList?) {
    self.node = node
    self.list = list
  }

  public static let largest = JobList.largest + 3

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(networkOrder: node)
    out.append(list == nil ? 0 : 1)
    return out + (list?.bytes ?? [])
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    node = try reader.uint16()
    switch try reader.uint8() {
    case 0: list = nil
    case 1: list = try JobList([UInt8](reader.remainder()))
    default: throw .value(offset: 2)
    }
    try reader.end()
  }
}
