import Addresses
import CLinux

/// A datagram with what the kernel says about it.
public struct Datagram: Equatable, Sendable {
  public var bytes: [UInt8]
  public var sender: SocketAddress
  /// The address that it was sent to: one of this machine, a multicast group, or a broadcast.
  public var destination: IPv4Address
  /// The number of the interface that it came by.
  public var interface: Int32
}

/// A UDP socket. Nothing here waits.
public struct DatagramSocket: ~Copyable {
  private let socket: Descriptor

  /// - Parameter local: 0.0.0.0 receives datagrams to any address of the machine; port 0 lets the kernel choose.
  public init(_ local: SocketAddress, transforms: TransformUse = .asPoliciesSay) throws(SystemError) {
    guard let socket = Descriptor(linux_datagram_socket()) else { throw SystemError("socket") }
    try apply(transforms, to: socket)
    guard linux_bind_endpoint(socket.number, local.endpoint) == 0 else { throw SystemError("bind") }
    self.socket = socket
  }

  /// For waiting on: readable when a datagram has come.
  public var descriptor: Int32 { socket.number }

  /// Where it is bound.
  public var local: SocketAddress? { localAddress(of: socket) }

  /// The next datagram of at most `limit` bytes; longer ones are thrown away. Nil if there is none now.
  ///
  /// An error that another machine reported about an earlier datagram (ICMP) is passed over.
  public func receive(upTo limit: Int) throws(SystemError) -> Datagram? {
    for _ in 0..<64 {
      var about = linux_datagram()
      var failure: SystemError?
      var whole = true
      let bytes = [UInt8](unsafeUninitializedCapacity: max(limit, 0)) { buffer, count in
        let got = linux_receive_datagram(socket.number, buffer.baseAddress, buffer.count, &about)
        if got < 0 { failure = SystemError("receive") }
        whole = got <= buffer.count
        count = min(max(got, 0), buffer.count)
      }
      if let failure {
        if failure.wouldBlock { return nil }
        if failure.isAboutPeer { continue }
        throw failure
      }
      guard whole else { continue }
      return Datagram(
        bytes: bytes, sender: SocketAddress(about.sender), destination: IPv4Address(bits: about.destination),
        interface: about.interface)
    }
    return nil
  }

  /// Sends a datagram. It may be lost on the way, and is when there is no room for it now.
  /// - Parameters:
  ///   - source: an address of this machine to come from; nil for the route's own.
  ///   - interface: the number of the interface to leave by; nil for the route's own.
  public func send(
    _ bytes: [UInt8], to receiver: SocketAddress, from source: IPv4Address? = nil, interface: Int32? = nil
  ) throws(SystemError) {
    let went = bytes.withUnsafeBytes {
      linux_send_datagram(
        socket.number, $0.baseAddress, $0.count, receiver.endpoint, source?.bits ?? 0, interface ?? 0)
    }
    guard went != bytes.count else { return }
    let failure = SystemError("send")
    if !failure.wouldBlock && !failure.isAboutPeer { throw failure }
  }

  /// Joins a multicast group on an interface.
  public func join(_ group: IPv4Address, interface: Int32) throws(SystemError) {
    guard linux_multicast_group(socket.number, group.bits, interface, 1) == 0 else {
      throw SystemError("join", group.text)
    }
  }

  public func leave(_ group: IPv4Address, interface: Int32) throws(SystemError) {
    guard linux_multicast_group(socket.number, group.bits, interface, 0) == 0 else {
      throw SystemError("leave", group.text)
    }
  }

  /// How datagrams to groups leave.
  /// - Parameters:
  ///   - hops: 1 keeps them on the link.
  ///   - heardHere: whether sockets of this machine get them as well.
  public func setMulticast(interface: Int32, hops: UInt8, heardHere: Bool) throws(SystemError) {
    guard linux_multicast_sending(socket.number, interface, Int32(hops), heardHere ? 1 : 0) == 0 else {
      throw SystemError("multicast")
    }
  }
}

extension SystemError {
  /// Another machine could not be reached or would not listen: nothing is wrong with the socket.
  var isAboutPeer: Bool { number == ECONNREFUSED || number == EHOSTUNREACH || number == ENETUNREACH }
}
