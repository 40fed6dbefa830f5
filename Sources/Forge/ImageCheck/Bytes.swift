/// Reading numbers at any offset: nil outside the bytes.
extension [UInt8] {
  /// The bytes from `offset`; nil when there are not `count` of them.
  func part(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    return self[offset..<offset + count]
  }

  func byte(_ offset: Int) -> UInt8? { indices.contains(offset) ? self[offset] : nil }

  /// 16 bits, the low byte first.
  func word(_ offset: Int) -> UInt16? {
    part(offset, 2).map { $0.reversed().reduce(0) { $0 << 8 | UInt16($1) } }
  }

  /// 32 bits, the low byte first.
  func long(_ offset: Int) -> UInt32? {
    part(offset, 4).map { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
  }

  /// 16 bits, the high byte first.
  func bigWord(_ offset: Int) -> UInt16? { part(offset, 2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } } }

  /// 32 bits, the high byte first.
  func bigLong(_ offset: Int) -> UInt32? { part(offset, 4).map { $0.reduce(0) { $0 << 8 | UInt32($1) } } }

  func has(_ text: StaticString, at offset: Int) -> Bool {
    guard let part = part(offset, text.utf8CodeUnitCount) else { return false }
    return text.withUTF8Buffer { part.elementsEqual($0) }
  }

  /// Whether `pattern` occurs anywhere.
  func contains(pattern: [UInt8]) -> Bool {
    guard let first = pattern.first, pattern.count <= count else { return pattern.isEmpty }
    return withUnsafeBufferPointer { all in
      var start = 0
      while let found = all[start...].firstIndex(of: first), found + pattern.count <= all.count {
        if all[found..<found + pattern.count].elementsEqual(pattern) { return true }
        start = found + 1
      }
      return false
    }
  }
}
