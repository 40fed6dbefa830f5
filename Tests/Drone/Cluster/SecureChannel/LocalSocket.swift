import Foundation
import Glibc

/// A TCP socket on this computer; every wait is bounded by five seconds.
final class LocalSocket {
  struct Failure: Error { let call: String }

  let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }

  private static func new() throws -> LocalSocket {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket") }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return LocalSocket(descriptor)
  }

  private func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  static func listening() throws -> LocalSocket {
    let new = try Self.new()
    guard new.withAddress(0, { bind(new.descriptor, $0, $1) }) == 0, listen(new.descriptor, 1) == 0 else {
      throw Failure(call: "bind")
    }
    return new
  }

  /// A port that nobody listens on at the moment.
  static func freePort() throws -> UInt16 { try listening().port }

  /// Connects as soon as somebody listens.
  static func connected(to port: UInt16) throws -> LocalSocket {
    for _ in 0..<250 {
      let new = try Self.new()
      if new.withAddress(port, { connect(new.descriptor, $0, $1) }) == 0 { return new }
      usleep(20_000)
    }
    throw Failure(call: "connect")
  }

  var port: UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
    }
    return UInt16(bigEndian: address.sin_port)
  }

  func accepted() throws -> LocalSocket {
    let new = accept(descriptor, nil, nil)
    guard new >= 0 else { throw Failure(call: "accept") }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(new, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return LocalSocket(new)
  }

  func send(_ bytes: [UInt8]) throws {
    guard !bytes.isEmpty else { return }
    // A peer that has gone is the test's matter only when it reads.
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// Empty at the end of the peer's bytes; nil when none come in time.
  func received() throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count >= 0 ? [UInt8](buffer.prefix(count)) : nil
  }
}
