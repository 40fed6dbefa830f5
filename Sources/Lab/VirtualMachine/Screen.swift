/// The text on a VGA screen in text mode.
public struct Screen: Sendable {
  /// 25 lines of at most 80 characters, without the spaces at their ends.
  public let lines: [String]

  /// `memory` is the window at physical 0xB8000, 32 KiB: a character and its colours in turn. `start` is where the
  /// screen begins in it, in characters (CRTC registers 0x0C and 0x0D); a kernel scrolls by moving it.
  init(memory: [UInt8], start: Int) {
    let cells = memory.count / 2
    lines = (0..<25).map { row in
      guard cells > 0 else { return "" }
      let line = (0..<80).map { column in
        let byte = memory[(start + row * 80 + column) % cells * 2]
        return Character(UnicodeScalar((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: " ")))
      }
      return String(String(line).reversed().drop { $0 == " " }.reversed())
    }
  }

  /// All lines in one, so that a text that was wrapped at the right edge is found too.
  public func contains(_ text: String) -> Bool {
    lines.joined(separator: "\n").contains(text)
      || lines.map { $0.padding80 }.joined().contains(text)
  }
}

extension String {
  fileprivate var padding80: String { self + String(repeating: " ", count: max(0, 80 - count)) }
}
