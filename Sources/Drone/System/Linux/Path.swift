import Bytes

/// A file's path as bytes. A literal makes one; `/` joins.
public struct Path: ExpressibleByStringLiteral, Equatable, Sendable {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(_ literal: StaticString) { bytes = [UInt8](literal) }
  public init(stringLiteral literal: StaticString) { self.init(literal) }

  public static func / (folder: Path, name: [UInt8]) -> Path {
    Path(folder.bytes + [UInt8(ascii: "/")] + name)
  }
  public static func / (folder: Path, name: StaticString) -> Path { folder / [UInt8](name) }

  /// Calls `body` with the path as a C string. A zero byte in it ends the path there.
  func withCString<Result, Failure: Error>(
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withTerminated(bytes, body)
  }
}

/// Calls `body` with the bytes and a zero after them.
func withTerminated<Result, Failure: Error>(
  _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
) throws(Failure) -> Result {
  let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count + 1)
  defer { buffer.deallocate() }
  for (index, byte) in bytes.enumerated() { buffer[index] = CChar(bitPattern: byte) }
  buffer[bytes.count] = 0
  return try body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
}
