import ClusterView
import Terminal
import Testing

@Suite struct MonitorTests {
  private let standard = TerminalSize(columns: 80, rows: 24)

  private func picture(
    _ table: ClusterTable, _ keys: String = "", columns: Int = 80, rows: Int = 24
  ) -> [String] {
    let size = TerminalSize(columns: columns, rows: rows)
    var monitor = Monitor()
    for key in keys.utf8 { press(.character(key), &monitor, table, size) }
    return monitor.frame(table, size).lines.map { String(decoding: $0, as: UTF8.self) }
  }

  @discardableResult
  private func press(_ key: Key, _ monitor: inout Monitor, _ table: ClusterTable, _ size: TerminalSize)
    -> Monitor.Answer
  {
    let count = monitor.nodes(of: table).count
    return monitor.press(key, page: monitor.page(count: count, size: size), count: count)
  }

  @Test("a recorded cluster is shown as it was when somebody looked at it", arguments: RecordedPicture.all.indices)
  func recorded(_ index: Int) {
    let (name, count, keys, columns, rows, expected) = RecordedPicture.all[index]
    let table = count == 1 ? RecordedCluster.one : count == 2 ? RecordedCluster.two : RecordedCluster.numbered(count)
    #expect(picture(table, keys, columns: columns, rows: rows).joined(separator: "\n") == expected, "\(name)")
  }

  @Test("the ids of a thousand nodes are reached by scrolling, and what is shown is said")
  func scrolling() {
    let table = RecordedCluster.numbered(1000)
    var monitor = Monitor()
    let count = table.liveNodes.count
    #expect(monitor.page(count: count, size: standard) == 72)
    func last() -> String { String(decoding: monitor.frame(table, standard).lines[23], as: UTF8.self) }
    func ids() -> String {
      // The digits of the first node, from top to bottom.
      let lines = monitor.frame(table, standard).lines
      return String(decoding: (19...22).map { lines[$0][8] }, as: UTF8.self)
    }
    #expect(last().hasPrefix("load | nodes 1-72 of 857, 143 gone (d)") && ids() == "0101")
    press(.right, &monitor, table, standard)
    #expect(last().contains("nodes 2-73 of 857") && ids() == "0102")
    press(.pageDown, &monitor, table, standard)
    #expect(last().contains("nodes 74-145 of 857"))
    press(.end, &monitor, table, standard)
    #expect(last().contains("nodes 786-857 of 857"))
    press(.pageDown, &monitor, table, standard)
    press(.down, &monitor, table, standard)
    #expect(last().contains("nodes 786-857 of 857"))
    press(.pageUp, &monitor, table, standard)
    #expect(last().contains("nodes 714-785 of 857"))
    press(.home, &monitor, table, standard)
    press(.left, &monitor, table, standard)
    press(.up, &monitor, table, standard)
    press(.pageUp, &monitor, table, standard)
    #expect(last().contains("nodes 1-72 of 857"))
    press(.character(UInt8(ascii: "d")), &monitor, table, standard)
    #expect(last().contains("nodes 1-72 of 1000, 143 gone "))
    press(.character(UInt8(ascii: "w")), &monitor, table, standard)
    #expect(last().contains("nodes 1-10 of 1000, 143 gone "))
    // When most of the nodes go, the rest is shown.
    press(.end, &monitor, table, standard)
    let few = RecordedCluster.numbered(2)
    #expect(String(decoding: monitor.frame(few, standard).lines[23], as: UTF8.self).contains("2 nodes"))
  }

  @Test("ids stand as wide as there is room for all nodes, or as somebody wants them")
  func numbering() {
    func row(_ count: Int, _ keys: String = "") -> Int {
      picture(RecordedCluster.numbered(count), keys).firstIndex { $0.hasPrefix("Node #") } ?? 0
    }
    func line(_ count: Int, _ keys: String = "") -> String {
      picture(RecordedCluster.numbered(count), keys)[row(count, keys)]
    }
    #expect(line(7) == "Node #  0x0101 0x0102 0x0103 0x0105 0x0106 0x0107")
    #expect(line(14) == "Node #  0 0 0 0 0 0 0 0 0 0 0 0")
    #expect(line(80).hasPrefix("Node #  000000000"))
    #expect(line(14, "w").hasPrefix("Node #  0x0101 0x0102"))
    #expect(line(2, "v") == "Node #  0 0")
    #expect(line(2, "V") == "Node #  00")
    #expect(line(2, "Va") == "Node #  0x0101 0x0102")
  }

  @Test("h shows the keys, and any key but q goes on")
  func help() {
    let table = RecordedCluster.two
    var monitor = Monitor()
    #expect(press(.character(UInt8(ascii: "h")), &monitor, table, standard) == .show)
    #expect(monitor.frame(table, standard).lines[0].starts(with: [UInt8]("mosmon: one bar".utf8)))
    #expect(press(.character(UInt8(ascii: "m")), &monitor, table, standard) == .show)
    #expect(monitor == Monitor())
    #expect(press(.character(UInt8(ascii: "q")), &monitor, table, standard) == .quit)
    press(.character(UInt8(ascii: "h")), &monitor, table, standard)
    #expect(press(.character(UInt8(ascii: "q")), &monitor, table, standard) == .quit)
  }

  @Test("totals are those of the live nodes")
  func totals() {
    #expect(picture(RecordedCluster.two, "t")[22] == "2 nodes, 3 CPUs, load 0.25, memory 27 of 88 MiB")
    #expect(
      picture(RecordedCluster.numbered(7), "t")[22]
        == "6 nodes, 8 CPUs, load 4.86, memory 314 of 392 MiB, 1 gone")
    #expect(picture(ClusterTable(), "t")[22] == "0 nodes, 0 CPUs, load 0.00, memory 0 of 0 MiB")
  }

  @Test("a small terminal shows words, the smallest one what fits")
  func small() {
    #expect(
      picture(RecordedCluster.two, columns: 20, rows: 6) == [
        "2 nodes", "3 CPUs", "load 0.25", "memory 27 of 88 MiB", "(no room for bars)", "",
      ])
    #expect(picture(RecordedCluster.two, columns: 1, rows: 1) == ["2"])
  }

  @Test(
    "every picture fits its size, whatever is shown, for 0 to 1,000 nodes",
    arguments: [0, 1, 2, 7, 80, 1000])
  func sizes(_ count: Int) {
    var table = RecordedCluster.numbered(count)
    if !table.nodes.isEmpty {
      // What no node is, but what one may say.
      table.nodes[0].load = .max
      table.nodes[0].memoryTotal = .max
      table.nodes[0].memoryFree = 0
      table.nodes[0].speed = .max
      table.nodes[0].cpus = 0
    }
    for (columns, rows) in [(1, 1), (8, 3), (24, 8), (24, 14), (40, 10), (80, 24), (80, 25), (132, 50), (300, 100)] {
      for keys in ["", "m", "r", "s", "u", "dt", "mVd", "rvt", "sw", "h"] {
        let lines = picture(table, keys, columns: columns, rows: rows)
        #expect(lines.count == rows && lines.allSatisfy { $0.utf8.count <= columns })
      }
    }
  }
}
