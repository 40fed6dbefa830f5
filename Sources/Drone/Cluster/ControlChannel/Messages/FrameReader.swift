import Bytes

/// Takes a connection's bytes in any pieces and gives its messages.
///
/// It never holds more than one frame of `limit` bytes and the piece that came last: a frame that states more is an error
/// as soon as its length field is there.
public struct FrameReader: Sendable {
  /// The most that a frame may state: see `Conversation.frameLimit`.
  public var limit: Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var failure: ControlError?

  public init(limit: Int = ControlFrame.strangerLimit) { self.limit = limit }

  /// Bytes of a frame that has begun and is not complete.
  public var isWithinFrame: Bool { start < buffer.count }

  public mutating func append(_ bytes: [UInt8]) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer += bytes
  }

  /// The next message; nil until more bytes come. After an error it gives that error for ever.
  public mutating func next() throws(ControlError) -> ControlMessage? {
    if let failure { throw failure }
    do {
      return try read()
    } catch {
      failure = error
      buffer = []
      start = 0
      throw error
    }
  }

  private mutating func read() throws(ControlError) -> ControlMessage? {
    guard buffer.count - start >= 4 else { return nil }
    let stated = UInt32(networkOrder: buffer[start..<(start + 4)])
    guard let length = Int(exactly: stated), length <= limit else {
      throw .tooLong(stated: Int(clamping: stated), limit: limit)
    }
    guard length >= 2 else { throw .tooShort(stated: length) }
    guard buffer.count - start - 4 >= length else { return nil }
    let content = buffer[(start + 4)..<(start + 4 + length)]
    start += 4 + length
    return try ControlMessage(content: content)
  }
}
