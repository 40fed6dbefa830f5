/// Frames on their way to a machine that cannot take them at once, of bounded size: as at a real switch, what does not fit
/// is dropped and counted.
public struct FrameQueue: Sendable {
  /// In bytes, the frames' lengths included.
  public let limit: Int
  /// Frames that did not fit.
  public private(set) var dropped: UInt64 = 0
  private var bytes: [UInt8] = []
  private var start = 0

  public init(limit: Int = 256 << 10) { self.limit = limit }

  public var isEmpty: Bool { start == bytes.count }

  /// What is to be sent next, frame after frame with their lengths.
  public var pending: ArraySlice<UInt8> { bytes[start...] }

  public mutating func append(_ frame: [UInt8]) {
    guard bytes.count - start + frame.count + 4 <= limit else {
      dropped &+= 1
      return
    }
    bytes += frame.withLength
  }

  /// The number of bytes of `pending` that have been sent.
  public mutating func remove(_ count: Int) {
    start = min(start + max(count, 0), bytes.count)
    if start == bytes.count || start >= 64 << 10 {
      bytes.removeFirst(start)
      start = 0
    }
  }
}
