import Addresses
import Bytes

/// What `showmap` prints, in the layout of openMosix:
///
///     My Node-Id: 0x010b
///
///     Base Node-Id Address          Count
///     ------------ ---------------- -----
///     0x010b       192.168.1.11     1
///     0x0115       192.168.1.21     2
///
/// There a line was an entry of the table that an operator had written: so many nodes from this id and this address on. Here
/// nobody writes it, so live nodes whose ids follow each other, and whose addresses do, stand in one line: the second above
/// is for 0x0115 at 192.168.1.21 and 0x0116 at 192.168.1.22.
public func nodeMapText(_ table: ClusterTable) -> [UInt8] {
  var out = [UInt8]("My Node-Id: ")
  appendID(table.own, to: &out)
  out += [UInt8]("\n\nBase Node-Id Address          Count\n------------ ---------------- -----\n")
  for range in NodeRange.ranges(of: table.liveNodes) {
    var line: [UInt8] = []
    appendID(range.id, to: &line)
    pad(&line, to: 13)
    line += range.address.text
    pad(&line, to: 30)
    appendDecimal(UInt64(range.count), to: &line)
    out += line
    out.append(newline)
  }
  return out
}

private func pad(_ line: inout [UInt8], to column: Int) {
  while line.count < column { line.append(space) }
}

/// Nodes whose ids and addresses follow each other.
struct NodeRange: Equatable {
  var id: UInt16
  var address: IPv4Address
  var count: UInt32

  /// The ranges of nodes that are in the order of their ids.
  static func ranges(of nodes: [ClusterTable.Node]) -> [NodeRange] {
    var ranges: [NodeRange] = []
    for node in nodes {
      if let last = ranges.last, UInt32(last.id) + last.count == UInt32(node.id),
        UInt64(last.address.bits) + UInt64(last.count) == UInt64(node.address.bits)
      {
        ranges[ranges.count - 1].count += 1
      } else {
        ranges.append(NodeRange(id: node.id, address: node.address, count: 1))
      }
    }
    return ranges
  }
}
