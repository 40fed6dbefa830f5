import Addresses
import Bytes

/// What mosrun asks the mosd of its own node: a connection to a node that runs its job.
public struct JobAsk: Equatable, Sendable {
  public enum Target: Equatable, Sendable {
    /// The least loaded node, this one included.
    case any
    /// The live node with the lowest id that was not tried, this one included.
    case next
    case id(UInt16)
    case address(IPv4Address)
  }

  public var target: Target
  /// What the program was made for; nil if that cannot be told.
  public var machine: ProgramMachine?
  public var trees: [[UInt8]]
  /// Nodes that were tried.
  public var tried: [UInt16]

  public init(target: Target, machine: ProgramMachine?, trees: [[UInt8]], tried: [UInt16] = []) {
    self.target = target
    self.machine = machine
    self.trees = trees
    self.tried = tried
  }

  public static let largest = 20 << 10

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    switch target {
    case .any: out.append(0)
    case .next: out.append(3)
    case .id(let id):
      out.append(1)
      out.append(networkOrder: id)
    case .address(let address):
      out.append(2)
      out.append(networkOrder: address.bits)
    }
    out.append(networkOrder: machine?.number ?? 0)
    out.append(texts: trees)
    out.append(varint: UInt32(clamping: tried.count))
    for id in tried { out.append(networkOrder: id) }
    return out
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    switch try reader.uint8() {
    case 0: target = .any
    case 3: target = .next
    case 1: target = .id(try reader.uint16())
    case 2: target = .address(IPv4Address(bits: try reader.uint32()))
    default: throw .value(offset: 0)
    }
    let number = try reader.uint16()
    machine = number == 0 ? nil : ProgramMachine(number: number)
    trees = []
    for _ in 0..<(try reader.varint(upTo: UInt32(JobVoucher.mostTrees))) { trees.append(try reader.path()) }
    tried = []
    for _ in 0..<(try reader.varint(upTo: 1024)) { tried.append(try reader.uint16()) }
    try reader.end()
  }
}

/// What comes back. With `.node` comes the connection's descriptor.
public enum JobAnswer: Equatable, Sendable {
  /// Why, as a sentence; by one node alone if that was meant.
  case refused(by: UInt16?, [UInt8])
  /// No other node is better: run it here, on the node with this id.
  case here(UInt16)
  case node(id: UInt16, home: UInt16, address: IPv4Address)
  /// Later, on the same socket: the node that runs the job is dead.
  case lost

  public static let largest = 1024

  public var bytes: [UInt8] {
    switch self {
    case .refused(let node, let sentence):
      let node = node ?? 0
      return [0, UInt8(node >> 8), UInt8(node & 0xFF)] + sentence.prefix(JobAnswer.largest - 3)
    case .here(let id): return [1, UInt8(id >> 8), UInt8(id & 0xFF)]
    case .node(let id, let home, let address):
      var out: [UInt8] = [2]
      out.append(networkOrder: id)
      out.append(networkOrder: home)
      out.append(networkOrder: address.bits)
      return out
    case .lost: return [3]
    }
  }

  public init(_ bytes: [UInt8]) throws(ReadingError) {
    var reader = ByteReader<ReadingError>(bytes)
    switch try reader.uint8() {
    case 0:
      let node = try reader.uint16()
      self = .refused(by: node == 0 ? nil : node, [UInt8](reader.remainder()))
    case 1: self = .here(try reader.uint16())
    case 2:
      self = .node(id: try reader.uint16(), home: try reader.uint16(), address: IPv4Address(bits: try reader.uint32()))
    case 3: self = .lost
    default: throw .value(offset: 0)
    }
    try reader.end()
  }
}
