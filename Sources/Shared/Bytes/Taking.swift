// Lines and fields, taken from the beginning of what has not been read.

extension ArraySlice where Element == UInt8 {
  /// Takes what comes before the next such byte, and that byte; nil where there is none, and then nothing is taken.
  // Inlined, each of them makes a program larger.
  @inline(never) public mutating func take(before end: UInt8) -> ArraySlice? {
    guard let place = firstIndex(of: end) else { return nil }
    defer { self = self[(place + 1)...] }
    return self[..<place]
  }

  /// Takes a line with its line feed, and gives it without; nil where no line ends.
  public mutating func takeLine() -> ArraySlice? { take(before: UInt8(ascii: "\n")) }
}

extension Array where Element == UInt8 {
  /// Removes a line with its line feed from what has come so far, and gives it without; nil where no line ends.
  @inline(never) public mutating func takeLine() -> [UInt8]? {
    guard let end = firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    defer { removeSubrange(...end) }
    return [UInt8](self[..<end])
  }
}
