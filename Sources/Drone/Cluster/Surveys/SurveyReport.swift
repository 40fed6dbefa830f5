import Addresses
import Bytes
import Membership

/// The result of a survey, as tyd sends it to `mtop` over the local socket.
public struct SurveyReport: Equatable, Sendable {
  public enum Outcome: Equatable, Sendable {
    case answered(ProcessAnswer)
    /// Asked, and silent until the end.
    case silent
    /// Its turn did not come.
    case notAsked
  }

  public struct Node: Equatable, Sendable {
    public var id: NodeID
    public var address: IPv4Address
    /// What gossip says: runnable processes in hundredths, processors.
    public var load: UInt16
    public var processors: UInt16
    public var outcome: Outcome

    public init(id: NodeID, address: IPv4Address, load: UInt16, processors: UInt16, outcome: Outcome) {
      self.id = id
      self.address = address
      self.load = load
      self.processors = processors
      self.outcome = outcome
    }
  }

  /// In the order of ids.
  public var nodes: [Node]

  public init(_ nodes: [Node]) { self.nodes = nodes.sorted { ($0.id, $0.address) < ($1.id, $1.address) } }

  private static let version: UInt8 = 1
  /// More nodes than a cluster remembers are in no report.
  static let mostNodes = 2048

  /// Version, cluster 8 bytes, then for each node: id, address, load, processors in 2, 4, 2 and 2 bytes, the outcome in 1 (0 answered,
  /// 1 silent, 2 not asked), and after an answer its datagram with 2 bytes for its length before it.
  public func bytes(of cluster: ClusterIdentifier) -> [UInt8] {
    var out = [SurveyReport.version]
    out.append(networkOrder: cluster.bits)
    for node in nodes {
      out.append(networkOrder: node.id)
      out.append(node.address)
      out.append(networkOrder: node.load)
      out.append(networkOrder: node.processors)
      switch node.outcome {
      case .answered(let answer):
        out.append(0)
        // Whose it is stands before it already; no node has the broadcast address.
        let datagram = ProcessMessage(cluster: cluster, sender: .broadcast, .answer(answer)).bytes
        out.append(networkOrder: UInt16(clamping: datagram.count))
        out += datagram
      case .silent: out.append(1)
      case .notAsked: out.append(2)
      }
    }
    return out
  }

  /// Reads a report. Throws for anything else.
  public init(_ bytes: [UInt8]) throws(MembershipDecodeError) {
    var reader = WireReader(bytes)
    let version = try reader.uint8()
    guard version == SurveyReport.version else { throw .version(version) }
    let cluster = ClusterIdentifier(bits: try reader.uint64())
    nodes = []
    while !reader.isAtEnd {
      guard nodes.count < SurveyReport.mostNodes else { throw .tooLong(bytes.count) }
      let id = try reader.uint16()
      let address = try reader.ipv4Address()
      let load = try reader.uint16()
      let processors = try reader.uint16()
      let place = reader.offset
      let outcome: Outcome
      switch try reader.uint8() {
      case 0:
        let count = Int(try reader.uint16())
        let message = try ProcessMessage([UInt8](try reader.bytes(count)), of: cluster)
        guard case .answer(let answer) = message.body else { throw .value(offset: place) }
        outcome = .answered(answer)
      case 1: outcome = .silent
      case 2: outcome = .notAsked
      default: throw .value(offset: place)
      }
      nodes.append(Node(id: id, address: address, load: load, processors: processors, outcome: outcome))
    }
  }
}
