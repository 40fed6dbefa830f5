import Bytes

/// A key that was pressed, or something that a terminal says by itself.
public enum Key: Hashable, Sendable {
  /// A printable ASCII character, or a control character that is none of the following.
  case character(UInt8)
  case enter
  case escape
  case backspace
  case delete
  case up
  case down
  case left
  case right
  case pageUp
  case pageDown
  case home
  case end
  /// Where the cursor is, counted from 1: the answer to `KeyReader.question`.
  case cursor(row: Int, column: Int)

  /// Ctrl-L: draw everything again.
  public static let redraw = Key.character(12)
}

/// Makes keys of the bytes that a terminal sends. Keys that are longer than a byte begin with ESC, and so may be cut in
/// two by a slow line: what is kept waits for `timeOut`.
public struct KeyReader: Sendable {
  /// Asks a terminal where its cursor is (DSR 6, ECMA-48 §8.3.35), after sending it as far as it goes; then the cursor goes
  /// back (DECSC, DECRC).
  public static let question = [UInt8]("\u{1B}7\u{1B}[999;999H\u{1B}[6n\u{1B}8")

  /// Bytes of a sequence whose end has not come.
  private var pending: [UInt8] = []
  /// No sequence is longer; what is goes away.
  private static let longest = 16

  public init() {}

  /// Whether a sequence has begun; after a tenth of a second or so its beginning was all.
  public var isWaiting: Bool { !pending.isEmpty }

  /// Reads the next byte and returns the key that it completes, if any.
  public mutating func take(_ byte: UInt8) -> Key? {
    if pending.isEmpty {
      if byte == escape {
        pending = [byte]
        return nil
      }
      return plain(byte)
    }
    if byte == escape {
      // The one before was all, and another begins.
      defer { pending = [byte] }
      return pending.count == 1 ? .escape : nil
    }
    pending.append(byte)
    guard pending.count > 2 else {
      // CSI, SS3, or a key that was pressed with Alt, which means nothing here.
      if byte != UInt8(ascii: "[") && byte != UInt8(ascii: "O") { pending = [] }
      return nil
    }
    if pending[1] == UInt8(ascii: "O") {
      pending = []
      return cursorKey(byte)
    }
    // The kernel's console has ESC [ [ A for its function keys.
    if pending.count == 3 && byte == UInt8(ascii: "[") { return nil }
    if pending[2] == UInt8(ascii: "[") {
      pending = []
      return nil
    }
    guard (0x40...0x7E).contains(byte) else {
      if !(0x20...0x3F).contains(byte) || pending.count > KeyReader.longest { pending = [] }
      return nil
    }
    defer { pending = [] }
    return control(pending[2..<pending.count - 1], final: byte)
  }

  /// Nothing came for a while: a lone ESC was the key itself, and the rest of anything longer is lost.
  public mutating func timeOut() -> Key? {
    defer { pending = [] }
    return pending == [escape] ? .escape : nil
  }

  private func plain(_ byte: UInt8) -> Key? {
    switch byte {
    case 0x0A, 0x0D: .enter
    case 0x08, 0x7F: .backspace
    case 0x00...0x7E: .character(byte)
    // Letters beyond ASCII come in pieces; no view has a use for them.
    default: nil
    }
  }

  private func cursorKey(_ final: UInt8) -> Key? {
    switch final {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): .right
    case UInt8(ascii: "D"): .left
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "M"): .enter
    default: nil
    }
  }

  /// A control sequence: numbers with semicolons between them, then what they mean.
  private func control(_ parameters: ArraySlice<UInt8>, final: UInt8) -> Key? {
    var numbers = (first: 0, second: 0)
    var count = 1
    for byte in parameters {
      switch byte {
      case UInt8(ascii: ";"): count += 1
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let digit = Int(byte - UInt8(ascii: "0"))
        if count == 1 { numbers.first = min(numbers.first * 10 + digit, 9999) }
        if count == 2 { numbers.second = min(numbers.second * 10 + digit, 9999) }
      // A private parameter: an answer to something that was not asked.
      default: return nil
      }
    }
    switch final {
    case UInt8(ascii: "R"):
      return numbers.first > 0 && numbers.second > 0 ? .cursor(row: numbers.first, column: numbers.second) : nil
    case UInt8(ascii: "~"):
      switch numbers.first {
      case 1, 7: return .home
      case 3: return .delete
      case 4, 8: return .end
      case 5: return .pageUp
      case 6: return .pageDown
      default: return nil
      }
    default: return cursorKey(final)
    }
  }
}

private let escape: UInt8 = 0x1B
