import Bytes

// XDR (RFC 4506): everything is a multiple of four bytes long, numbers are in network order.

typealias XDRReader = ByteReader<ReadingError>

extension ByteReader where Failure == ReadingError {
  /// Bytes of a length that the bytes say, and what fills them up to a multiple of four (RFC 4506 §4.10).
  mutating func opaque(upTo limit: UInt32) throws(ReadingError) -> ArraySlice<UInt8> {
    let start = offset
    var look = self
    let length = try look.uint32()
    guard length <= limit, let count = Int(exactly: length) else { throw .value(offset: start) }
    let bytes = try look.bytes(count)
    try look.skip((4 - count % 4) % 4)
    self = look
    return bytes
  }

  /// RFC 4506 §4.4: 0 or 1.
  mutating func flag() throws(ReadingError) -> Bool {
    let start = offset
    switch try uint32() {
    case 0: return false
    case 1: return true
    default: throw .value(offset: start)
    }
  }

  /// Throws unless everything has been read.
  func end() throws(ReadingError) {
    guard isAtEnd else { throw .value(offset: offset) }
  }
}

extension Array where Element == UInt8 {
  /// RFC 4506 §4.10.
  mutating func append(opaque bytes: some Collection<UInt8>) {
    append(networkOrder: UInt32(clamping: bytes.count))
    append(contentsOf: bytes)
    append(zeros: (4 - bytes.count % 4) % 4)
  }

  mutating func append(flag: Bool) { append(networkOrder: flag ? 1 as UInt32 : 0) }
}
