import Bytes
import CSecureChannel

/// What this side of connections is: its key and certificate, and the authority under which peers must stand. Made once and
/// used by many connections; not shared between threads.
public final class ChannelIdentity {
  public let certificate: Certificate
  public let authority: Certificate
  let context: OpaquePointer

  /// - Parameters:
  ///   - certificate: of a member (`Certificate.issue`) or of somebody who wants to become one (`Certificate.joiner`).
  ///   - authority: the cluster's.
  public init(key: SigningKey, certificate: Certificate, authority: Certificate) throws(SecureChannelError) {
    guard key.publicKey == certificate.publicKey else { throw .otherKey }
    let context = key.withSeed { seed in
      channel_context_new(
        seed, certificate.der, certificate.der.count, authority.der, authority.der.count)
    }
    guard let context else { throw .failed }
    self.certificate = certificate
    self.authority = authority
    self.context = context
  }

  deinit { channel_context_free(context) }

  /// The own key's fingerprint.
  public var fingerprint: Fingerprint { certificate.fingerprint }
}
