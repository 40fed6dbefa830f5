import Glibc

/// A socket for datagrams in the network of the thread that makes it.
final class Datagrams: @unchecked Sendable {
  // Only an immutable number.
  private let socket: Int32

  struct Failed: Error { let call: String, number: Int32 }

  /// UDP from a port of our own, and from an address that need not be ours.
  init(port: UInt16, from host: [UInt8] = [0, 0, 0, 0]) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw Failed(call: "socket", number: errno) }
    var yes: Int32 = 1
    if host != [0, 0, 0, 0] {
      let transparent: Int32 = 19  // IP_TRANSPARENT
      setsockopt(socket, Int32(IPPROTO_IP), transparent, &yes, socklen_t(MemoryLayout<Int32>.size))
    }
    var own = Datagrams.address(host, port)
    let result = withUnsafePointer(to: &own) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failed(call: "bind", number: errno) }
  }

  /// ICMP as it comes from the wire, IP header included when received.
  init(icmp: Void) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_ICMP))
    guard socket >= 0 else { throw Failed(call: "socket", number: errno) }
  }

  deinit { close(socket) }

  /// False if the filter refused it (EPERM).
  func send(_ bytes: [UInt8], to host: [UInt8], port: UInt16 = 0) throws -> Bool {
    var other = Datagrams.address(host, port)
    let went = withUnsafePointer(to: &other) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(socket, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if went < 0 && errno == EPERM { return false }
    guard went == bytes.count else { throw Failed(call: "sendto", number: errno) }
    return true
  }

  /// The next datagram and the port it came from; nil if none comes within so many milliseconds.
  func receive(within milliseconds: Int32) -> (bytes: [UInt8], port: UInt16)? {
    var one = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    guard poll(&one, 1, milliseconds) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 2048)
    var other = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &other) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(socket, &buffer, buffer.count, 0, $0, &size) }
    }
    return count < 0 ? nil : (Array(buffer.prefix(count)), UInt16(bigEndian: other.sin_port))
  }

  private static func address(_ host: [UInt8], _ port: UInt16) -> sockaddr_in {
    let bits = host.reduce(0) { $0 << 8 | UInt32($1) }
    return sockaddr_in(
      sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian, sin_addr: in_addr(s_addr: bits.bigEndian),
      sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
  }
}
