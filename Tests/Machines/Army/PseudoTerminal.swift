import Glibc
import Linux
import ProcessControl
import Workshop

/// A terminal without a screen, and the program that runs on it: a person's place at the keyboard.
final class PseudoTerminal {
  private let near: Descriptor
  let process: Int32
  private(set) var isEnded = false
  /// Everything that was printed.
  private(set) var printed: [UInt8] = []
  private var position = 0

  /// Starts a program on a terminal of 24 rows and 80 columns.
  init(_ command: [String], environment: [String: String], directory: String) throws {
    var (unlocked, number): (Int32, Int32) = (0, -1)
    // pts(4), ioctl_tty(2): the other end's name is a number, and it is locked at first.
    let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    guard let near = try? Descriptor("/dev/ptmx", .nonBlocking), ioctl(near.number, setLock, &unlocked) == 0,
      ioctl(near.number, getNumber, &number) == 0
    else { throw BuildError.notStarted(command: "A pseudo-terminal", reason: String(cString: strerror(errno))) }
    var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(near.number, UInt(TIOCSWINSZ), &size)
    var program = Program(
      Path([UInt8](command[0].utf8)), arguments: command.map { [UInt8]($0.utf8) },
      environment: environment.map { [UInt8]("\($0.key)=\($0.value)".utf8) })
    program.terminal = Path([UInt8]("/dev/pts/\(number)".utf8))
    program.directory = Path([UInt8](directory.utf8))
    do throws(SystemError) { process = try program.start() } catch {
      throw BuildError.notStarted(command: command[0], reason: String(decoding: error.text, as: UTF8.self))
    }
    self.near = near
  }

  deinit { if !isEnded { sendSignal(.kill, to: process) } }

  func type(_ keys: String) { try? near.write([UInt8](keys.utf8)) }

  /// Takes in what is printed for a moment.
  func look(milliseconds: Int = 200) {
    guard waitReadable([near.number], milliseconds: milliseconds)[0] else { return }
    // At the end of its last program a terminal gives an error instead of its end.
    while let piece = try? near.read(upTo: 65536), !piece.isEmpty { printed += piece }
  }

  /// Waits until a text is printed after the one that was found last.
  func expect(_ text: String, within bound: Duration) throws {
    let wanted = [UInt8](text.utf8)
    let deadline = ContinuousClock.now + bound
    while true {
      look()
      let rest = printed[position...]
      if let start = rest.indices.first(where: { rest[$0...].starts(with: wanted) }) {
        position = start + wanted.count
        return
      }
      guard ContinuousClock.now < deadline else {
        throw BuildError.input("\"\(text)\" was not printed within \(bound). What was: \(tail)")
      }
    }
  }

  /// Waits until a drone's console has shown a text since then, even if the line below it was drawn anew in its middle.
  func expectOnConsole(_ text: String, within bound: Duration) throws {
    let deadline = ContinuousClock.now + bound
    while true {
      look()
      if console(printed[position...]).contains([UInt8](text.utf8)) { return }
      guard ContinuousClock.now < deadline else {
        throw BuildError.input("\"\(text)\" was not shown within \(bound). What was: \(tail)")
      }
    }
  }

  /// What is left without the parts for which the cursor was elsewhere: from DECSC (ESC 7) to DECRC (ESC 8).
  private func console(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var left: [UInt8] = []
    var isElsewhere = false
    var rest = bytes
    while let byte = rest.popFirst() {
      if byte == 0x1B, let next = rest.first, next == UInt8(ascii: "7") || next == UInt8(ascii: "8") {
        isElsewhere = next == UInt8(ascii: "7")
        rest.removeFirst()
      } else if !isElsewhere {
        left.append(byte)
      }
    }
    return left
  }

  /// Waits until the program has ended, and gives how; what it still prints is taken in.
  func end(within bound: Duration) throws -> Ending {
    let deadline = ContinuousClock.now + bound
    while true {
      look()
      if let (_, ending) = collectChild(process) {
        isEnded = true
        look(milliseconds: 0)
        return ending
      }
      guard ContinuousClock.now < deadline else { throw BuildError.input("It did not end within \(bound): \(tail)") }
    }
  }

  /// Whether the terminal is as it was: lines are put together, and what is typed is seen.
  var isRestored: Bool {
    var settings = termios()
    guard tcgetattr(near.number, &settings) == 0 else { return false }
    let cooked = tcflag_t(ICANON | ECHO | ISIG)
    return settings.c_lflag & cooked == cooked && settings.c_oflag & tcflag_t(OPOST) != 0
  }

  var tail: String { String(decoding: printed.suffix(2000), as: UTF8.self) }
}
