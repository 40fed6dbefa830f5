import Foundation
import SystemPackage

/// Our end of a connected pair of stream sockets, whose other end another process inherits.
final class Channel: Sendable {
  private let near: FileDescriptor

  private init(_ near: FileDescriptor) { self.near = near }

  deinit { try? near.close() }

  /// Makes a pair. The caller closes `far` once the other process has it.
  static func pair() throws -> (near: Channel, far: FileDescriptor) {
    var ends: [Int32] = [0, 0]
    // Close-on-exec, or every other process we start would hold the pair open and its end would never be seen.
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw Errno(rawValue: errno)
    }
    return (Channel(FileDescriptor(rawValue: ends[0])), FileDescriptor(rawValue: ends[1]))
  }

  /// Hands every piece that arrives to `receive`, and an empty one when the other side is gone.
  func read(_ receive: @escaping @Sendable ([UInt8]) -> Void) {
    let thread = Thread { [self] in
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        let count = buffer.withUnsafeMutableBytes { recv(near.rawValue, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == EINTR { continue }
        receive(count > 0 ? [UInt8](buffer[..<count]) : [])
        if count <= 0 { return }
      }
    }
    thread.stackSize = 256 << 10
    thread.start()
  }

  /// Writes all of `bytes`. Returns false when the other side is gone.
  @discardableResult
  func write(_ bytes: some Sequence<UInt8>) -> Bool {
    var rest = [UInt8](bytes)[...]
    while !rest.isEmpty {
      // No SIGPIPE: a machine that has just ended must not end us.
      let count = rest.withUnsafeBytes { send(near.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Ends both directions: the reader sees the end of the stream.
  func shutDown() { _ = shutdown(near.rawValue, Int32(SHUT_RDWR)) }
}
