import Glibc

/// Standard input and output: a person's terminal, or a file or pipe that only gets lines.
///
/// Nothing here waits for a slow terminal: pending output is kept, up to a bound, while the army runs on.
final class UserTerminal {
  /// A person sits there.
  let isInteractive: Bool
  /// Standard output is gone.
  private(set) var isBroken = false
  private var outgoing: [UInt8] = []
  private var saved: termios?
  private static let limit = 256 << 10

  /// `plain`: only lines, whatever it is.
  init(plain: Bool) {
    let term = getenv("TERM").map { String(cString: $0) } ?? ""
    isInteractive = !plain && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && term != "dumb" && term != ""
  }

  deinit { restore() }

  /// Keys come as they are typed, unseen, and none is a signal. `whole`: nor is what is printed changed in any way.
  func takeKeys(whole: Bool) {
    guard isInteractive else { return }
    if saved == nil {
      var settings = termios()
      guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return }
      saved = settings
    }
    guard var settings = saved else { return }
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    if whole {
      settings.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR | IXON | ISTRIP)
      settings.c_oflag &= ~tcflag_t(OPOST)
    }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
  }

  func restore() {
    guard var saved else { return }
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved)
    self.saved = nil
  }

  /// Rows and columns; 24 by 80 for a terminal that does not know.
  var size: (rows: Int, columns: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 1, size.ws_col > 1 else { return (24, 80) }
    return (Int(size.ws_row), Int(size.ws_col))
  }

  var hasOutput: Bool { !outgoing.isEmpty && !isBroken }

  func write(_ bytes: [UInt8]) {
    guard outgoing.count + bytes.count <= Self.limit else { return }
    outgoing += bytes
  }

  func write(_ text: String) { write([UInt8](text.utf8)) }

  /// Writes some of what is kept; to be called when standard output can be written.
  func writeSome() {
    // What a writable terminal or pipe accepts without making the writer wait.
    let piece = outgoing.prefix(1024)
    let count = piece.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    if count > 0 {
      outgoing.removeFirst(count)
    } else if count < 0, errno != EINTR, errno != EAGAIN {
      isBroken = true
    }
  }

  /// Writes the pending output, for at most a second.
  func finish() {
    for _ in 0..<100 where hasOutput {
      var one = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
      if poll(&one, 1, 10) > 0 { while hasOutput, poll(&one, 1, 0) > 0 { writeSome() } }
    }
  }

  /// What has been typed; empty at the end of the input.
  func typed() -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = read(STDIN_FILENO, &buffer, buffer.count)
    return count > 0 ? [UInt8](buffer[..<count]) : []
  }
}

/// Whether something may be written between two pieces of a drone's output: not within a control sequence (ECMA-48) or a
/// character of several bytes (UTF-8).
struct OutputState {
  private enum State { case ground, escape, control, charset, text }
  private var state = State.ground
  private var continuation = 0

  var isBetween: Bool { state == .ground && continuation == 0 }

  mutating func pass(_ bytes: [UInt8]) {
    for byte in bytes {
      switch state {
      case .ground:
        switch byte {
        case 0x1B: (state, continuation) = (.escape, 0)
        case 0x80..<0xC0: continuation = max(0, continuation - 1)
        case 0xC0..<0xE0: continuation = 1
        case 0xE0..<0xF0: continuation = 2
        case 0xF0...0xFF: continuation = 3
        default: continuation = 0
        }
      case .escape:
        switch byte {
        case UInt8(ascii: "["): state = .control
        case UInt8(ascii: "]"), UInt8(ascii: "P"): state = .text
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "%"), UInt8(ascii: "#"): state = .charset
        default: state = .ground
        }
      case .control: if (0x40...0x7E).contains(byte) { state = .ground }
      case .charset: state = .ground
      case .text: if byte == 7 || byte == 0x1B { state = byte == 7 ? .ground : .escape }
      }
    }
  }
}
