import Surveys
import Terminal
import Testing

@testable import ProcessView

/// `mtop`'s screens, of clusters of 1 to 1,000 nodes.
@Suite struct TopFrameTests {
  static let cases: [(name: String, top: ProcessTop, report: SurveyReport, rows: Int)] = [
    ("one node", ProcessTop(), sampleReport(nodes: 1), 10),
    ("two nodes, by memory", ProcessTop(.memory), sampleReport(nodes: 2), 12),
    (
      "seven nodes, node by node, two missing", ProcessTop(.node), sampleReport(nodes: 7, silent: [2], notAsked: [6]),
      16
    ),
    ("eighty nodes, by time", ProcessTop(.time), sampleReport(nodes: 80, silent: Set(40..<60)), 14),
    ("a thousand nodes, further down", scrolled(100), sampleReport(nodes: 1000, notAsked: Set(700..<1000)), 14),
  ]

  private static func scrolled(_ first: Int) -> ProcessTop {
    var top = ProcessTop()
    top.first = first
    return top
  }

  @Test("a screen as it stands", arguments: cases.indices)
  func screen(_ index: Int) throws {
    let (name, top, report, rows) = Self.cases[index]
    let frame = top.frame(report, TerminalSize(columns: 80, rows: rows))
    let text = frame.lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    #expect(text == RecordedScreens.all[name], "\(text)")
  }

  @Test("the text for a file has no last row, and as many processes as were asked for")
  func text() {
    let frame = ProcessTop().page(sampleReport(nodes: 7), columns: 80, lines: 3)
    #expect(frame.size.rows == 7)
    let lines = frame.lines.map { String(decoding: $0, as: UTF8.self) }
    #expect(lines[0] == "mtop  7 nodes, 10 CPUs, load 2.18")
    #expect(lines.last?.hasSuffix("tyd") == true)
    #expect(ProcessTop().page(sampleReport(nodes: 1), columns: 80, lines: 100).size.rows == 8)
  }
}
