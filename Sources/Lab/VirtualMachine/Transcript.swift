import Workshop

/// What a console has printed, without the terminal's control sequences, and how far a reader has got.
///
/// Bytes come in pieces of any size; a sequence cut in two by a piece's end is still taken out.
struct Transcript: Sendable {
  /// Everything printed so far: no escape sequences, no carriage returns, no other control bytes but newline and tab.
  private(set) var text: [UInt8] = []
  /// Where the next search starts.
  private(set) var position = 0
  private var escape = Escape.none
  /// Start of the newest line that is not yet known to be free of alarms.
  private var alarmPosition = 0

  /// Where in an ECMA-48 control sequence the last byte was.
  private enum Escape { case none, started, control, charset, text }

  mutating func append(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      switch escape {
      case .started:
        escape =
          switch byte {
          case UInt8(ascii: "["): .control
          case UInt8(ascii: "]"), UInt8(ascii: "P"): .text
          case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "%"): .charset
          default: .none
          }
      case .control: if (0x40...0x7E).contains(byte) { escape = .none }
      case .charset: escape = .none
      case .text: if byte == 7 || byte == 0x1B { escape = byte == 7 ? .none : .started }
      case .none: appendPlain(byte)
      }
    }
  }

  private mutating func appendPlain(_ byte: UInt8) {
    switch byte {
    case 0x1B: escape = .started
    case 8: if let last = text.last, last != 10, text.count > position { text.removeLast() }
    case 9, 10, 0x20...0x7E, 0x80...0xFF: text.append(byte)
    default: break
    }
  }

  /// Looks for `wanted` after the last thing found. Returns the text up to it and moves on, or nil for not yet.
  mutating func find(_ wanted: [UInt8]) -> [UInt8]? {
    guard let start = text.firstIndex(of: wanted, from: position) else { return nil }
    let before = [UInt8](text[position..<start])
    position = start + wanted.count
    return before
  }

  /// The next search starts with what comes.
  mutating func passOver() { position = text.count }

  /// Looks for whichever of `wanted` comes first; returns its index.
  mutating func findFirst(of wanted: [[UInt8]]) -> (index: Int, before: [UInt8])? {
    let starts = wanted.indices.compactMap { index in
      text.firstIndex(of: wanted[index], from: position).map { (index: index, start: $0) }
    }
    guard let first = starts.min(by: { $0.start < $1.start }) else { return nil }
    let before = [UInt8](text[position..<first.start])
    position = first.start + wanted[first.index].count
    return (first.index, before)
  }

  /// A whole line that says the kernel is lost, wherever the reader is; nil while there is none.
  mutating func alarm() -> String? {
    while let end = text.firstIndex(of: [10], from: alarmPosition) {
      let line = text[alarmPosition..<end]
      alarmPosition = end + 1
      if Self.alarms.contains(where: { [UInt8](line).firstIndex(of: $0, from: 0) != nil }) {
        return String(decoding: line, as: UTF8.self)
      }
    }
    return nil
  }

  private static let alarms: [[UInt8]] = [
    "Kernel panic - not syncing", "end Kernel panic", "BUG: unable to handle", "Oops: ",
    "No init found", "invalid opcode: ",
  ].map { [UInt8]($0.utf8) }

  /// The last lines that are not empty.
  func lastLines(_ count: Int) -> [String] {
    String(decoding: text.suffix(8192), as: UTF8.self).split(separator: "\n").suffix(count).map(String.init)
  }
}

extension [UInt8] {
  /// Where `wanted` first stands at or after `from`.
  func firstIndex(of wanted: [UInt8], from: Int) -> Int? {
    guard from >= 0, from <= count, !wanted.isEmpty else { return nil }
    // A console that prints letter by letter is searched as often.
    return withUnsafeBytes { offset(of: wanted, in: UnsafeRawBufferPointer(rebasing: $0[from...])) }.map { from + $0 }
  }
}
