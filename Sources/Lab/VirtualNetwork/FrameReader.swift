import Bytes

/// Puts Ethernet frames together from a stream of bytes: each comes after its length, four bytes, the highest first.
///
/// So QEMU's `-netdev socket` and `-netdev stream` speak over a stream socket (net/socket.c, net/stream.c,
/// `net_fill_rstate`). The stream comes in pieces of any size.
public struct FrameReader: Sendable {
  /// The longest frame that the emulator itself accepts from a stream (net/net.h, NET_BUFSIZE).
  public static let longestFrame = 4096 + 65536

  /// What makes a stream unreadable from then on: where the next frame begins can no longer be known.
  public enum Failure: Error, Equatable, Sendable {
    /// A frame was announced that is longer than any.
    case tooLong(UInt32)
  }

  private var bytes: [UInt8] = []
  private var start = 0

  public init() {}

  public mutating func append(_ piece: [UInt8]) {
    if start > 0 {
      bytes.removeFirst(start)
      start = 0
    }
    bytes += piece
  }

  /// The next whole frame; nil while there is none. A frame may be as short as nothing.
  public mutating func next() throws(Failure) -> [UInt8]? {
    guard bytes.count - start >= 4 else { return nil }
    let length = UInt32(networkOrder: bytes[start..<(start + 4)])
    guard length <= UInt32(Self.longestFrame) else { throw .tooLong(length) }
    let end = start + 4 + Int(length)
    guard bytes.count >= end else { return nil }
    defer { start = end }
    return [UInt8](bytes[(start + 4)..<end])
  }

  /// Bytes that are kept until their frame is whole.
  public var unfinished: Int { bytes.count - start }
}

extension [UInt8] {
  /// A frame as it goes into the stream.
  public var withLength: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(count + 4)
    out.append(networkOrder: UInt32(truncatingIfNeeded: count))
    return out + self
  }
}
