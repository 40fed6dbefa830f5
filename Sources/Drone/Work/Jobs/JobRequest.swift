import Addresses
import Bytes

/// What a user's process asks to be run: everything that a program starts with, but who the user is.
public struct JobRequest: Equatable, Sendable {
  public struct Limit: Equatable, Sendable {
    /// `UInt64.max` for none.
    public var soft: UInt64
    public var hard: UInt64
    public init(soft: UInt64, hard: UInt64) {
      self.soft = soft
      self.hard = hard
    }
  }

  public struct Terminal: Equatable, Sendable {
    public var columns: UInt16
    public var rows: UInt16
    /// Standard error goes elsewhere: it gets a pipe.
    public var hasErrorApart: Bool
    public init(columns: UInt16, rows: UInt16, hasErrorApart: Bool = false) {
      self.columns = columns
      self.rows = rows
      self.hasErrorApart = hasErrorApart
    }
  }

  /// The command first.
  public var arguments: [[UInt8]]
  /// `NAME=value` each.
  public var environment: [[UInt8]]
  public var directory: [UInt8]
  /// The mode bits that new files do not get (umask(2)).
  public var mask: UInt16
  /// Of resource 0, 1, … (getrlimit(2)).
  public var limits: [Limit]
  /// Nil where standard input is none.
  public var terminal: Terminal?

  public init(
    arguments: [[UInt8]], environment: [[UInt8]], directory: [UInt8], mask: UInt16 = 0o022, limits: [Limit] = [],
    terminal: Terminal? = nil
  ) {
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.mask = mask
    self.limits = limits
    self.terminal = terminal
  }

  /// The most bytes that one takes: what Linux lets a program start with (execve(2), three quarters of 8 MiB of stack) is more, and
  /// nobody needs it.
  public static let largest = 2 << 20
  private static let mostTexts = 1 << 16
  private static let longestText = 128 << 10
  private static let mostLimits = 16

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(texts: arguments)
    out.append(texts: environment)
    out.append(text: directory)
    out.append(networkOrder: mask)
    out.append(varint: UInt32(clamping: limits.count))
    for limit in limits {
      out.append(networkOrder: limit.soft)
      out.append(networkOrder: limit.hard)
    }
    out.append(terminal.map { $0.hasErrorApart ? 2 : 1 } ?? 0)
    if let terminal {
      out.append(networkOrder: terminal.columns)
      out.append(networkOrder: terminal.rows)
    }
    return out
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    arguments = try reader.texts(upTo: JobRequest.mostTexts, eachUpTo: JobRequest.longestText)
    environment = try reader.texts(upTo: JobRequest.mostTexts, eachUpTo: JobRequest.longestText)
    guard arguments.first?.isEmpty == false, !(arguments + environment).contains(where: { $0.contains(0) }) else {
      throw .value(offset: 0)
    }
    directory = try reader.path()
    mask = try reader.uint16() & 0o777
    limits = []
    for _ in 0..<(try reader.varint(upTo: UInt32(JobRequest.mostLimits))) {
      limits.append(Limit(soft: try reader.uint64(), hard: try reader.uint64()))
    }
    let start = reader.offset
    let kind = try reader.uint8()
    guard kind <= 2 else { throw .value(offset: start) }
    if kind > 0 {
      terminal = Terminal(columns: try reader.uint16(), rows: try reader.uint16(), hasErrorApart: kind == 2)
    }
    try reader.end()
  }
}

/// What a home node's mosd says of its user to the node that is to run a job: only root can send it, and the receiver believes it for
/// the sender's own users.
public struct JobVoucher: Equatable, Sendable {
  /// Its home is the sender's id in the cluster.
  public var name: JobName
  public var user: UInt32
  /// Empty where the home node has none for it.
  public var userName: [UInt8]
  public var group: UInt32
  public var groups: [UInt32]
  /// What opens the user's files on the home node: 16 bytes, for one user, one node and one session.
  public var secret: [UInt8]
  /// Where on the home node they are served (TCP).
  public var port: UInt16
  /// Folders whose files the job may write; the system's view is not among them.
  public var trees: [[UInt8]]

  public init(
    name: JobName, user: UInt32, userName: [UInt8] = [], group: UInt32, groups: [UInt32], secret: [UInt8], port: UInt16,
    trees: [[UInt8]]
  ) {
    self.name = name
    self.user = user
    self.userName = userName
    self.group = group
    self.groups = groups
    self.secret = secret
    self.port = port
    self.trees = trees
  }

  /// NGROUPS_MAX is 65,536; no home node tells so many.
  public static let mostGroups = 1024
  public static let mostTrees = 4
  public static let secretLength = 16
  public static let largest = 32 << 10

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(networkOrder: name.home)
    out.append(networkOrder: name.process)
    out.append(networkOrder: user)
    out.append(text: [UInt8](userName.prefix(JobRecord.longestUserName)))
    out.append(networkOrder: group)
    out.append(varint: UInt32(clamping: groups.count))
    for group in groups { out.append(networkOrder: group) }
    out += secret
    out.append(networkOrder: port)
    out.append(texts: trees)
    return out
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    name = JobName(home: try reader.uint16(), process: try reader.uint32())
    // No name that can be written.
    guard name.process > 0 else { throw .value(offset: 2) }
    let start = reader.offset
    user = try reader.uint32()
    userName = try reader.text(upTo: JobRecord.longestUserName)
    group = try reader.uint32()
    // (uid_t)-1 means "as it is" to setresuid(2).
    guard user != .max, group != .max else { throw .value(offset: start) }
    groups = []
    for _ in 0..<(try reader.varint(upTo: UInt32(JobVoucher.mostGroups))) { groups.append(try reader.uint32()) }
    secret = [UInt8](try reader.bytes(JobVoucher.secretLength))
    port = try reader.uint16()
    trees = []
    for _ in 0..<(try reader.varint(upTo: UInt32(JobVoucher.mostTrees))) { trees.append(try reader.path()) }
    try reader.end()
  }
}

/// What a node that might run a job says first.
public struct WorkerGreeting: Equatable, Sendable {
  /// How many jobs more it takes now; 0: none.
  public var room: UInt16
  /// What programs it runs.
  public var machines: [ProgramMachine]
  /// Why it takes none, as a sentence; empty if it does.
  public var refusal: [UInt8]

  public init(room: UInt16, machines: [ProgramMachine], refusal: [UInt8] = []) {
    self.room = room
    self.machines = machines
    self.refusal = refusal
  }

  /// What the greeting begins with: the protocol and its version.
  private static let magic: [UInt8] = [UInt8](jobMagic)
  public static let largest = 1024

  public var bytes: [UInt8] {
    var out = WorkerGreeting.magic
    out.append(networkOrder: room)
    out.append(varint: UInt32(clamping: machines.count))
    for machine in machines { out.append(networkOrder: machine.number) }
    out.append(text: refusal)
    return out
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    guard try reader.bytes(4).elementsEqual(WorkerGreeting.magic) else { throw .value(offset: 0) }
    room = try reader.uint16()
    machines = []
    for _ in 0..<(try reader.varint(upTo: 16)) { machines.append(ProgramMachine(number: try reader.uint16())) }
    refusal = try reader.text(upTo: 512)
    try reader.end()
  }
}

private let jobMagic: StaticString = "MOS2"

/// Bytes with their length in front, four bytes in network order.
public func lengthPrefixed(_ bytes: [UInt8]) -> [UInt8] {
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count + 4)
  out.append(networkOrder: UInt32(clamping: bytes.count))
  out += bytes
  return out
}
