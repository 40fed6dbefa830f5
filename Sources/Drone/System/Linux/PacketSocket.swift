import Addresses
import CLinux

/// A socket for whole Ethernet frames of one type on one interface (packet(7)): below the packet filter and without an
/// address. The interface must be up.
public struct PacketSocket: ~Copyable {
  /// Ethernet's type field (IEEE 802.3 §3.2.6).
  public struct FrameType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// None at all comes: for a socket that only sends, frames of any type.
    public static let nothing = FrameType(rawValue: 0)
    public static let ipv4 = FrameType(rawValue: 0x0800)
    public static let arp = FrameType(rawValue: 0x0806)
    public static let rarp = FrameType(rawValue: 0x8035)
  }

  private let socket: Descriptor
  /// Ethernet's, in bytes.
  private static let header: UInt32 = 14
  /// An Ethernet frame with an optional VLAN tag.
  private static let room = 1522

  /// - Parameters:
  ///   - interface: the interface's number, as `Link.index`.
  ///   - sender: of ARP packets only those with this sender come; the kernel throws the others away, which costs nothing
  ///     here. Nil: all frames of the type.
  public init(interface: Int32, _ type: FrameType, sender: IPv4Address? = nil) throws(SystemError) {
    // RFC 826: hardware, protocol, two lengths, operation and the sender's hardware address stand before it.
    try self.init(interface, type, offset: sender == nil ? 0 : PacketSocket.header + 14, value: sender?.bits ?? 0)
  }

  /// UDP datagrams alone, from one port to another, in IPv4 packets without options; the kernel throws the others away.
  public init(interface: Int32, from source: UInt16, to destination: UInt16) throws(SystemError) {
    let ports = UInt32(source) << 16 | UInt32(destination)
    try self.init(interface, .ipv4, offset: PacketSocket.header + 20, value: ports)
  }

  private init(_ interface: Int32, _ type: FrameType, offset: UInt32, value: UInt32) throws(SystemError) {
    guard interface > 0 else { throw SystemError("packet socket", number: ENODEV) }
    guard let socket = Descriptor(linux_packet_open(interface, type.rawValue, offset, value)) else {
      throw SystemError("packet socket")
    }
    self.socket = socket
  }

  /// For waiting on: readable when a frame has come.
  public var descriptor: Int32 { socket.number }

  /// Sends a frame, from the destination's address to the payload's end.
  public func send(_ frame: [UInt8]) throws(SystemError) {
    let went = frame.withUnsafeBytes { linux_send(socket.number, $0.baseAddress, $0.count) }
    guard went == frame.count else { throw SystemError("send") }
  }

  /// The next frame from the wire for this machine or for everybody; nil if there is none now. Never waits. Frames for other
  /// machines and those of VLANs do not come.
  public func receive() throws(SystemError) -> [UInt8]? {
    // Other frames are skipped; the bound keeps a flood of them from holding up the caller.
    for _ in 0..<64 {
      var failure: SystemError?
      let frame = [UInt8](unsafeUninitializedCapacity: PacketSocket.room) { buffer, count in
        let got = linux_packet_receive(socket.number, buffer.baseAddress, buffer.count)
        if got < 0 { failure = SystemError("receive") }
        count = max(got, 0)
      }
      if let failure {
        if failure.wouldBlock { return nil }
        throw failure
      }
      if !frame.isEmpty { return frame }
    }
    return nil
  }
}
