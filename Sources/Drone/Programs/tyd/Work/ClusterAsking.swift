import Addresses
import Bytes
import ClusterView
import Jobs
import Linux
import MachineReadings
import NodeStatus
import TydCommand

/// The live nodes as the tyd that runs here knows them; nil where it is in no cluster.
func liveNodes() -> [ClusterTable.Node]? {
  guard case .table(let table) = fetchTable() else { return nil }
  return table.nodes.filter { $0.state.isLive || $0.isOwn }
}

extension Destination {
  /// How many jobs have a processor of their own there; 2 where nobody says.
  var processors: Int {
    let nodes: [ClusterTable.Node]?
    switch self {
    case .here: return max(1, Int(readMachine().processors))
    case .cluster(.id(let id), _): nodes = liveNodes()?.filter { $0.id == id }
    case .cluster(.address(let address), _): nodes = liveNodes()?.filter { $0.address == address }
    case .cluster: nodes = liveNodes()
    }
    let count = nodes?.reduce(0) { $0 + Int($1.cpus) } ?? 0
    return count > 0 ? count : 2
  }
}

/// Follows which nodes are lost, without ever waiting for tyd. A tyd that is started again and knows nobody
/// yet says nothing of it.
final class DeathWatch {
  private var inquiry: Inquiry?
  /// When to look again, while somebody wants to know.
  private(set) var nextAt: UInt64 = 0
  private var nodes = LostNodes()
  var lost: Set<UInt32> { nodes.all }

  /// How often it looks, in milliseconds.
  private static let pace: UInt64 = 500

  /// True when there is news.
  func step(_ now: UInt64) -> Bool {
    nextAt = now &+ 20
    if let inquiry {
      guard let outcome = inquiry.outcome(within: 0) else { return false }
      self.inquiry = nil
      nextAt = now &+ DeathWatch.pace
      guard case .done(let text) = outcome, let table = try? ClusterTable(text: text) else { return false }
      var seen: Set<UInt32> = []
      for node in table.nodes where !node.state.isLive { seen.insert(node.address.bits) }
      for node in table.nodes where node.state.isLive { seen.remove(node.address.bits) }
      nodes.observe(dead: seen, at: now)
      return true
    }
    inquiry = Inquiry(.table)
    return false
  }
}
