import Addresses
import Bytes
import ClusterView
import DroneLayout
import Testing

@Suite struct ClusterTableTests {
  static let text = """
    table 1 2 0x010b in 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f default
    0x010b 192.168.1.11 alive 1 133 25 28 20 3600 2.0.0 oa
    0x0115 192.168.1.21 suspect 2 450 0 60 41 90 2.0.0 -

    """

  @Test("a table is written as a line about the node and a line for every node")
  func written() {
    #expect(String(decoding: RecordedCluster.two.text, as: UTF8.self) == Self.text)
  }

  @Test("what was written is read as it was, whatever the states and marks")
  func readAgain() throws {
    var table = RecordedCluster.two
    for (index, state) in ClusterTable.State.allCases.enumerated() {
      table.nodes.append(
        ClusterTable.Node(
          id: UInt16(index), address: index == 0 ? .unspecified : IPv4Address(10, 0, 0, UInt8(index)), state: state,
          cpus: .max, speed: .max, load: .max, memoryTotal: .max, memoryFree: .max, uptime: .max,
          version: SoftwareVersion(.max, .max, .max), isOwn: index % 2 == 0, mayApprove: index % 3 == 0))
    }
    for standing in ClusterTable.Standing.allCases {
      table.standing = standing
      #expect(try ClusterTable(text: table.text) == table)
    }
    table.name = [UInt8]("our own cluster".utf8)
    #expect(try ClusterTable(text: table.text) == table)
    #expect(try ClusterTable(text: ClusterTable().text) == ClusterTable())
  }

  @Test("a name that a terminal would act on is written as question marks")
  func name() throws {
    var table = RecordedCluster.one
    table.name = [UInt8]("a\u{1B}[2Jb\n".utf8)
    #expect(try ClusterTable(text: table.text).name == [UInt8]("a?[2Jb?".utf8))
  }

  static let refused: [(change: (from: String, to: String), error: ClusterTableError)] = [
    ((text, ""), .noTable),
    (("table 1 2", "tables 1 2"), .noTable),
    (("table 1", "table 2"), .version(2)),
    (("table 1 2", "table 1 3"), .cut(found: 2, of: 3)),
    (("table 1 2", "table 1 1"), .rest),
    (("table 1 2", "table 1 4097"), .tooMany(4097)),
    (("0x010b in", "0x10b in"), .noTable),
    ((" in ", " out "), .noTable),
    (("1e1f default", "1e default"), .noTable),
    (("default", String(repeating: "x", count: 65)), .noTable),
    (("2.0.0 -\n", "2.0.0 -"), .cut(found: 1, of: 2)),
    (("192.168.1.21", "192.168.1"), .line(3)),
    ((" suspect", "  suspect"), .line(3)),
    (("suspect", "well"), .line(3)),
    ((" 60 41", " 60 4294967296"), .line(3)),
    (("2.0.0 oa", "2.0 oa"), .line(2)),
    (("2.0.0 oa", "2.0.0 ao"), .line(2)),
    (("2.0.0 oa", "2.0.0 oa more"), .line(2)),
    (("2.0.0 oa", "2.0.0 o-"), .line(2)),
    (("2.0.0 oa", "2.0.0"), .line(2)),
  ]

  @Test("what is no table is refused with what and where", arguments: refused.indices)
  func refusal(_ index: Int) {
    let (change, error) = Self.refused[index]
    let text = Self.text.replacing(change.from, with: change.to)
    #expect(text != Self.text)
    #expect(throws: error) { try ClusterTable(text: [UInt8](text.utf8)) }
    #expect(error.text.count > 20 && error.text.last != UInt8(ascii: "."))
  }

  @Test("nodes are shown in the order of their ids, those with one id in that of their addresses")
  func order() {
    var table = RecordedCluster.two
    table.nodes.append(ClusterTable.Node(id: 0x0115, address: IPv4Address(10, 0, 0, 1)))
    table.nodes.append(ClusterTable.Node(id: 1, address: IPv4Address(10, 0, 0, 2), state: .dead))
    table.nodes.append(ClusterTable.Node(id: 2, address: IPv4Address(10, 0, 0, 2)))
    #expect(table.liveNodes.map(\.id) == [2, 0x010B, 0x0115, 0x0115])
    #expect(table.liveNodes[2].address == IPv4Address(10, 0, 0, 1))
    #expect(table.sorted { $0 == .dead }.map(\.id) == [1])
  }
}
