import Bytes
import CSecureChannel
import ChannelFailure

/// One TLS 1.3 connection as a state machine without socket or clock: bytes from the transport go in, bytes for the transport
/// come out.
///
///     let connection = try SecureConnection(identity, as: .client, at: floor.seconds, started: now)
///     transport.send(connection.takeOutput())
///     …
///     connection.receive(bytes)              // what the transport brought
///     message += connection.takeReceived()   // what the peer said
///     transport.send(connection.takeOutput())
///
/// After every call there may be output, also after the connection closed: the alert or the farewell. Closed is for ever;
/// calls then do nothing. Both sides show certificates; nothing is resumed or sent early, so every connection has keys of its
/// own. A client is `open` as soon as *it* knows the server: that the server accepts it shows in the first message (RFC 8446,
/// Appendix E.1).
///
/// Until the peer is known at most 8 KiB are read, of one that is no member 16 KiB in all, and `step` ends a handshake after
/// `handshakeLimit`. A peer that renews keys, or sends other messages of a handshake after it, may do so four times. Not shared
/// between threads.
public final class SecureConnection {
  public enum Side: Sendable, Equatable { case client, server }

  /// Who may come.
  public enum Admission: Sendable, Equatable {
    case members
    /// Also a peer with a self-signed certificate, which proves nothing but a key.
    case membersAndJoiners
  }

  /// Who the other side is.
  public struct Peer: Sendable, Equatable {
    /// True: its certificate stands under the cluster's authority. False: it made its certificate itself.
    public let isMember: Bool
    public let certificate: Certificate
    public var fingerprint: Fingerprint { certificate.fingerprint }
  }

  public enum State: Sendable, Equatable {
    case handshaking
    case open(Peer)
    case closed(ClosedReason)
  }

  /// Milliseconds that a handshake may last: ten times what two slow Pentiums need.
  public static let handshakeLimit: UInt64 = 10_000
  /// Bytes of plaintext that a connection holds for the transport at most, counted with their encryption.
  public static let largestOutput = 512 << 10

  public let side: Side
  public private(set) var state = State.handshaking
  private let channel: OpaquePointer
  private let started: UInt64
  private var received: [UInt8] = []

  /// - Parameters:
  ///   - time: what certificates are judged by, in seconds since 1970 (`TimeFloor.seconds`).
  ///   - started: the present on a clock that never goes back, in milliseconds, the one that `step` is given.
  public init(
    _ identity: ChannelIdentity, as side: Side, admitting admission: Admission = .members, at time: Int64,
    started: UInt64
  ) throws(SecureChannelError) {
    let accepts: Int32 = admission == .membersAndJoiners ? 1 : 0
    guard let channel = channel_new(identity.context, side == .server ? 1 : 0, accepts, time) else { throw .failed }
    self.channel = channel
    self.side = side
    self.started = started
    // A client speaks first.
    if side == .client { receive([]) }
  }

  deinit { channel_free(channel) }

  /// Receives bytes from the transport; `takeReceived` returns what they decrypt to. Memory for it is bounded by the
  /// caller: there is never more plaintext than bytes were given since it was last taken.
  public func receive(_ bytes: [UInt8]) {
    guard !isClosed else { return }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4096) { buffer in
      bytes.withUnsafeBufferPointer { input in
        channel_feed(channel, input.baseAddress, input.count)
        while true {
          let count = channel_read(channel, buffer.baseAddress, buffer.count)
          guard count > 0 else { break }
          received.append(contentsOf: buffer.prefix(count))
        }
      }
    }
    update()
  }

  /// The transport has ended or failed.
  public func transportEnded() {
    channel_end(channel)
    update()
  }

  /// Encrypts bytes for the peer. False, and nothing is sent, when the connection is not open or `largestOutput` would be
  /// exceeded: then take the output and try again.
  public func send(_ bytes: [UInt8]) -> Bool {
    guard case .open = state else { return false }
    let result = channel_write(channel, bytes, bytes.count)
    if result < 0 { update() }
    return result == 1
  }

  /// The bytes for the transport since the last call.
  public func takeOutput() -> [UInt8] {
    let count = channel_output_length(channel)
    guard count > 0 else { return [] }
    let out = [UInt8](UnsafeBufferPointer(start: channel_output(channel), count: count))
    channel_output_taken(channel)
    return out
  }

  /// Whether there are bytes for the transport.
  public var hasOutput: Bool { channel_output_length(channel) > 0 }

  /// What the peer has sent since the last call; a closed connection may have left something.
  public func takeReceived() -> [UInt8] {
    let out = received
    received = []
    return out
  }

  /// Ends the connection in order.
  public func close() { close(channel_closed_here) }

  /// Ends a handshake that has lasted longer than `handshakeLimit`.
  /// - Parameter now: milliseconds on the clock of `started`.
  public func step(at now: UInt64) {
    if case .handshaking = state, now &- started >= SecureConnection.handshakeLimit { close(channel_too_slow) }
  }

  /// Keying material that only the two sides of this connection know (RFC 8446, §7.5). The same label, context and length
  /// give the same bytes on both sides and every time; anything else gives unrelated ones. Nil unless the connection is
  /// open.
  public func export(label: StaticString, context: [UInt8], count: Int) -> [UInt8]? {
    guard case .open = state, (1...4096).contains(count) else { return nil }
    var material = [UInt8](repeating: 0, count: count)
    let result = label.withUTF8Buffer { label in
      channel_export(channel, label.baseAddress, label.count, context, context.count, &material, count)
    }
    return result == 0 ? material : nil
  }

  private var isClosed: Bool {
    if case .closed = state { true } else { false }
  }

  private func close(_ reason: channel_reason) {
    channel_close(channel, reason)
    update()
  }

  private func update() {
    if let reason = ClosedReason(channel_why_closed(channel), alert: channel_alert(channel)) {
      state = .closed(reason)
    } else if case .handshaking = state, channel_is_open(channel) != 0 {
      guard let peer else { return close(channel_bad_certificate) }
      state = .open(peer)
    }
  }

  private var peer: Peer? {
    var der = [UInt8](repeating: 0, count: Certificate.largest)
    let count = channel_peer(channel, &der, der.count)
    guard count > 0, let certificate = try? Certificate([UInt8](der.prefix(count))) else { return nil }
    return Peer(isMember: channel_peer_is_member(channel) != 0, certificate: certificate)
  }
}
