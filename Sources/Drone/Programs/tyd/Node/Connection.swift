import Addresses
import ChannelFailure
import ControlChannel
import Linux
import SecureChannel
import Tunnels

/// One TLS connection with another node, and what is said by it.
final class Connection {
  let channel: UInt32
  let address: IPv4Address
  let socket: Descriptor
  /// Nil until the TCP connection stands.
  private(set) var secure: SecureConnection?
  private let identity: ChannelIdentity
  private let time: Int64
  /// In the loop, until it ends.
  var source: Loop.Source?
  private var frames = FrameReader()
  private var isUnreadable = false
  /// The other side has proved who it is.
  private(set) var peer: SecureConnection.Peer?
  private var output: [UInt8] = []
  private var sent = 0
  /// This side is done with it: what still comes is not looked at.
  private(set) var isClosing = false
  /// Why it ended; from then on it is only to be dropped.
  private(set) var ended: ClosedReason?
  /// The TCP connection itself failed.
  private(set) var failure: SystemError?

  init(
    _ channel: UInt32, _ socket: consuming Descriptor, with address: IPv4Address,
    identity: ChannelIdentity, time: Int64
  ) {
    self.channel = channel
    self.socket = socket
    self.address = address
    self.identity = identity
    self.time = time
  }

  var isOver: Bool { ended != nil || failure != nil }

  /// The TCP connection stands, and the other side has not proved who it is.
  var isHandshaking: Bool { secure != nil && peer == nil }

  var interest: Readiness {
    if secure == nil { return .writable }
    return hasOutput ? [.readable, .writable] : .readable
  }

  private var hasOutput: Bool { sent < output.count || secure?.hasOutput == true }

  /// Begins TLS: for a client once the TCP connection stands.
  func begin(_ side: SecureConnection.Side, now: UInt64) {
    do throws(SecureChannelError) {
      secure = try SecureConnection(
        identity, as: side, admitting: side == .server ? .membersAndJoiners : .members, at: time, started: now)
    } catch {
      ended = .failedHere
    }
    flush()
  }

  /// What came by a connection.
  enum Arrival {
    case met(SecureConnection.Peer)
    case message(ControlMessage)
    /// What came is no message; nothing comes after it.
    case unreadable
  }

  /// Does what can be done without waiting; `next` then gives what came.
  func advance(_ ready: Readiness, now: UInt64) {
    guard !isOver else { return }
    guard let secure else {
      if let failed = connectionFailure(socket) { failure = failed } else { begin(.client, now: now) }
      return
    }
    secure.step(at: now)
    if !ready.isDisjoint(with: [.readable, .broken]) { receive(secure) }
  }

  /// What came, in order; nil when there is no more.
  /// - Parameter limit: a longer message than this is none.
  func next(upTo limit: Int) -> Arrival? {
    guard !isClosing, !isUnreadable else { return nil }
    guard peer != nil else {
      guard case .open(let peer)? = secure?.state else { return nil }
      self.peer = peer
      return .met(peer)
    }
    frames.limit = limit
    do throws(ControlError) {
      return try frames.next().map { .message($0) }
    } catch {
      isUnreadable = true
      return .unreadable
    }
  }

  /// Sends what is to be sent, and notes whether the other side has ended it.
  func finish() {
    guard !isOver, let secure else { return }
    flush()
    if case .closed(let reason) = secure.state, !hasOutput { ended = reason }
  }

  private func receive(_ secure: SecureConnection) {
    // A bound for each turn, so that one fast peer does not hold up the others.
    for _ in 0..<4 {
      do throws(SystemError) {
        guard let bytes = try socket.receiveSome(upTo: 16 << 10) else { return }
        if bytes.isEmpty {
          secure.transportEnded()
          return
        }
        secure.receive(bytes)
        let plain = secure.takeReceived()
        if !plain.isEmpty && !isClosing { frames.append(plain) }
      } catch {
        secure.transportEnded()
        return
      }
    }
  }

  /// Sends a message; false if the connection is not open or has no room: a peer that asks and does not take the answers.
  @discardableResult
  func send(_ message: ControlMessage) -> Bool {
    guard let secure, let bytes = message.encoded(), !isClosing,
      output.count - sent + bytes.count <= SecureConnection.largestOutput
    else { return false }
    let went = secure.send(bytes)
    flush()
    return went
  }

  /// Ends the connection once what was sent has gone.
  func close() {
    isClosing = true
    secure?.close()
    flush()
    if secure == nil { ended = .closedHere }
    if case .closed(let reason)? = secure?.state, !hasOutput { ended = reason }
  }

  private func flush() {
    if let secure { output += secure.takeOutput() }
    while sent < output.count {
      do throws(SystemError) {
        let went = try socket.sendSome(output, from: sent)
        if went == 0 { return }
        sent += went
      } catch {
        output = []
        sent = 0
        secure?.transportEnded()
        if case .closed(let reason)? = secure?.state { ended = reason }
        return
      }
    }
    output = []
    sent = 0
  }

  /// The time is over.
  func expire() {
    isClosing = true
    if ended == nil { ended = .tooSlow }
  }

  /// Keys for a security association.
  func export(_ context: KeyContext, count: Int) -> [UInt8]? {
    secure?.export(label: KeyContext.label, context: context.bytes, count: count)
  }
}
