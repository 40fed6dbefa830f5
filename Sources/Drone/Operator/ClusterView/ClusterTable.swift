import NodeStatus
import Addresses
import DroneLayout

/// The cluster as one node sees it at one moment: what the views (showmap, mosmon, mtop) show.
///
/// The tyd that runs gives it as text, over its local socket: a line about the node itself, then one for every node, of
/// words with one space between them.
///
///     table 1 2 0x010b in 9f86…0a08 default
///     0x010b 192.168.1.11 alive 1 133 25 28 20 3600 2.0.0 oa
///     0x0115 192.168.1.21 suspect 2 450 0 60 41 90 2.0.0 -
///
/// `table`, the format's version, how many nodes follow, the node's own id, how it stands, the cluster's fingerprint (64
/// digits) and, to the line's end, its name. For a node: id, address or `-`, state, processors, speed, load in hundredths,
/// memory in MiB, of it free, uptime in seconds, version of its tyd, and marks: `o` this node itself, `a` it may approve
/// others, `-` neither.
public struct ClusterTable: Equatable, Sendable {
  /// The format that is written here and the only one that is read.
  public static let version: UInt64 = 1
  /// No table has more nodes, and none is longer in bytes.
  public static let largestCount = 4096
  public static let largestText = 1 << 20

  /// This node's id.
  public var own: UInt16
  public var standing: Standing
  /// SHA-256 of the cluster's authority, 32 bytes.
  public var fingerprint: [UInt8]
  /// Printable ASCII, at most 64 bytes; what is not is written as a question mark.
  public var name: [UInt8]
  /// In no order.
  public var nodes: [Node]

  public init(
    own: UInt16 = 0, standing: Standing = .alone, fingerprint: [UInt8] = [UInt8](repeating: 0, count: 32),
    name: [UInt8] = [], nodes: [Node] = []
  ) {
    self.own = own
    self.standing = standing
    self.fingerprint = fingerprint
    self.name = name
    self.nodes = nodes
  }

  public typealias Standing = NodeStatus.Standing
  public typealias State = NodeStatus.State

  public struct Node: Equatable, Sendable {
    public var id: UInt16
    /// Where the others reach it; `unspecified` when nobody remembers.
    public var address: IPv4Address
    public var state: State
    public var cpus: UInt16
    /// Of one processor: MHz, or what its tyd says in its own unit. 0 when it is not known.
    public var speed: UInt32
    /// Programs that want a processor, in hundredths, averaged over a minute.
    public var load: UInt32
    /// MiB: all, and what a program could get.
    public var memoryTotal: UInt32
    public var memoryFree: UInt32
    /// Seconds since it started.
    public var uptime: UInt32
    public var version: SoftwareVersion
    public var isOwn: Bool
    /// Whether it holds the authority's key and so may approve others.
    public var mayApprove: Bool

    public init(
      id: UInt16, address: IPv4Address, state: State = .alive, cpus: UInt16 = 0, speed: UInt32 = 0, load: UInt32 = 0,
      memoryTotal: UInt32 = 0, memoryFree: UInt32 = 0, uptime: UInt32 = 0,
      version: SoftwareVersion = SoftwareVersion(0, 0, 0),
      isOwn: Bool = false, mayApprove: Bool = false
    ) {
      self.id = id
      self.address = address
      self.state = state
      self.cpus = cpus
      self.speed = speed
      self.load = load
      self.memoryTotal = memoryTotal
      self.memoryFree = memoryFree
      self.uptime = uptime
      self.version = version
      self.isOwn = isOwn
      self.mayApprove = mayApprove
    }
  }

  /// The nodes that are members, in the order of their ids and, where two have one id for a moment, of their addresses.
  public var liveNodes: [Node] { sorted { $0.isLive } }

  /// All nodes whose state is wanted, in that order.
  public func sorted(_ isWanted: (State) -> Bool) -> [Node] {
    // By a number each: comparing whole records moves them about.
    let places = nodes.indices.filter { isWanted(nodes[$0].state) }
    let keys = places.map { UInt64(nodes[$0].id) << 48 | UInt64(nodes[$0].address.bits) << 16 | UInt64($0 & 0xFFFF) }
    return keys.sorted().map { nodes[Int($0 & 0xFFFF)] }
  }
}
