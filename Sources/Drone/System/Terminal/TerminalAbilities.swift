import Bytes

/// What a terminal can do, by its name. There is no terminfo on a drone: everything that can move its cursor
/// understands the sequences of a VT100 (ECMA-48), which is all that is sent.
public struct TerminalAbilities: Equatable, Sendable {
  /// Whether the cursor can be sent anywhere. Without that there are no full screens.
  public var movesCursor = false
  public var hasColour = false
  /// Whether it has a second screen, so that what was there before comes back afterwards.
  public var hasAlternateScreen = false

  /// A terminal that can do nothing: a file, a pipe, a teletype.
  public init() {}

  /// - Parameters:
  ///   - term: the environment's TERM; nil when it is not set.
  ///   - isColourUnwanted: NO_COLOR is set and not empty (no-color.org).
  public init(term: [UInt8]?, isColourUnwanted: Bool = false) {
    guard let term, !term.isEmpty, !term.spells("dumb"), !term.spells("unknown") else { return }
    movesCursor = true
    // `xterm-256color`, `screen.xterm-new`, `linux-m`: the family, then how it differs.
    let family = term.prefix { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") }
    let isMonochrome = term.ends(with: "-m") || term.ends(with: "-mono")
    switch Family(family) {
    case .linux, .ansi: hasColour = true
    case .window:
      hasColour = true
      hasAlternateScreen = true
    case .other: break
    }
    if isMonochrome || isColourUnwanted { hasColour = false }
  }

  private enum Family {
    /// The kernel's own console, and PC screens like it: colours, one screen.
    case linux
    case ansi
    /// Whatever draws itself in a window, or is a window in another terminal.
    case window
    /// A VT100, VT102, VT220, or what nobody knows here.
    case other

    init(_ name: some Sequence<UInt8>) {
      if name.spells("linux") {
        self = .linux
      } else if name.spells("ansi") || name.spells("cygwin") || name.spells("pcansi") {
        self = .ansi
      } else if name.spells("xterm") || name.spells("screen") || name.spells("tmux") || name.spells("rxvt")
        || name.spells("putty") || name.spells("alacritty") || name.spells("konsole") || name.spells("gnome")
        || name.spells("vte") || name.spells("foot") || name.spells("st") || name.spells("kitty")
      {
        self = .window
      } else {
        self = .other
      }
    }
  }
}

extension [UInt8] {
  fileprivate func ends(with literal: StaticString) -> Bool { suffix(literal.utf8CodeUnitCount).spells(literal) }
}

/// How many characters a terminal shows.
public struct TerminalSize: Equatable, Sendable {
  public var columns: Int
  public var rows: Int

  /// Each is taken as 1 to 1000.
  public init(columns: Int, rows: Int) {
    self.columns = min(max(columns, 1), 1000)
    self.rows = min(max(rows, 1), 1000)
  }

  /// What a terminal has that does not say.
  public static let usual = TerminalSize(columns: 80, rows: 24)
}
