import Addresses
import Bytes
import ClusterView
import DroneLayout

/// States of clusters as a tyd would give them, the same every time.
enum RecordedCluster {
  static let version = SoftwareVersion(2, 0, 0)

  /// One node, as after `tyd`.
  static let one = ClusterTable(
    own: 0x010B, standing: .alone, fingerprint: [UInt8](0..<32), name: [UInt8]("default".utf8),
    nodes: [
      ClusterTable.Node(
        id: 0x010B, address: IPv4Address(192, 168, 1, 11), cpus: 1, speed: 133, load: 25, memoryTotal: 28,
        memoryFree: 20, uptime: 3600, version: version, isOwn: true, mayApprove: true)
    ])

  /// Two nodes, the other of which did not answer a moment ago.
  static let two: ClusterTable = {
    var table = one
    table.standing = .in
    table.nodes.append(
      ClusterTable.Node(
        id: 0x0115, address: IPv4Address(192, 168, 1, 21), state: .suspect, cpus: 2, speed: 450, load: 0,
        memoryTotal: 60, memoryFree: 41, uptime: 90, version: version))
    return table
  }()
}

extension RecordedCluster {
  /// So many nodes from 0x0101 on, with every seventh dead and another suspect, of different sizes and loads.
  static func numbered(_ count: Int) -> ClusterTable {
    var table = one
    table.own = 0x0101
    table.standing = count == 1 ? .alone : .in
    table.nodes = (0..<count).map { index in
      var node = ClusterTable.Node(
        id: UInt16(0x0101 + index), address: IPv4Address(bits: 0xC0A8_0100 + UInt32(index + 1)),
        cpus: UInt16(1 + index % 2), speed: UInt32(100 + 37 * (index % 9)), load: UInt32(index * index * 13 % 290),
        memoryTotal: UInt32(28 << (index % 4)), memoryFree: UInt32(10 + index % 17), uptime: 100, version: version,
        isOwn: index == 0)
      if index % 7 == 3 { node.state = .dead }
      if index % 7 == 5 { node.state = .suspect }
      return node
    }
    return table
  }
}
