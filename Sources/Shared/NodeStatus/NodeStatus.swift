import Addresses

/// How a node stands and how it sees its cluster: what `tyd --status --json` prints, as one line of JSON.
///
/// tyd fills it in and writes it; whoever asks a node reads it back.
public struct NodeStatus: Equatable, Sendable {
  /// The node's own id.
  public var id: UInt16
  public var address: IPv4Address
  public var standing: Standing
  /// What a node that is not in yet waits for, as a sentence; empty when it waits for nothing.
  public var obstacle: [UInt8] = []
  /// SHA-256 of the cluster's authority.
  public var cluster: [UInt8] = []
  /// SHA-256 of the node's certificate.
  public var fingerprint: [UInt8] = []
  /// Whether the node holds the authority's key and so may approve others.
  public var mayApprove = false
  public var isEncrypted = true
  /// Every node that this one knows, itself among them, in no order.
  public var nodes: [Node] = []
  public var tunnels: [Tunnel] = []
  /// Connections and datagrams that were turned away, by reason.
  public var refused: [Counter] = []
  /// Nil for a node without IPsec.
  public var refusedPackets: RefusedPackets?
  /// How often this node saw another one die since it started.
  public var deaths: UInt32 = 0
  /// Where memory is short on this machine, as phrases. Nobody looks on a full Linux.
  public var shortages: [[UInt8]] = []
  /// Addresses that members had to which nothing goes in clear.
  public var kept: [KeptAddress] = []
  /// What this node's boot server did; nil for a node without one.
  public var boots: [Boot]?
  /// The DHCP server beside which it boots others; nil where it gives the addresses itself.
  public var besideServer: IPv4Address?

  public init(id: UInt16, address: IPv4Address, standing: Standing) {
    self.id = id
    self.address = address
    self.standing = standing
  }

  /// How the node itself stands to the cluster.
  public enum Standing: UInt8, CaseIterable, Sendable {
    /// In it, and no other node is.
    case alone
    case `in`
    /// Not in it yet: on its way, or it asked and waits for somebody's approval.
    case joining
    case pending

    public var word: StaticString {
      switch self {
      case .alone: "alone"
      case .in: "in"
      case .joining: "joining"
      case .pending: "pending"
      }
    }

    public var isIn: Bool { self == .alone || self == .in }
  }

  /// What is believed of a node.
  public enum State: UInt8, CaseIterable, Sendable {
    case alive
    /// It did not answer, and may still.
    case suspect
    case dead
    case left
    /// Thrown out by somebody.
    case removed

    public var word: StaticString {
      switch self {
      case .alive: "alive"
      case .suspect: "suspect"
      case .dead: "dead"
      case .left: "left"
      case .removed: "removed"
      }
    }

    /// Whether the node counts as a member.
    public var isLive: Bool { self == .alive || self == .suspect }
  }

  public struct Node: Equatable, Sendable {
    public var id: UInt16
    /// `unspecified` when nobody remembers it.
    public var address: IPv4Address
    public var state: State
    /// SHA-256 of its certificate.
    public var fingerprint: [UInt8]
    public var mayApprove: Bool

    public init(id: UInt16, address: IPv4Address, state: State, fingerprint: [UInt8] = [], mayApprove: Bool = false) {
      self.id = id
      self.address = address
      self.state = state
      self.fingerprint = fingerprint
      self.mayApprove = mayApprove
    }
  }

  /// A pair of IPsec's security associations with another node (RFC 4301 §4.1).
  public struct Tunnel: Equatable, Sendable {
    public var address: IPv4Address
    public var inboundSPI: UInt32
    /// 0 as long as the peer has not told its own.
    public var outboundSPI: UInt32
    /// How often its keys were replaced.
    public var rekeys: UInt64

    public init(address: IPv4Address, inboundSPI: UInt32, outboundSPI: UInt32, rekeys: UInt64) {
      self.address = address
      self.inboundSPI = inboundSPI
      self.outboundSPI = outboundSPI
      self.rekeys = rekeys
    }
  }

  public struct Counter: Equatable, Sendable {
    public var name: [UInt8]
    public var count: UInt64

    public init(name: [UInt8], count: UInt64) {
      self.name = name
      self.count = count
    }
  }

  /// ESP packets that the kernel's associations have refused.
  public struct RefusedPackets: Equatable, Sendable {
    /// Older than the replay window.
    public var late: UInt64
    /// Seen before.
    public var replayed: UInt64
    /// Not made with the key.
    public var unproven: UInt64

    public init(late: UInt64, replayed: UInt64, unproven: UInt64) {
      self.late = late
      self.replayed = replayed
      self.unproven = unproven
    }
  }

  /// An address of a member that is gone, or is said to be.
  public struct KeptAddress: Equatable, Sendable {
    public var address: IPv4Address
    /// How long it is still kept.
    public var seconds: UInt64

    public init(address: IPv4Address, seconds: UInt64) {
      self.address = address
      self.seconds = seconds
    }
  }

  /// One computer's boot from this node.
  public struct Boot: Equatable, Sendable {
    public var hardware: MACAddress
    public var address: IPv4Address
    /// The file that it asked for last.
    public var file: [UInt8]
    /// How much of that file it has.
    public var percent: UInt64
    /// How many root archives it got whole.
    public var completed: UInt64

    public init(hardware: MACAddress, address: IPv4Address, file: [UInt8], percent: UInt64, completed: UInt64) {
      self.hardware = hardware
      self.address = address
      self.file = file
      self.percent = percent
      self.completed = completed
    }
  }
}
