import Bytes

/// How a character looks. A terminal without colours shows the rest.
public struct Style: Hashable, Sendable {
  public var colour: Colour
  public var isBold: Bool
  public var isReverse: Bool

  public init(_ colour: Colour = .usual, bold: Bool = false, reverse: Bool = false) {
    self.colour = colour
    isBold = bold
    isReverse = reverse
  }

  public static let plain = Style()
  public static let bold = Style(bold: true)
  public static let reverse = Style(reverse: true)

  /// The foreground colours of ECMA-48, by their numbers; `usual` is the terminal's own.
  public enum Colour: UInt8, Sendable {
    case red = 31
    case green = 32
    case yellow = 33
    case blue = 34
    case magenta = 35
    case cyan = 36
    case usual = 39
  }
}

/// What a screen shows: rows of characters, each with its style. Printable ASCII only; whatever else is written becomes a
/// question mark, so no text can make a terminal do anything.
public struct Frame: Equatable, Sendable {
  public let size: TerminalSize
  private var characters: [UInt8]
  private var styles: [Style]

  /// An empty screen.
  public init(_ size: TerminalSize) {
    self.size = size
    characters = [UInt8](repeating: UInt8(ascii: " "), count: size.columns * size.rows)
    styles = [Style](repeating: .plain, count: size.columns * size.rows)
  }

  /// Writes a text into the frame. Rows and columns count from 0; what lies outside is cut off.
  public mutating func put(_ text: [UInt8], row: Int, column: Int, _ style: Style = .plain) {
    guard row >= 0, row < size.rows, column < size.columns, column >= -text.count else { return }
    for index in text.indices {
      let at = column + index
      if at >= size.columns { break }
      if at < 0 { continue }
      let byte = text[index]
      characters[row * size.columns + at] = printable(byte)
      styles[row * size.columns + at] = style
    }
  }

  public mutating func put(_ text: StaticString, row: Int, column: Int, _ style: Style = .plain) {
    put([UInt8](text), row: row, column: column, style)
  }

  /// Puts one character into each of a row's places.
  public mutating func fill(_ byte: UInt8, row: Int, columns: Range<Int>, _ style: Style = .plain) {
    let within = columns.clamped(to: 0..<size.columns)
    put([UInt8](repeating: byte, count: within.count), row: row, column: within.lowerBound, style)
  }

  /// The character and the style in a place; a space outside.
  public func cell(row: Int, column: Int) -> (byte: UInt8, style: Style) {
    guard row >= 0, row < size.rows, column >= 0, column < size.columns else { return (UInt8(ascii: " "), .plain) }
    let place = row * size.columns + column
    return (characters[place], styles[place])
  }

  /// The rows as text, without the spaces at their ends.
  public var lines: [[UInt8]] {
    (0..<size.rows).map { row in
      var line = characters[row * size.columns..<(row + 1) * size.columns]
      while line.last == UInt8(ascii: " ") { line.removeLast() }
      return [UInt8](line)
    }
  }

  /// How many of a row's characters come before nothing but plain spaces.
  func length(ofRow row: Int) -> Int {
    var length = size.columns
    while length > 0 {
      let place = row * size.columns + length - 1
      guard characters[place] == UInt8(ascii: " "), !styles[place].isReverse else { break }
      length -= 1
    }
    return length
  }

  /// Everything as it is printed where no cursor can be moved: a line for each row, with styles if the terminal has them.
  public func printed(_ abilities: TerminalAbilities) -> [UInt8] {
    var out: [UInt8] = []
    guard abilities.movesCursor else {
      for line in lines {
        out += line
        out.append(UInt8(ascii: "\n"))
      }
      return out
    }
    for row in 0..<size.rows {
      var style = Style.plain
      for column in 0..<length(ofRow: row) {
        let cell = cell(row: row, column: column)
        appendChange(from: style, to: cell.style, hasColour: abilities.hasColour, &out)
        style = cell.style
        out.append(cell.byte)
      }
      appendChange(from: style, to: .plain, hasColour: abilities.hasColour, &out)
      out.append(UInt8(ascii: "\n"))
    }
    return out
  }
}

/// Appends what makes a terminal write in another style (SGR, ECMA-48 §8.3.117).
func appendChange(from old: Style, to style: Style, hasColour: Bool, _ out: inout [UInt8]) {
  let oldColour = hasColour ? old.colour : .usual
  let colour = hasColour ? style.colour : .usual
  guard old.isBold != style.isBold || old.isReverse != style.isReverse || oldColour != colour else { return }
  // A VT100 cannot take back a single one of them.
  out += [UInt8]("\u{1B}[0")
  if style.isBold { out += [UInt8](";1") }
  if style.isReverse { out += [UInt8](";7") }
  if colour != .usual {
    out.append(UInt8(ascii: ";"))
    appendDecimal(UInt64(colour.rawValue), to: &out)
  }
  out.append(UInt8(ascii: "m"))
}
