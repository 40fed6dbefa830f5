import CLinux

/// The process at the other end of a local socket, as the kernel saw it connect.
public struct PeerCredentials: Equatable, Sendable {
  public var process: Int32
  /// 0 is root.
  public var user: UInt32
  public var group: UInt32
}

/// Listens at a path of at most 107 bytes, for processes of the same user only (mode 0600).
///
/// A socket that nobody listens at any more is replaced. Throws EADDRINUSE if somebody does.
public func listenLocal(_ path: Path, backlog: Int32 = 8) throws(SystemError) -> Descriptor {
  if let socket = Descriptor(path.withCString { linux_local_listen($0, backlog) }) { return socket }
  let failure = SystemError("listen", path.bytes)
  guard failure.number == EADDRINUSE, Descriptor(path.withCString { linux_local_connect($0) }) == nil,
    linux_errno() == ECONNREFUSED
  else { throw SystemError("listen", path.bytes, number: failure.number) }
  removeFile(path)
  if let socket = Descriptor(path.withCString { linux_local_listen($0, backlog) }) { return socket }
  throw SystemError("listen", path.bytes)
}

/// Connects to a socket at a path. Throws ENOENT or ECONNREFUSED if nobody listens there.
public func connectLocal(_ path: Path) throws(SystemError) -> Descriptor {
  guard let socket = Descriptor(path.withCString { linux_local_connect($0) }) else {
    throw SystemError("connect", path.bytes)
  }
  return socket
}

/// Who connected to a local socket.
public func peerCredentials(of socket: borrowing Descriptor) throws(SystemError) -> PeerCredentials {
  var found = linux_credentials()
  guard linux_peer_credentials(socket.number, &found) == 0 else { throw SystemError("SO_PEERCRED") }
  return PeerCredentials(process: found.process, user: found.user, group: found.group)
}
