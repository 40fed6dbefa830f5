import Bytes

/// Why a connection ended or was never made; also why a certificate is none of a member.
public enum ClosedReason: Error, Hashable, Sendable {
  /// The peer ended the connection in order.
  case finished
  /// This side did.
  case closedHere
  /// The transport ended without TLS's own end: a cable, a crash, or somebody who cuts messages short.
  case cutOff
  /// What came is no TLS.
  case noTLS
  /// A version before TLS 1.3.
  case oldVersion
  /// TLS for another purpose than a cluster's control messages.
  case otherProtocol
  /// The peer shows no certificate.
  case noCertificate
  /// The peer's certificate is under another cluster's authority.
  case wrongAuthority
  /// By this machine's clock: a member's ends with the cluster's authority.
  case expired
  case notYetValid
  /// The peer shows a self-signed certificate, and only members may connect here.
  case notMember
  /// The peer's certificate is not one that a node has.
  case badCertificate
  /// More bytes came before the peer was known than a handshake has.
  case tooLarge
  /// The handshake lasts too long.
  case tooSlow
  /// The peer makes this side answer and does not take the answers, renews keys without end, or is no member and sends more than
  /// its one request.
  case flooded
  /// A record that does not decrypt, or a message that does not belong there.
  case damaged
  /// The peer refused with this alert (RFC 8446, §6.2).
  case refused(alert: UInt8)
  /// No memory here.
  case failedHere

  /// One phrase for a log: `the peer's certificate is of another cluster`.
  public var text: [UInt8] {
    switch self {
    case .finished: [UInt8]("the peer is done")
    case .closedHere: [UInt8]("ended from this side")
    case .cutOff: [UInt8]("the connection broke off")
    case .noTLS: [UInt8]("what the peer speaks is no TLS")
    case .oldVersion: [UInt8]("the peer speaks no TLS 1.3")
    case .otherProtocol: [UInt8]("the peer wants something else than a cluster's control protocol")
    case .noCertificate: [UInt8]("the peer has no certificate")
    case .wrongAuthority: [UInt8]("the peer's certificate is of another cluster")
    case .expired: [UInt8]("the peer's certificate has expired by this machine's clock")
    case .notYetValid: [UInt8]("the peer's certificate is not valid yet")
    case .notMember: [UInt8]("the peer is no member")
    case .badCertificate: [UInt8]("the peer's certificate is not one of a node")
    case .tooLarge: [UInt8]("the peer sent too much before it said who it is")
    case .tooSlow: [UInt8]("the peer took too long to say who it is")
    case .flooded: [UInt8]("the peer makes more work than a connection may")
    case .damaged: [UInt8]("what the peer sent was damaged on the way or made up")
    case .refused(let alert): [UInt8]("the peer refused (") + ClosedReason.name(of: alert) + [UInt8](")")
    case .failedHere: [UInt8]("there is no memory")
    }
  }

  /// The alerts that a peer of ours sends; others as numbers.
  private static func name(of alert: UInt8) -> [UInt8] {
    switch alert {
    case TLSAlert.unexpectedMessage: return [UInt8]("unexpected message")
    case TLSAlert.badRecordMAC: return [UInt8]("bad record")
    case TLSAlert.handshakeFailure: return [UInt8]("handshake failure")
    case TLSAlert.badCertificate: return [UInt8]("bad certificate")
    case TLSAlert.unsupportedCertificate: return [UInt8]("unsupported certificate")
    case TLSAlert.certificateExpired: return [UInt8]("certificate expired")
    case TLSAlert.certificateUnknown: return [UInt8]("certificate unknown")
    case TLSAlert.unknownAuthority: return [UInt8]("unknown authority")
    case TLSAlert.decryptError: return [UInt8]("decrypt error")
    case TLSAlert.internalError: return [UInt8]("internal error")
    case TLSAlert.certificateRequired: return [UInt8]("certificate required")
    default:
      var text = [UInt8]("alert ")
      appendDecimal(UInt64(alert), to: &text)
      return text
    }
  }

  /// Whether the peer was turned away, in contrast to a connection that was made and ended.
  public var isRefusal: Bool {
    switch self {
    case .finished, .closedHere, .cutOff, .failedHere, .refused: false
    default: true
    }
  }
}
