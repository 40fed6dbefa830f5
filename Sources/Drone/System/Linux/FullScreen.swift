import Bytes
import CLinux
import ProcessControl
import Terminal

/// Whether standard input or output, or any other descriptor, is a terminal.
public func isTerminal(_ descriptor: Int32) -> Bool { linux_is_terminal(descriptor) != 0 }

/// What the terminal at standard output can do, by TERM and NO_COLOR; nothing if there is none.
public func standardTerminalAbilities() -> TerminalAbilities {
  guard isTerminal(1) else { return TerminalAbilities() }
  return TerminalAbilities(
    term: environmentVariable("TERM"), isColourUnwanted: environmentVariable("NO_COLOR")?.isEmpty == false)
}

/// The size of the terminal at standard output as the kernel knows it, else as COLUMNS and LINES say; nil if nobody does,
/// as on a serial line.
public func standardTerminalSize() -> TerminalSize? {
  var columns: Int32 = 0
  var rows: Int32 = 0
  if linux_terminal_size(1, &columns, &rows) == 0, columns > 0, rows > 0 {
    return TerminalSize(columns: Int(columns), rows: Int(rows))
  }
  guard let wide = environmentVariable("COLUMNS").flatMap({ decimal($0) }),
    let high = environmentVariable("LINES").flatMap({ decimal($0) }), wide > 0, high > 0
  else { return nil }
  return TerminalSize(columns: Int(clamping: wide), rows: Int(clamping: high))
}

/// The terminal at standard input and output, for a program that fills the screen and reads single keys. However the program
/// ends, by itself or by a signal, the terminal is left as it was.
///
///     var screen = try FullScreen.open(standardTerminalAbilities())
///     var next = millisecondsSinceStart()
///     while true {
///       switch screen.wait(until: next) {
///       case .key(.character(UInt8(ascii: "q"))), .end: return screen.close()
///       case .key, .redraw, .time: screen.show(frame(screen.size))
///       }
///     }
public struct FullScreen: ~Copyable {
  public enum Event: Equatable, Sendable {
    case key(Key)
    /// The size is another one, or the terminal was somebody else's for a while: show the frame again.
    case redraw
    /// The time has come.
    case time
    /// Somebody wants the program to end, or the terminal is gone: `close()`, then end.
    case end
  }

  /// How much is shown.
  public private(set) var size: TerminalSize

  private var writer: ScreenWriter
  private var keys = KeyReader()
  private let signals: SignalQueue
  /// Bytes that were read and not yet decoded.
  private var input: [UInt8] = []
  /// Keys that came while the terminal was asked for its size.
  private var early: [Key] = []
  private var isOpen = true
  /// Given back for the time of a stop.
  private var isReleased = false
  /// The signal that the program is to end by.
  private var endedBy: Signal?

  /// The longest wait for the rest of a key: at 9600 baud a byte needs a millisecond, but networks lie between.
  private static let keyMilliseconds: UInt64 = 150
  /// How long a terminal may take to say its size.
  private static let sizeMilliseconds: UInt64 = 700

  /// Takes the terminal over and blocks all signals. Throws if standard input or output is not a terminal.
  public static func open(_ abilities: TerminalAbilities) throws(SystemError) -> FullScreen {
    guard isTerminal(0), isTerminal(1) else { throw SystemError("terminal", number: ENOTTY) }
    let signals = SignalQueue()
    waitForForeground()
    guard linux_terminal_raw(0, 1) == 0 else { throw SystemError("terminal") }
    return FullScreen(abilities, signals)
  }

  private init(_ abilities: TerminalAbilities, _ signals: consuming SignalQueue) {
    size = .usual
    writer = ScreenWriter(abilities)
    self.signals = signals
    measure()
    send(writer.beginning)
  }

  deinit {
    // An error on the way must not leave the terminal as it is.
    guard isOpen else { return }
    writeStandardOutput(writer.end(size))
    _ = linux_terminal_restore(0)
  }

