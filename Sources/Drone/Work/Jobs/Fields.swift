import Bytes

// Texts and lists in what mosrun, mosd and a job's keeper send each other: a count in LEB128, then so many bytes or texts.

extension Array where Element == UInt8 {
  mutating func append(text: [UInt8]) {
    append(varint: UInt32(clamping: text.count))
    self += text
  }

  mutating func append(texts: [[UInt8]]) {
    append(varint: UInt32(clamping: texts.count))
    for text in texts { append(text: text) }
  }
}

extension ByteReader where Failure == ReadingError {
  mutating func text(upTo limit: Int) throws(ReadingError) -> [UInt8] {
    let count = try varint(upTo: UInt32(clamping: limit))
    return [UInt8](try bytes(Int(count)))
  }

  mutating func texts(upTo limit: Int, eachUpTo length: Int) throws(ReadingError) -> [[UInt8]] {
    let count = try varint(upTo: UInt32(clamping: limit))
    // Each takes a byte at least: no count makes room for more than there is.
    try require(Int(count))
    var texts: [[UInt8]] = []
    texts.reserveCapacity(Int(count))
    for _ in 0..<count { texts.append(try text(upTo: length)) }
    return texts
  }

  /// A path from the top of a file system, without a zero byte.
  mutating func path() throws(ReadingError) -> [UInt8] {
    let start = offset
    let path = try text(upTo: longestPath)
    guard path.first == UInt8(ascii: "/"), !path.contains(0) else { throw .value(offset: start) }
    return path
  }

  /// 1 to 64 (signal(7)).
  mutating func signal() throws(ReadingError) -> UInt8 {
    let start = offset
    let number = try uint8()
    guard (1...64).contains(number) else { throw .value(offset: start) }
    return number
  }

  mutating func end() throws(ReadingError) {
    guard isAtEnd else { throw .value(offset: offset) }
  }
}

/// PATH_MAX (include/uapi/linux/limits.h).
public let longestPath = 4096
