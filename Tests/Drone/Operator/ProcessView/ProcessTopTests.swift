import Addresses
import Bytes
import Foundation
import Surveys
import Terminal
import Testing

@testable import ProcessView

/// What `mtop` shows, and what its keys do.
@Suite struct ProcessTopTests {
  private static func text(_ frame: Frame) -> String {
    frame.lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
  }

  @Test("keys rank, scroll, help and quit")
  func keys() {
    var top = ProcessTop()
    func press(_ letter: Unicode.Scalar) -> ProcessTop.Answer {
      top.press(.character(UInt8(ascii: letter)), page: 10, count: 25)
    }
    var answers: [ProcessTop.Answer] = []
    // What the nodes told by use of a processor is enough to have it node by node.
    for letter in "NPMT " as String { answers.append(press(letter.unicodeScalars.first ?? " ")) }
    #expect(answers == [.show, .show, .ask, .ask, .ask])
    #expect(top.ranking == .time)
    var firsts: [Int] = []
    for key in [Key.down, .down, .up, .pageDown, .pageDown, .pageDown, .up, .home, .up, .end] {
      _ = top.press(key, page: 10, count: 25)
      firsts.append(top.first)
    }
    #expect(firsts == [1, 2, 1, 11, 15, 15, 14, 0, 0, 15])
    _ = press("N")
    #expect(top.first == 0, "another order begins at its beginning")
    _ = press("h")
    #expect(top.showsHelp)
    _ = press("M")
    #expect(!top.showsHelp && top.ranking == .node, "any key ends the help, and does nothing else")
    let quit = press("q")
    #expect(quit == .quit)
    _ = top.press(.end, page: 10, count: 3)
    #expect(top.first == 0)
    _ = top.press(.end, page: 0, count: 3)
    #expect(top.first == 2)
  }

  @Test("rows stand in the order that was chosen")
  func rows() {
    let report = sampleReport(nodes: 6)
    func first(_ ranking: ProcessTop.Ranking) -> [String] {
      ProcessTop(ranking).rows(report).prefix(3).map {
        String($0.node, radix: 16) + " " + String(decoding: $0.process.name, as: UTF8.self)
      }
    }
    #expect(first(.cpu) == ["10b loop", "110 loop", "110 tyd"])
    #expect(first(.memory) == ["10b tyd", "10c tyd", "10d tyd"])
    #expect(first(.time) == ["10b loop", "110 loop", "110 tyd"])
    #expect(first(.node) == ["10b loop", "10b tyd", "10b init"])
  }

