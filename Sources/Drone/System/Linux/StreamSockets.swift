import Addresses
import Bytes
import CLinux
import Netlink

/// An IPv4 address and a port.
public struct SocketAddress: Hashable, Sendable {
  public var address: IPv4Address
  public var port: UInt16

  public init(_ address: IPv4Address, port: UInt16) {
    self.address = address
    self.port = port
  }

  init(_ endpoint: linux_endpoint) { self.init(IPv4Address(bits: endpoint.address), port: endpoint.port) }

  var endpoint: linux_endpoint { linux_endpoint(address: address.bits, port: port) }
}

/// What a socket's packets do about the machine's IPsec policies.
public enum TransformUse: Sendable {
  /// Obey them.
  case asPoliciesSay
  /// Pass in clear, both ways, whatever they say (IP_XFRM_POLICY; for root only). Connections that a listening socket
  /// accepts do the same.
  case bypass
}

/// Has TCP try smaller segments where large ones are never answered (RFC 4821, `tcp_mtu_probing` in the kernel's ip-sysctl):
/// a router that drops what is too large for its next wire ought to say so, and some do not.
public func findBlackHoles() throws(SystemError) {
  try writeFile("/proc/sys/net/ipv4/tcp_mtu_probing", [UInt8]("1"))
}

/// Listens for TCP connections. Nothing here waits: the socket can be read when somebody has connected.
/// - Parameter backlog: how many may wait to be accepted.
public func listenStream(
  on local: SocketAddress, backlog: Int32 = 64, transforms: TransformUse = .asPoliciesSay
) throws(SystemError) -> Descriptor {
  let socket = try streamSocket(transforms)
  guard linux_bind_endpoint(socket.number, local.endpoint) == 0 else { throw SystemError("bind") }
  guard linux_listen(socket.number, backlog) == 0 else { throw SystemError("listen") }
  return socket
}

/// Begins a TCP connection; it stands, or has failed, when the socket can be written: see `connectionFailure`.
/// - Parameters:
///   - source: an address of this machine to come from; nil for the route's own.
///   - port: to come from; 0 lets the kernel choose.
public func connectStream(
  to peer: SocketAddress, from source: IPv4Address? = nil, fromPort port: UInt16 = 0,
  transforms: TransformUse = .asPoliciesSay
) throws(SystemError) -> Descriptor {
  let socket = try streamSocket(transforms)
  if source != nil || port != 0 {
    guard linux_bind_endpoint(socket.number, SocketAddress(source ?? .unspecified, port: port).endpoint) == 0 else {
      throw SystemError("bind")
    }
  }
  guard linux_connect_endpoint(socket.number, peer.endpoint) == 0 else { throw SystemError("connect") }
  return socket
}

private func streamSocket(_ transforms: TransformUse) throws(SystemError) -> Descriptor {
  guard let socket = Descriptor(linux_stream_socket()) else { throw SystemError("socket") }
  try apply(transforms, to: socket)
  return socket
}

func apply(_ transforms: TransformUse, to socket: borrowing Descriptor) throws(SystemError) {
  guard transforms == .bypass else { return }
  for direction in [TransformPolicy.Direction.inbound, .outbound] {
    let policy = TransformPolicy.bypass(direction).socketOption(.native)
    guard policy.withUnsafeBytes({ linux_set_transform_policy(socket.number, $0.baseAddress, $0.count) }) == 0 else {
      throw SystemError("IP_XFRM_POLICY")
    }
  }
}

/// The next connection that somebody made to a listening socket, TCP or local; nil if there is none now.
public func acceptStream(_ listener: borrowing Descriptor) throws(SystemError) -> Descriptor? {
  if let socket = Descriptor(linux_accept(listener.number)) { return socket }
  let failure = SystemError("accept")
  if failure.wouldBlock { return nil }
  throw failure
}

/// Why a connection that was begun did not come to stand; nil if it stands. To be asked once, when the socket can be written.
public func connectionFailure(_ socket: borrowing Descriptor) -> SystemError? {
  let number = linux_socket_error(socket.number)
  return number == 0 ? nil : SystemError("connect", number: number)
}

/// The other end of a TCP connection; nil if it is gone.
public func peerAddress(of socket: borrowing Descriptor) -> SocketAddress? {
  var endpoint = linux_endpoint()
  return linux_peer(socket.number, &endpoint) == 0 ? SocketAddress(endpoint) : nil
}

/// This end of a TCP connection, or where a socket listens.
public func localAddress(of socket: borrowing Descriptor) -> SocketAddress? {
  var endpoint = linux_endpoint()
  return linux_local(socket.number, &endpoint) == 0 ? SocketAddress(endpoint) : nil
}

/// Lets a TCP connection fail when sent data stays unacknowledged for this long.
public func setPatience(milliseconds: UInt32, of socket: borrowing Descriptor) {
  _ = linux_stream_patience(socket.number, milliseconds)
}

extension Descriptor {
  /// One send(2) of the bytes from `start` on, without SIGPIPE when the other end is gone. Gives how many went, 0 when there is
  /// no room now.
  public func sendSome(_ bytes: [UInt8], from start: Int = 0) throws(SystemError) -> Int {
    let went = bytes.withUnsafeBytes { buffer in
      guard start >= 0, start < buffer.count, let base = buffer.baseAddress else { return 0 }
      return linux_send(number, base + start, buffer.count - start)
    }
    if went >= 0 { return went }
    let failure = SystemError("send")
    if failure.wouldBlock { return 0 }
    throw failure
  }

  /// At most `limit` bytes from a non-blocking socket: empty at its end, nil when there is nothing now.
  public func receiveSome(upTo limit: Int) throws(SystemError) -> [UInt8]? {
    do {
      return try read(upTo: limit)
    } catch {
      if error.wouldBlock { return nil }
      throw error
    }
  }
}
