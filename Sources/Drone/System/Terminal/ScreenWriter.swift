import Bytes

/// Brings frame after frame onto a terminal, and sends only what changed: a serial line of 9600 baud moves 960 bytes a
/// second, half a screen.
public struct ScreenWriter: Sendable {
  public let abilities: TerminalAbilities
  /// What the terminal shows; nil when nobody knows.
  private var shown: Frame?

  public init(_ abilities: TerminalAbilities) { self.abilities = abilities }

  /// What to send first.
  public var beginning: [UInt8] {
    // The second screen (DEC private mode 1049), no cursor (25).
    (abilities.hasAlternateScreen ? [UInt8]("\u{1B}[?1049h") : []) + [UInt8]("\u{1B}[?25l")
  }

  /// What to send last: the cursor, the first screen, or the last one's lower end for the shell to go on.
  public func end(_ size: TerminalSize) -> [UInt8] {
    var out = [UInt8]("\u{1B}[0m")
    if !abilities.hasAlternateScreen {
      appendMove(row: size.rows - 1, column: 0, &out)
      out += [UInt8]("\u{1B}[K")
    }
    out += [UInt8]("\u{1B}[?25h")
    if abilities.hasAlternateScreen { out += [UInt8]("\u{1B}[?1049l") }
    return out
  }

  /// Forgets what the terminal shows: it was cleared, changed its size, or belonged to somebody else for a while.
  public mutating func forget() { shown = nil }

  /// What makes the terminal show this frame.
  public mutating func update(_ frame: Frame) -> [UInt8] {
    var out: [UInt8] = []
    let old: Frame
    if let shown, shown.size == frame.size {
      old = shown
    } else {
      out += [UInt8]("\u{1B}[0m\u{1B}[H\u{1B}[2J")
      old = Frame(frame.size)
    }
    var pen = Pen(hasColour: abilities.hasColour)
    for row in 0..<frame.size.rows { write(row, of: frame, over: old, &pen, &out) }
    appendChange(from: pen.style, to: .plain, hasColour: abilities.hasColour, &out)
    shown = frame
    return out
  }

  /// Where the terminal writes next, if that is known, and how.
  private struct Pen {
    var row = -1
    var column = -1
    var style = Style.plain
    let hasColour: Bool

    init(hasColour: Bool) { self.hasColour = hasColour }
  }

  private func write(_ row: Int, of frame: Frame, over old: Frame, _ pen: inout Pen, _ out: inout [UInt8]) {
    let columns = frame.size.columns
    let length = frame.length(ofRow: row)
    let oldLength = old.length(ofRow: row)
    // A character in the last place would scroll some terminals.
    let room = row == frame.size.rows - 1 ? columns - 1 : columns
    var column = 0
    while column < min(length, room) {
      let cell = frame.cell(row: row, column: column)
      guard cell != old.cell(row: row, column: column) else {
        column += 1
        continue
      }
      reach(row, column, frame, &pen, &out)
      // A space has no colour.
      if cell.byte != UInt8(ascii: " ") || cell.style.isReverse || pen.style.isReverse {
        appendChange(from: pen.style, to: cell.style, hasColour: pen.hasColour, &out)
        pen.style = cell.style
      }
      out.append(cell.byte)
      column += 1
      // After the last column terminals differ in where the cursor is.
      (pen.row, pen.column) = column < columns ? (row, column) : (-1, -1)
    }
    guard oldLength > length else { return }
    reach(row, length, frame, &pen, &out)
    appendChange(from: pen.style, to: .plain, hasColour: pen.hasColour, &out)
    pen.style = .plain
    out += [UInt8]("\u{1B}[K")
  }

  /// Moves the pen. A few characters that are there already are written again rather than jumped over.
  private func reach(_ row: Int, _ column: Int, _ frame: Frame, _ pen: inout Pen, _ out: inout [UInt8]) {
    if pen.row == row, pen.column >= 0, pen.column <= column, column - pen.column < 5 {
      let between = pen.column..<column
      if between.allSatisfy({ frame.cell(row: row, column: $0).style == pen.style }) {
        for place in between { out.append(frame.cell(row: row, column: place).byte) }
        return
      }
    }
    appendMove(row: row, column: column, &out)
  }

  /// CUP, ECMA-48 §8.3.21.
  private func appendMove(row: Int, column: Int, _ out: inout [UInt8]) {
    out += [UInt8]("\u{1B}[")
    appendDecimal(UInt64(clamping: row + 1), to: &out)
    if column > 0 {
      out.append(UInt8(ascii: ";"))
      appendDecimal(UInt64(clamping: column + 1), to: &out)
    }
    out.append(UInt8(ascii: "H"))
  }
}
