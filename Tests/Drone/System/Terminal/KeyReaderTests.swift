import Terminal
import Testing

@Suite struct KeyReaderTests {
  private func keys(_ bytes: String, isOver: Bool = true) -> [Key] {
    var reader = KeyReader()
    var keys = bytes.utf8.compactMap { reader.take($0) }
    if isOver, let last = reader.timeOut() { keys.append(last) }
    return keys
  }

  static let table: [(bytes: String, keys: [Key])] = [
    ("q", [.character(0x71)]),
    ("aZ~", [.character(0x61), .character(0x5A), .character(0x7E)]),
    ("\r\n", [.enter, .enter]),
    ("\u{8}\u{7F}", [.backspace, .backspace]),
    ("\u{C}", [.redraw]),
    // A terminal sends CSI in its usual mode, SS3 in application mode (VT100 User Guide, table 3-6).
    ("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]),
    ("\u{1B}OA\u{1B}OB\u{1B}OC\u{1B}OD\u{1B}OH\u{1B}OF", [.up, .down, .right, .left, .home, .end]),
    // Linux console and VT220, xterm, rxvt.
    ("\u{1B}[1~\u{1B}[4~\u{1B}[5~\u{1B}[6~\u{1B}[3~", [.home, .end, .pageUp, .pageDown, .delete]),
    ("\u{1B}[H\u{1B}[F", [.home, .end]),
    ("\u{1B}[7~\u{1B}[8~", [.home, .end]),
    // With Shift or Ctrl (xterm): the same keys.
    ("\u{1B}[1;5C\u{1B}[6;2~", [.right, .pageDown]),
    ("\u{1B}", [.escape]),
    ("\u{1B}\u{1B}[A", [.escape, .up]),
    ("\u{1B}[24;80R", [.cursor(row: 24, column: 80)]),
    ("\u{1B}[9999999;80R", [.cursor(row: 9999, column: 80)]),
    // What means nothing: F1 on the Linux console, F5, Alt-x, an answer to nothing, a letter beyond ASCII.
    ("\u{1B}[[Aq", [.character(0x71)]),
    ("\u{1B}[15~q", [.character(0x71)]),
    ("\u{1B}xq", [.character(0x71)]),
    ("\u{1B}[?1;2cq", [.character(0x71)]),
    ("\u{1B}[0;0Rq", [.character(0x71)]),
    ("äq", [.character(0x71)]),
    // Broken off by another key.
    ("\u{1B}[1\u{1B}[Aq", [.up, .character(0x71)]),
    ("\u{1B}[1\rq", [.character(0x71)]),
  ]

  @Test("the bytes of a key, and of several, are read as those keys", arguments: table.indices)
  func read(_ index: Int) {
    let (bytes, expected) = Self.table[index]
    #expect(keys(bytes) == expected, "\(bytes.debugDescription)")
  }

  @Test("a sequence that does not end is given up")
  func endless() {
    let found = keys("\u{1B}[" + String(repeating: "1", count: 40) + "q")
    #expect(found.last == .character(0x71) && !found.contains(.escape))
  }

  @Test("a key that comes in pieces is one key, a lone ESC is one after a while")
  func pieces() {
    var reader = KeyReader()
    #expect(reader.take(0x1B) == nil && reader.isWaiting)
    #expect(reader.take(0x5B) == nil && reader.isWaiting)
    #expect(reader.take(0x41) == .up && !reader.isWaiting)
    #expect(reader.take(0x1B) == nil)
    #expect(reader.timeOut() == .escape && !reader.isWaiting)
    #expect(reader.take(0x1B) == nil && reader.take(0x5B) == nil)
    #expect(reader.timeOut() == nil && !reader.isWaiting)
  }
}
