import Addresses
import Bytes

/// One datagram between two members, UDP port 3278, always inside ESP.
///
///     0  version      1 byte, 1
///     1  kind         1 byte
///     2  cluster      8 bytes
///     10 sender       6 bytes, its MAC
///     16 number       2 bytes, of the probe that this is or answers
///     18 what the kind adds, then items to the end
///
/// Items are (type, length, value) with one byte each for type and length, so that a version may add types and append
/// fields to an item: a reader skips what it does not know.
struct Datagram: Equatable {
  static let version: UInt8 = 1
  /// So that with ESP, UDP and IP it fits any link's MTU, tunnels included.
  static let largest = 1200

  enum Body: Equatable {
    /// Are you there? With a digest of what the sender knows, when it says so.
    case ping(digest: UInt64?)
    /// Here I am: the answer to a ping.
    case ack
    /// Please ping this node for me.
    case pingRequest(MACAddress)
    /// I heard your request and pinged: what Lifeguard calls a nack, only at once.
    case pinging
    /// The node that you asked me to ping has answered.
    case indirectAck(MACAddress)
    /// Nothing but items.
    case gossip
    /// My digests are these; send me what you know where yours differ.
    case digests(DigestTable)
    /// Of these buckets (one bit each) the items name every node that the sender knows.
    case contents(buckets: UInt32)
  }

  var cluster: ClusterIdentifier
  var sender: MACAddress
  var number: UInt16
  var body: Body
  var items: [Item] = []
}

/// What datagrams and maps carry.
enum Item: Equatable {
  /// All about a node.
  case record(NodeRecord, NodeState, vitals: UInt8)
  /// A node's vitals, for nodes that have its record.
  case status(NodeStatus)
  /// What changes all the time, of several nodes.
  case vitals([Vitals])
  /// A node was removed or allowed again.
  case removal(Removal)
  /// Send me the records of these nodes.
  case want([MACAddress])
}

/// A node's state without its record.
struct NodeStatus: Equatable {
  var mac: MACAddress
  var state: NodeState
  var tag: UInt16
  var incarnation: UInt32
}

/// The part of a record that changes all the time.
struct Vitals: Equatable {
  var id: NodeID
  /// Of two that are less than 128 apart the later one is newer.
  var sequence: UInt8
  var load: UInt16
  var memoryFree: UInt32
}

/// The digests of the 32 buckets into which nodes fall by their MAC, and that of the list of removals.
struct DigestTable: Equatable {
  static let buckets = 32

  var nodes: [UInt32] = Array(repeating: 0, count: DigestTable.buckets)
  var removals: UInt32 = 0
}

extension Datagram {
  private enum Kind {
    static let ping: UInt8 = 1
    static let pingWithDigest: UInt8 = 2
    static let ack: UInt8 = 3
    static let pingRequest: UInt8 = 4
    static let pinging: UInt8 = 5
    static let indirectAck: UInt8 = 6
    static let gossip: UInt8 = 7
    static let digests: UInt8 = 8
    static let contents: UInt8 = 9
  }

  /// The bytes up to where items begin, which may be appended one by one.
  static func start(cluster: ClusterIdentifier, sender: MACAddress, number: UInt16, _ body: Body) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(128)
    out.append(version)
    switch body {
    case .ping(let digest): out.append(digest == nil ? Kind.ping : Kind.pingWithDigest)
    case .ack: out.append(Kind.ack)
    case .pingRequest: out.append(Kind.pingRequest)
    case .pinging: out.append(Kind.pinging)
    case .indirectAck: out.append(Kind.indirectAck)
    case .gossip: out.append(Kind.gossip)
    case .digests: out.append(Kind.digests)
    case .contents: out.append(Kind.contents)
    }
    out.append(networkOrder: cluster.bits)
    out.append(sender)
    out.append(networkOrder: number)
    switch body {
    case .ping(let digest):
      if let digest { out.append(networkOrder: digest) }
    case .ack, .pinging, .gossip: break
    case .pingRequest(let mac), .indirectAck(let mac): out.append(mac)
    case .digests(let table):
      for index in 0..<DigestTable.buckets {
        out.append(networkOrder: index < table.nodes.count ? table.nodes[index] : 0)
      }
      out.append(networkOrder: table.removals)
    case .contents(let buckets): out.append(networkOrder: buckets)
    }
    return out
  }

  var bytes: [UInt8] {
    var out = Datagram.start(cluster: cluster, sender: sender, number: number, body)
    for item in items { out.append(item) }
    return out
  }

  /// Reads a datagram of `cluster`.
  init(_ bytes: [UInt8], of cluster: ClusterIdentifier) throws(MembershipDecodeError) {
    guard bytes.count <= Datagram.largest else { throw .tooLong(bytes.count) }
    var reader = WireReader(bytes)
    let version = try reader.uint8()
    guard version == Datagram.version else { throw .version(version) }
    let kind = try reader.uint8()
    self.cluster = ClusterIdentifier(bits: try reader.uint64())
    guard self.cluster == cluster else { throw .foreign(self.cluster) }
    sender = try reader.mac()
    number = try reader.uint16()
    switch kind {
    case Kind.ping: body = .ping(digest: nil)
    case Kind.pingWithDigest: body = .ping(digest: try reader.uint64())
    case Kind.ack: body = .ack
    case Kind.pingRequest: body = .pingRequest(try reader.mac())
    case Kind.pinging: body = .pinging
    case Kind.indirectAck: body = .indirectAck(try reader.mac())
    case Kind.gossip: body = .gossip
    case Kind.digests:
      var table = DigestTable()
      for index in 0..<DigestTable.buckets { table.nodes[index] = try reader.uint32() }
      table.removals = try reader.uint32()
      body = .digests(table)
    case Kind.contents: body = .contents(buckets: try reader.uint32())
    default: throw .kind(kind)
    }
    items = []
    while !reader.isAtEnd {
      if let item = try Item(&reader) { items.append(item) }
    }
  }
}