  /// Shows the frame, or leaves it for the next time while a slow line still has most of the last one to send.
  public mutating func show(_ frame: Frame) {
    guard linux_terminal_backlog(1) < 512 else { return }
    send(writer.update(frame))
  }

  /// Waits for a key or something else that the program must answer, until `due` at the latest.
  public mutating func wait(until due: UInt64) -> Event {
    while true {
      if let key = nextKey() {
        if key == .redraw { return remeasured() }
        if case .cursor = key { continue }
        return .key(key)
      }
      if let event = nextSignal() { return event }
      let now = millisecondsSinceStart()
      if now >= due && !keys.isWaiting { return .time }
      var milliseconds = Int(clamping: max(due, now) &- now)
      if keys.isWaiting { milliseconds = min(milliseconds, Int(FullScreen.keyMilliseconds)) }
      if let longest = signals.longestWait { milliseconds = min(milliseconds, longest) }
      let ready = waitReadable([0, signals.number], milliseconds: milliseconds)
      if ready.first == true {
        if !readInput() { return .end }
      } else if keys.isWaiting, ready.last != true, let key = keys.timeOut() {
        return .key(key)
      }
    }
  }

  /// Gives the terminal back. If a signal ended the program, it ends by that signal here.
  public mutating func close() {
    release()
    isOpen = false
    if let endedBy { linux_raise(endedBy.rawValue) }
  }

  // MARK: The terminal

  private func send(_ bytes: [UInt8]) { writeStandardOutput(bytes) }

  private mutating func release() {
    send(writer.end(size))
    _ = linux_terminal_restore(0)
  }

  /// After a stop. If the program gave the terminal back before, what it finds now is what it must leave.
  private mutating func takeAgain() {
    FullScreen.waitForForeground()
    _ = linux_terminal_raw(0, isReleased ? 1 : 0)
    isReleased = false
    measure()
    writer.forget()
    send(writer.beginning)
  }

  /// A program in the background leaves the terminal to the shell: it stops, as one that reads does.
  private static func waitForForeground() {
    for _ in 0..<100 where linux_terminal_is_ours(0) == 0 { linux_raise(Signal.backgroundRead.rawValue) }
  }

  private mutating func remeasured() -> Event {
    measure()
    writer.forget()
    return .redraw
  }

  /// Learns the size: from the kernel, from the environment, or from the terminal itself.
  private mutating func measure() {
    if let known = standardTerminalSize() {
      size = known
      return
    }
    size = .usual
    send(KeyReader.question)
    let end = millisecondsSinceStart() &+ FullScreen.sizeMilliseconds
    while true {
      while !input.isEmpty {
        guard let key = keys.take(input.removeFirst()) else { continue }
        if case .cursor(let row, let column) = key {
          size = TerminalSize(columns: column, rows: row)
          return
        }
        early.append(key)
      }
      let now = millisecondsSinceStart()
      guard now < end, waitReadable([0], milliseconds: Int(clamping: end &- now)).first == true, readInput() else {
        return
      }
    }
  }

  // MARK: Keys and signals

  private mutating func nextKey() -> Key? {
    if !early.isEmpty { return early.removeFirst() }
    while !input.isEmpty {
      if let key = keys.take(input.removeFirst()) { return key }
    }
    return nil
  }

  /// One byte at a time: what is typed after the key that ends the program is for the shell. False when the terminal is
  /// gone.
  private mutating func readInput() -> Bool {
    let bytes = readStandardInput(upTo: 1)
    input += bytes
    return !bytes.isEmpty
  }

  private mutating func nextSignal() -> Event? {
    var event: Event?
    while let number = signals.next() {
      switch Signal(rawValue: number) {
      case .resize: event = remeasured()
      case .stop:
        release()
        linux_raise(Signal.stop.rawValue)
        isReleased = true
      case .resume:
        takeAgain()
        event = .redraw
      case .interrupt, .terminate, .hangUp, .quit:
        endedBy = Signal(rawValue: number)
        return .end
      default: break
      }
    }
    if isReleased {
      // It went on without a word: nobody stops a program whose shell is gone.
      takeAgain()
      event = .redraw
    }
    return event
  }
}
