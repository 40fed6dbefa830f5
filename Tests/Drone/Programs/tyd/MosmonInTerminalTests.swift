import Addresses
import Bytes
import ClusterView
import Foundation
import SystemPackage
import Terminal
import Testing
import Workshop

/// The program in a terminal, with keys and sizes.
@Suite struct MosmonInTerminalTests {
  private static func table(_ count: Int) -> ClusterTable {
    var table = ClusterTable(own: 0x0101, standing: .in, name: [UInt8]("default".utf8))
    for index in 0..<count {
      var node = ClusterTable.Node(
        id: UInt16(0x0101 + index), address: IPv4Address(bits: 0xC0A8_0101 + UInt32(index)), cpus: 1, speed: 133)
      node.state = index % 7 == 3 ? .dead : .alive
      node.load = UInt32(index % 4) * 25
      node.memoryTotal = 28
      node.memoryFree = 20
      node.isOwn = index == 0
      table.nodes.append(node)
    }
    return table
  }

  /// What the program must show after these keys.
  private static func picture(_ table: ClusterTable, _ keys: [Key] = [], columns: Int = 80, rows: Int = 24) -> [String]
  {
    let size = TerminalSize(columns: columns, rows: rows)
    var monitor = Monitor()
    for key in keys {
      let count = monitor.nodes(of: table).count
      _ = monitor.press(key, page: monitor.page(count: count, size: size), count: count)
    }
    return monitor.frame(table, size).lines.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func links(in folder: FilePath) throws {
    for name in ["mosmon", "showmap"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(name).string, withDestinationPath: TydProgram.path.string)
    }
  }

  private static func character(_ letter: Character) -> Key { .character(letter.asciiValue ?? 0) }

  @Test("keys and sizes change the picture, the table is followed, and q gives the terminal back as it was")
  func keys() async throws {
    try await TerminalMultiplexer.with { terminal in
      try Self.links(in: terminal.folder)
      let file = terminal.folder.appending("table")
      let table = Self.table(100)
      try await write(table.text, to: file)
      func shows(_ keys: [Key], columns: Int = 80, rows: Int = 24) async throws {
        let expected = Self.picture(table, keys, columns: columns, rows: rows)
        try await terminal.waits(for: "after \(keys):\n\(expected.joined(separator: "\n"))") { screen in
          // Nothing is written into the last place of the last row.
          screen.prefix(rows - 1) == expected.prefix(rows - 1)
            && screen[rows - 1] == String(expected[rows - 1].prefix(columns - 1))
        }
      }
      try await terminal.type("stty -a >before; echo here")
      try await terminal.waits(for: "here") { $0.contains("here") }
      try await terminal.type("./mosmon --from table")
      try await shows([])
      var pressed: [Key] = []
      for (name, key) in [
        ("m", Self.character("m")), ("d", Self.character("d")), ("t", Self.character("t")), ("PageDown", .pageDown),
        ("Left", .left), ("Right", .right), ("End", .end), ("Up", .up), ("w", Self.character("w")), ("Home", .home),
        ("r", Self.character("r")), ("s", Self.character("s")), ("u", Self.character("u")), ("V", Self.character("V")),
        ("h", Self.character("h")), ("Enter", .enter), ("l", Self.character("l")),
      ] {
        try await terminal.press(name)
        pressed.append(key)
        try await shows(pressed)
      }
      try await terminal.resize(columns: 120, rows: 40)
      try await shows(pressed, columns: 120, rows: 40)
      try await terminal.resize(columns: 30, rows: 10)
      try await terminal.press("w")
      try await shows(pressed + [Self.character("w")], columns: 30, rows: 10)
      try await terminal.resize(columns: 80, rows: 24)

      try await write(Self.table(2).text, to: file)
      try await terminal.waits(for: "two nodes") { $0.contains { $0.hasPrefix("load | 2 nodes") } }
      try await write([UInt8]("no table\n".utf8), to: file)
      try await terminal.waits(for: "why the picture is old") { $0[0].hasPrefix("this is not a cluster table") }

      try await terminal.press("q")
      try await terminal.waits(for: "the first screen") { $0.contains("here") && !$0.joined().contains("Node #") }
      try await terminal.type("stty -a >after; cmp before after && echo the same")
      try await terminal.waits(for: "the terminal's old settings") { $0.contains("the same") }
    }
  }

