import Terminal
import Testing

private func ascii(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

@Suite struct ScreenWriterTests {
  private let size = TerminalSize(columns: 10, rows: 3)
  private let colours = TerminalAbilities(term: ascii("linux"))
  private let plain = TerminalAbilities(term: ascii("vt100"))

  private func frame(_ rows: [(text: String, style: Style)]) -> Frame {
    var frame = Frame(size)
    for (row, line) in rows.enumerated() { frame.put(ascii(line.text), row: row, column: 0, line.style) }
    return frame
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test("the first frame is written whole, with its styles, onto a cleared screen")
  func first() {
    var writer = ScreenWriter(colours)
    let frame = frame([("one", .plain), ("two", Style(.red, bold: true)), ("three", .reverse)])
    #expect(
      text(writer.update(frame))
        == "\u{1B}[0m\u{1B}[H\u{1B}[2J" + "\u{1B}[1Hone" + "\u{1B}[2H\u{1B}[0;1;31mtwo" + "\u{1B}[3H\u{1B}[0;7mthree"
        + "\u{1B}[0m")
  }

  @Test("without colours the rest of a style is shown")
  func monochrome() {
    var writer = ScreenWriter(plain)
    let bytes = writer.update(frame([("a", Style(.red)), ("b", Style(.green, bold: true))]))
    #expect(text(bytes) == "\u{1B}[0m\u{1B}[H\u{1B}[2J\u{1B}[1Ha\u{1B}[2H\u{1B}[0;1mb\u{1B}[0m")
  }

  @Test("then only what changed is sent, and nothing when nothing did")
  func changes() {
    var writer = ScreenWriter(plain)
    _ = writer.update(frame([("load 0.25", .plain), ("abcdefgh", .plain)]))
    #expect(writer.update(frame([("load 0.25", .plain), ("abcdefgh", .plain)])) == [])
    #expect(text(writer.update(frame([("load 0.26", .plain), ("abcdefgh", .plain)]))) == "\u{1B}[1;9H6")
    // What stands between two changes is written again where that is shorter.
    #expect(text(writer.update(frame([("lOad 0.36", .plain), ("abcdefgh", .plain)]))) == "\u{1B}[1;2HO\u{1B}[1;8H3")
    #expect(text(writer.update(frame([("LOaD 0.36", .plain), ("abcdefgh", .plain)]))) == "\u{1B}[1HLOaD")
    // A shorter line is cut off, a line that is gone is cleared.
    #expect(text(writer.update(frame([("LOaD", .plain)]))) == "\u{1B}[1;5H\u{1B}[K\u{1B}[2H\u{1B}[K")
  }

  @Test("after another size, or when somebody else wrote on the screen, everything is written again")
  func again() {
    var writer = ScreenWriter(plain)
    _ = writer.update(frame([("a", .plain)]))
    #expect(text(writer.update(Frame(TerminalSize(columns: 5, rows: 2)))) == "\u{1B}[0m\u{1B}[H\u{1B}[2J")
    _ = writer.update(frame([("a", .plain)]))
    writer.forget()
    #expect(text(writer.update(frame([("a", .plain)]))) == "\u{1B}[0m\u{1B}[H\u{1B}[2J\u{1B}[1Ha")
  }

  @Test("nothing is written into the last place of the last row, where some terminals scroll")
  func lastPlace() {
    var writer = ScreenWriter(plain)
    let full = frame([("0123456789", .plain), ("0123456789", .plain), ("0123456789", .plain)])
    #expect(
      text(writer.update(full))
        == "\u{1B}[0m\u{1B}[H\u{1B}[2J\u{1B}[1H0123456789\u{1B}[2H0123456789\u{1B}[3H012345678")
  }

  @Test("a second screen is used where there is one, and the cursor comes back in any case")
  func beginningAndEnd() {
    let xterm = ScreenWriter(TerminalAbilities(term: ascii("xterm-256color")))
    #expect(text(xterm.beginning) == "\u{1B}[?1049h\u{1B}[?25l")
    #expect(text(xterm.end(size)) == "\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l")
    let console = ScreenWriter(colours)
    #expect(text(console.beginning) == "\u{1B}[?25l")
    #expect(text(console.end(size)) == "\u{1B}[0m\u{1B}[3H\u{1B}[K\u{1B}[?25h")
  }
}

@Suite struct FrameTests {
  @Test("what does not fit is cut off, and what a terminal would act on becomes a question mark")
  func put() {
    var frame = Frame(TerminalSize(columns: 5, rows: 2))
    frame.put(ascii("abcdefgh"), row: 0, column: 3)
    frame.put(ascii("xyz"), row: 1, column: -2)
    frame.put(ascii("\u{1B}[2Jä"), row: 1, column: 1)
    for (row, column) in [(-1, 0), (2, 0), (0, 5), (0, .max), (0, .min), (.max, 0)] {
      frame.put(ascii("no"), row: row, column: column)
    }
    #expect(frame.lines == [ascii("   ab"), ascii("z?[2J")])
  }

  @Test("a printed frame is its lines, with styles only where the terminal has them")
  func printed() {
    var frame = Frame(TerminalSize(columns: 8, rows: 2))
    frame.put(ascii("ab"), row: 0, column: 1, Style(.green))
    frame.put(ascii("cd"), row: 0, column: 3)
    #expect(frame.printed(TerminalAbilities()) == ascii(" abcd\n\n"))
    #expect(frame.printed(TerminalAbilities(term: ascii("linux"))) == ascii(" \u{1B}[0;32mab\u{1B}[0mcd\n\n"))
    #expect(frame.printed(TerminalAbilities(term: ascii("vt102"))) == ascii(" abcd\n\n"))
  }

  @Test(
    "a terminal's name says what it can do",
    arguments: [
      (nil, false, false, false), ("", false, false, false), ("dumb", false, false, false),
      ("unknown", false, false, false), ("vt100", true, false, false), ("vt102", true, false, false),
      ("vt220", true, false, false), ("linux", true, true, false), ("linux-m", true, false, false),
      ("linux-16color", true, true, false), ("ansi", true, true, false), ("xterm", true, true, true),
      ("xterm-256color", true, true, true), ("xterm-mono", true, false, true), ("screen", true, true, true),
      ("screen.xterm-new", true, true, true), ("tmux-256color", true, true, true),
      ("rxvt-unicode", true, true, true), ("wyse50", true, false, false),
    ] as [(String?, Bool, Bool, Bool)])
  func names(_ term: String?, _ moves: Bool, _ hasColour: Bool, _ hasAlternate: Bool) {
    let abilities = TerminalAbilities(term: term.map { ascii($0) })
    #expect(abilities.movesCursor == moves, "\(term ?? "")")
    #expect(abilities.hasColour == hasColour, "\(term ?? "")")
    #expect(abilities.hasAlternateScreen == hasAlternate, "\(term ?? "")")
    #expect(!TerminalAbilities(term: term.map { ascii($0) }, isColourUnwanted: true).hasColour)
  }
}