  @Test("numbers as they stand")
  func numbers() {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    #expect(
      [0, 9999, 10_000, 1_023_999, 1_024_000, UInt32.max].map { text(memoryText($0)) } == [
        "0", "9999", "9m", "999m", "0.9g", "4095g",
      ])
    #expect(
      [0, 5999, 6000, 16_384, 599_999, 600_000, 35_999_999, 36_000_000, UInt32.max].map { text(timeText($0)) } == [
        "0:00.00", "0:59.99", "1:00.00", "2:43.84", "99:59.99", "100:00", "5999:59", "100h", "11930h",
      ])
  }

  @Test("before the first answers it says what it waits for; the help fits a screen")
  func waiting() {
    let frame = ProcessTop().frame(nil, TerminalSize(columns: 80, rows: 25))
    #expect(Self.text(frame).hasPrefix("mtop: asking"))
    var top = ProcessTop()
    top.showsHelp = true
    let help = Self.text(top.frame(sampleReport(nodes: 1), TerminalSize(columns: 80, rows: 25)))
    #expect(help.contains("node by node") && help.contains("q  quit"))
    let keys = ProcessTop.keys.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
    #expect(keys.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test("any size has its frame", arguments: [(1, 1), (80, 1), (80, 4), (80, 5), (20, 25), (200, 60), (1000, 1000)])
  func sizes(_ columns: Int, _ rows: Int) {
    for nodes in [0, 1, 30] {
      let size = TerminalSize(columns: columns, rows: rows)
      var top = ProcessTop(.node)
      top.first = 1_000_000
      #expect(top.frame(sampleReport(nodes: nodes), size).size == size)
    }
  }

  @Test("what a process calls itself cannot make the terminal do anything")
  func names() throws {
    var answer = ProcessAnswer(
      number: 1, total: 1, running: 1, processors: 1, memoryTotal: 0, memoryAvailable: 9,
      processes: [process(7, "\u{1B}[2J\"\\", cpu: .max, time: .max, resident: .max)])
    answer.processes[0].state = 0x07
    answer.processes[0].virtual = .max
    let report = SurveyReport([
      .init(id: 1, address: IPv4Address(10, 0, 0, 1), load: .max, processors: .max, outcome: .answered(answer))
    ])
    let text = Self.text(ProcessTop().page(report, columns: 100, lines: 5))
    #expect(!text.utf8.contains { $0 < 0x20 && $0 != 0x0A })
    #expect(text.contains("?[2J\"\\"))
    let json = try JSONSerialization.jsonObject(with: Data(ProcessTop().json(report))) as? [String: Any]
    let processes = try #require(json?["processes"] as? [[String: Any]])
    #expect(processes[0]["command"] as? String == "?[2J\"\\" && processes[0]["state"] as? String == "?")
  }

  @Test(
    "of a process that belongs to a job a wide screen and JSON say to which, and a narrow one has room for the command")
  func jobs() throws {
    var answer = sampleAnswer(0)
    answer.processes[0].job = JobName(home: 0x010B, process: 2314)
    let report = SurveyReport([
      .init(id: 1, address: IPv4Address(10, 0, 0, 1), load: 0, processors: 1, outcome: .answered(answer))
    ])
    let wide = Self.text(ProcessTop().page(report, columns: 95, lines: 5)).split(separator: "\n")
    #expect(wide.contains { $0.hasSuffix("TIME+ JOB            COMMAND") })
    #expect(
      wide.contains { $0.hasSuffix(" 0x010b.2314    loop") } && wide.contains { $0.hasSuffix("                tyd") })
    #expect(!Self.text(ProcessTop().page(report, columns: 94, lines: 5)).contains("0x010b.2314"))
    let json = try JSONSerialization.jsonObject(with: Data(ProcessTop().json(report))) as? [String: Any]
    let processes = try #require(json?["processes"] as? [[String: Any]])
    #expect(processes[0]["job"] as? String == "0x010b.2314" && processes[1]["job"] is NSNull)
  }

  @Test("JSON has every node and every process")
  func json() throws {
    let bytes = ProcessTop().json(sampleReport(nodes: 7, silent: [3], notAsked: [6]))
    #expect(bytes.last == UInt8(ascii: "\n") && bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    let nodes = try #require(json["nodes"] as? [[String: Any]])
    #expect(nodes.map { $0["answer"] as? String } == ["came", "came", "came", "none", "came", "came", "not asked"])
    #expect(nodes[0]["id"] as? String == "0x010b" && nodes[0]["load"] as? Double == 1.04)
    let processes = try #require(json["processes"] as? [[String: Any]])
    #expect(processes.count == 17)
    #expect(processes[0]["command"] as? String == "loop" && processes[0]["cpu"] as? Double == 99)
    #expect(processes[0]["time"] as? Double == 163.84)
  }

  // MARK: Arguments

  private static func command(_ line: String) throws -> TopCommand {
    try TopCommand(line.split(separator: " ").map { [UInt8]($0.utf8) })
  }

  @Test("arguments are read in any order")
  func arguments() throws {
    #expect(try Self.command("") == TopCommand())
    #expect(try Self.command("--once").count == 1)
    #expect(try Self.command("--once --count 3").count == 3)
    #expect(try Self.command("--count=3 --once").count == 3)
    #expect(try Self.command("--json").count == 1)
    let all = try Self.command("--delay 60 --sort node --lines=7 --json --count 2")
    #expect(all.delay == 60 && all.ranking == .node && all.lines == 7 && all.isJSON && all.count == 2)
    #expect(try Self.command("-h").isHelp)
  }

  @Test(
    "what cannot be carried out is refused by a sentence",
    arguments: ["once", "--lines", "--lines 0", "--lines 901", "--delay x", "--sort", "--sort pid", "--once=1", "-x"])
  func refused(_ line: String) {
    do throws(TopCommandError) {
      _ = try TopCommand(line.split(separator: " ").map { [UInt8]($0.utf8) })
      Issue.record("\(line) was taken")
    } catch {
      #expect(error.sentence.last == UInt8(ascii: ".") && error.sentence.count > 15)
    }
  }

  @Test("the help names every option and fits a screen's width")
  func help() {
    let text = TopCommand.help.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
    for option in ["--once", "--json", "--count", "--lines", "--delay", "--sort", "-h"] {
      #expect(text.contains(option), "\(option)")
    }
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }
}