  @Test(
    "however it ends or stops, the terminal is given back",
    arguments: ["C-c", "kill -TERM", "kill -HUP", "C-z", "kill -STOP"])
  func ends(_ how: String) async throws {
    try await TerminalMultiplexer.with { terminal in
      try Self.links(in: terminal.folder)
      try await write(Self.table(3).text, to: terminal.folder.appending("table"))
      try await terminal.type("set -m; stty -a >before; ./mosmon --from table")
      try await terminal.waits(for: "the picture") { $0.joined().contains("Node #") }
      let isKept = how == "kill -STOP"
      if how.hasPrefix("kill") {
        let find =
          "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = \"$1\" ] && "
          + "[ \"$(cat $p/comm)\" = mosmon ] && \(how) ${p#/proc/}; done; true"
        _ = try await Command("sh", ["-c", find, "sh", terminal.folder.string]).output()
      } else {
        try await terminal.press(how)
      }
      if !isKept {
        try await terminal.waits(for: "the first screen") { !$0.joined().contains("Node #") }
        try await terminal.type("stty -a >after; cmp before after && echo the same")
        try await terminal.waits(for: "the terminal's old settings") { $0.contains("the same") }
      }
      if how == "C-z" || isKept {
        // Nobody gave the terminal back: the shell goes on beside the picture.
        if isKept { try await terminal.waits(for: "the shell") { $0.joined().contains("Stopped") } }
        try await terminal.type("fg")
        try await terminal.waits(for: "the picture again") {
          $0.joined().contains("Node #") && !$0.joined().contains("Stopped")
        }
        try await terminal.press("m")
        try await terminal.waits(for: "memory") { $0.joined().contains("memory in use") }
        try await terminal.press("q")
        try await terminal.waits(for: "the first screen") { !$0.joined().contains("Node #") }
        try await terminal.type("stty -a >after; cmp before after && echo at last the same")
        try await terminal.waits(for: "the terminal's old settings") { $0.contains("at last the same") }
      }
    }
  }

  @Test(
    "a terminal that knows no size is asked for it; of one row and column, or more than there is, as much is shown",
    arguments: ["rows 0 cols 0", "rows 1 cols 1", "rows 1000 cols 400"])
  func sizes(_ size: String) async throws {
    try await TerminalMultiplexer.with { terminal in
      try Self.links(in: terminal.folder)
      let table = Self.table(3)
      try await write(table.text, to: terminal.folder.appending("table"))
      try await terminal.type("stty \(size); ./mosmon --from table; echo left $?")
      switch size {
      case "rows 0 cols 0":
        let expected = Self.picture(table)
        try await terminal.waits(for: "24 rows of 80 columns") { $0.prefix(23) == expected.prefix(23) }
      case "rows 1 cols 1":
        // Nothing is written into the last place of the last row.
        try await terminal.waits(for: "the second screen") { !$0.joined().contains("mosmon") }
      default:
        try await terminal.waits(for: "the picture's beginning") { $0.joined().first == Self.picture(table)[0].first }
      }
      try await terminal.press("q")
      try await terminal.waits(for: "the shell") { $0.contains("left 0") }
    }
  }

  @Test("where no cursor can be moved mosmon says what to do instead, and --once prints the picture alone")
  func once() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      try Self.links(in: folder)
      let table = Self.table(7)
      try await write(table.text, to: folder.appending("table"))
      func run(_ command: String) async throws -> String {
        String(
          decoding: try await Command(
            "sh", ["-c", command],
            environment: [
              "TYD_RUN": folder.string, "TERM": "linux", "LD_LIBRARY_PATH": TydProgram.libraries,
            ],
            workingDirectory: folder.string
          ).output(), as: UTF8.self)
      }
      let picture = Self.picture(table, [Self.character("m"), Self.character("d")], columns: 60, rows: 12)
      #expect(
        try await run("./mosmon --once --from table --keys md --columns 60 --rows 12")
          == picture.map { $0 + "\n" }.joined())
      #expect(try await run("./mosmon --from table 2>&1; echo $?").contains("--once prints one picture\n1\n"))
      // On a terminal, by what is no name of one.
      for name in ["env -u TERM", "TERM=", "TERM=dumb", "TERM=unknown"] {
        let said = try await run("script -qec '\(name) ./mosmon --from table' /dev/null </dev/null; echo $?")
        #expect(
          said.contains("(see TERM); mosmon --once prints one picture")
            && said.unicodeScalars.suffix(3).elementsEqual("\n1\n".unicodeScalars), "\(name): \(said)")
        let once = try await run("script -qec '\(name) ./mosmon --once --columns 60 --rows 12 --from table' /dev/null")
        #expect(!once.contains("\u{1B}") && once.contains("Node #"), "\(name): \(once)")
      }
      #expect(
        try await run("./showmap 2>&1; echo $?")
          == "showmap: not in a cluster: `tyd` starts one, `tyd -m ADDRESS` joins one\n1\n")
      #expect(
        try await run("./mosmon --once 2>&1; echo $?")
          == "mosmon: not in a cluster: `tyd` starts one, `tyd -m ADDRESS` joins one\n1\n")
      #expect(try await run("./showmap -x 2>&1; echo $?").hasSuffix("see showmap --help.\n2\n"))
    }
  }
}
