import CLinux

// Processes of one machine that hand each other open files.

/// Two connected local sockets, for a process and its child; each message arrives as one.
public struct SocketPair: ~Copyable {
  public let own: Descriptor
  public let other: Descriptor

  public init() throws(SystemError) {
    var numbers: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutablePointer(to: &numbers) {
      $0.withMemoryRebound(to: Int32.self, capacity: 2) { linux_socket_pair($0) }
    }
    guard result == 0, let own = Descriptor(numbers.0), let other = Descriptor(numbers.1) else {
      throw SystemError("socketpair")
    }
    self.own = own
    self.other = other
  }

  /// Closes the other end here.
  public consuming func keepingOwn() -> Descriptor { own }
  /// Closes the first end here.
  public consuming func keepingOther() -> Descriptor { other }
}

/// Bytes that came over a local socket, and an open file that came along.
public struct Handover: ~Copyable {
  public var bytes: [UInt8]
  public var descriptor: Descriptor?

  public consuming func taken() -> Descriptor? { descriptor }
}

extension Descriptor {
  /// Sends bytes over a local socket, and with them the right to an open file (unix(7), SCM_RIGHTS). At least one byte.
  public func send(_ bytes: [UInt8], with descriptor: borrowing Descriptor) throws(SystemError) {
    let number = descriptor.number
    let went = bytes.withUnsafeBytes { linux_send_with_descriptor(self.number, $0.baseAddress, $0.count, number) }
    guard went == bytes.count else { throw SystemError("sendmsg") }
  }

  /// Receives at most `limit` bytes and perhaps a descriptor. Empty at the end; nil when there is nothing now.
  public func receiveHandover(upTo limit: Int) throws(SystemError) -> Handover? {
    var failure: SystemError?
    var descriptor: Int32 = -1
    let bytes = [UInt8](unsafeUninitializedCapacity: max(limit, 0)) { buffer, count in
      let got = linux_receive_with_descriptor(number, buffer.baseAddress, buffer.count, &descriptor)
      if got < 0 { failure = SystemError("recvmsg") }
      count = max(got, 0)
    }
    if let failure {
      if failure.wouldBlock { return nil }
      throw failure
    }
    return Handover(bytes: bytes, descriptor: Descriptor(descriptor))
  }

  /// Lets reads and writes wait, or not.
  public func setWaiting(_ waits: Bool) { _ = linux_set_waiting(number, waits ? 1 : 0) }

  /// Gives the open file to a user.
  public func give(to user: UInt32, permissions: UInt32) { _ = linux_give(number, user, permissions) }
}

/// The supplementary groups of whoever connected to a local socket.
public func peerGroups(of socket: borrowing Descriptor) throws(SystemError) -> [UInt32] {
  var failure: SystemError?
  let number = socket.number
  let groups = [UInt32](unsafeUninitializedCapacity: 1024) { buffer, count in
    let got = linux_peer_groups(number, buffer.baseAddress, Int32(buffer.count))
    if got < 0 { failure = SystemError("SO_PEERGROUPS") }
    count = max(Int(got), 0)
  }
  if let failure { throw failure }
  return groups
}

/// Listens at a path of at most 107 bytes, for processes of every user. A socket that nobody listens at any more is replaced.
public func listenLocalToAll(_ path: Path, backlog: Int32 = 64) throws(SystemError) -> Descriptor {
  if Descriptor(path.withCString { linux_local_connect($0) }) == nil { removeFile(path) }
  guard let socket = Descriptor(path.withCString { linux_local_listen_to_all($0, backlog) }) else {
    throw SystemError("listen", path.bytes)
  }
  return socket
}

/// Closes every descriptor from 3 on but these: for a child that has no use for what its parent holds.
public func closeDescriptors(but kept: [Int32]) {
  kept.withUnsafeBufferPointer { linux_close_others($0.baseAddress, Int32(clamping: $0.count)) }
}

/// Has the calling process killed when its parent ends.
public func dieWithParent() { _ = linux_die_with_parent() }

/// Begins a session with this terminal.
public func leadSession(on terminal: borrowing Descriptor) throws(SystemError) {
  guard linux_lead_session(terminal.number) == 0 else { throw SystemError("TIOCSCTTY") }
}

/// Ends the calling process at once, without a word.
public func endProcess(_ status: Int32) -> Never { _exit(status) }
