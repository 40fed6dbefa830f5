import Addresses
import Bytes
import Foundation
import Linux
import MachineReadings
import Membership
import ProcessView
import Surveys
import Synchronization
import SystemPackage
import Terminal
import Testing
import Workshop

/// Stands in for the tyd that runs on a node: answers every order with the same report, and keeps what it was asked.
final class StandInNode: Sendable {
  let orders = Mutex<[String]>([])
  private let isOver = Mutex(false)

  /// Answers at `folder`/socket until `stop`.
  init(in folder: FilePath, _ report: SurveyReport) throws {
    let answer = [UInt8(ascii: "0")] + report.bytes(of: ClusterIdentifier(bits: 1))
    let path = Path([UInt8](folder.appending("socket").string.utf8))
    let listener = Listener(try listenLocal(path))
    Thread.detachNewThread { [self] in
      while !isOver.withLock({ $0 }) {
        guard waitReadable([listener.socket.number], milliseconds: 100).first == true,
          let caller = try? acceptStream(listener.socket),
          waitReadable([caller.number], milliseconds: 1000).first == true,
          let line = try? caller.receiveSome(upTo: 512)
        else { continue }
        orders.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        try? caller.write(answer)
      }
    }
  }

  func stop() { isOver.withLock { $0 = true } }

  private final class Listener: @unchecked Sendable {
    let socket: Descriptor
    init(_ socket: consuming Descriptor) { self.socket = socket }
  }
}

/// `mtop` in a terminal, with keys.
@Suite struct MtopInTerminalTests {
  private static let report = SurveyReport(
    (0..<9).map { index in
      let processes = (0..<5).map { number in
        ListedProcess(
          process: UInt32(100 + number), user: number == 4 ? 1000 : 0, state: UInt8(ascii: "S"), priority: 20, nice: 0,
          cpu: UInt32(index * 7 + number), time: UInt32(9000 - index * 500 + number),
          virtual: 4096, resident: UInt32(300 + index * 10 + (number * 3) % 5), shared: 100,
          name: [UInt8]("program\(number)".utf8))
      }
      let answer = ProcessAnswer(
        number: 1, total: 30, running: 1, processors: 1, memoryTotal: 29_696, memoryAvailable: 20_480,
        processes: processes)
      return SurveyReport.Node(
        id: UInt16(0x010B + index), address: IPv4Address(192, 168, 1, UInt8(11 + index)), load: 10, processors: 1,
        outcome: index == 4 ? .silent : .answered(answer))
    })

  /// What the program must show after these keys.
  private static func picture(_ keys: [Key], columns: Int = 80, rows: Int = 24) -> [String] {
    let size = TerminalSize(columns: columns, rows: rows)
    var top = ProcessTop()
    for key in keys { _ = top.press(key, page: ProcessTop.page(size), count: top.rows(report).count) }
    return top.frame(report, size).lines.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("keys sort, scroll and help; what another order needs is asked for; q gives the terminal back as it was")
  func keys() async throws {
    try await TerminalMultiplexer.with { terminal in
      try FileManager.default.createSymbolicLink(
        atPath: terminal.folder.appending("mtop").string, withDestinationPath: TydProgram.path.string)
      let node = try StandInNode(in: terminal.folder, Self.report)
      defer { node.stop() }
      func shows(_ keys: [Key], columns: Int = 80, rows: Int = 24) async throws {
        let expected = Self.picture(keys, columns: columns, rows: rows)
        try await terminal.waits(for: "after \(keys):\n\(expected.joined(separator: "\n"))") {
          Array($0.prefix(rows)) == expected
        }
      }
      try await terminal.type("stty -a >before; echo here")
      try await terminal.waits(for: "here") { $0.contains("here") }
      try await terminal.type("TYD_RUN=. ./mtop --delay 3600")
      try await shows([])
      var pressed: [Key] = []
      for (name, key) in [
        ("Down", Key.down), ("PageDown", .pageDown), ("Up", .up), ("End", .end), ("Home", .home),
        ("N", .character(UInt8(ascii: "N"))), ("h", .character(UInt8(ascii: "h"))),
        ("x", .character(UInt8(ascii: "x"))),
        ("M", .character(UInt8(ascii: "M"))), ("T", .character(UInt8(ascii: "T"))),
        ("P", .character(UInt8(ascii: "P"))),
      ] {
        try await terminal.press(name)
        pressed.append(key)
        try await shows(pressed)
      }
      #expect(
        node.orders.withLock { $0 } == ["processes 0 40\n", "processes 1 40\n", "processes 2 40\n", "processes 0 40\n"])
      try await terminal.resize(columns: 60, rows: 12)
      try await shows(pressed, columns: 60, rows: 12)
      try await terminal.resize(columns: 80, rows: 24)
      // tmux takes a moment to tell the terminal its size.
      try await shows(pressed)
      try await terminal.press("q")
      try await terminal.waits(for: "the first screen") { $0.contains("here") && !$0.joined().contains("COMMAND") }
      try await terminal.type("stty -a >after; cmp before after && echo the same")
      try await terminal.waits(for: "the terminal's old settings") { $0.contains("the same") }
    }
  }

  @Test("a terminal that knows no size is asked for it", arguments: ["rows 0 cols 0", "rows 1 cols 1"])
  func sizes(_ size: String) async throws {
    try await TerminalMultiplexer.with { terminal in
      try FileManager.default.createSymbolicLink(
        atPath: terminal.folder.appending("mtop").string, withDestinationPath: TydProgram.path.string)
      let node = try StandInNode(in: terminal.folder, Self.report)
      defer { node.stop() }
      try await terminal.type("stty \(size); TYD_RUN=. ./mtop --delay 3600; echo left $?")
      let expected = Self.picture([])
      try await terminal.waits(for: "the picture, or the second screen with nothing on it") {
        size == "rows 1 cols 1" ? !$0.joined().contains("mtop") : Array($0.prefix(23)) == Array(expected.prefix(23))
      }
      try await terminal.press("q")
      try await terminal.waits(for: "the shell") { $0.contains("left 0") }
    }
  }

  @Test(
    "--once prints the picture alone, --json one line, --count so many; outside a cluster it says how to get into one")
  func once() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending("mtop").string, withDestinationPath: TydProgram.path.string)
      func run(_ line: String) async throws -> String {
        String(
          decoding: try await Command(
            "sh", ["-c", line],
            environment: [
              "TYD_RUN": folder.string, "COLUMNS": nil, "LINES": nil,
              "LD_LIBRARY_PATH": TydProgram.libraries,
            ],
            workingDirectory: folder.string
          ).output(), as: UTF8.self)
      }
      #expect(
        try await run("./mtop --once 2>&1; echo $?")
          == "mtop: not in a cluster: `tyd` starts one, `tyd -m ADDRESS` joins one\n1\n")
      #expect(try await run("./mtop --lines 0 2>&1; echo $?") == "mtop: --lines needs a number from 1 to 900.\n2\n")
      let node = try StandInNode(in: folder, Self.report)
      defer { node.stop() }
      let page = ProcessTop(.memory).page(Self.report, columns: 80, lines: 7).lines
      let expected = page.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
      #expect(try await run("./mtop --once --lines 7 --sort memory") == expected)
      #expect(try await run("./mtop --count 2 --delay 1 --lines 7 --sort memory") == expected + "\n" + expected)
      #expect(try await run("./mtop --json") == String(decoding: ProcessTop().json(Self.report), as: UTF8.self))
      #expect(try await run("./mtop 2>&1 </dev/null; echo $?").hasSuffix("mtop --once prints one round.\n1\n"))
    }
  }
}
