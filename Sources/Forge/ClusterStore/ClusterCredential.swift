import Bytes
import SecureChannel
import Workshop

/// A cluster's authority with its private key. Whoever holds both may admit nodes.
public struct ClusterCredential: Sendable, Equatable {
  public let name: ClusterName
  public let certificate: Certificate
  public let key: SigningKey

  /// A fresh authority.
  /// - Parameters:
  ///   - now: seconds since 1970; the authority begins then.
  ///   - years: of 365.25 days each; then every certificate of the cluster ends.
  public init(newFor name: ClusterName, now: Int64, years: Int) throws {
    do {
      let key = try SigningKey()
      self.name = name
      self.key = key
      certificate = try .authority(
        name: Array(name.text.utf8), key: key, notBefore: now, notAfter: now + Int64(years) * 31_557_600)
    } catch {
      throw BuildError.input("No authority can be made for \(name): \(words(error)).")
    }
  }

  /// Both, where they belong together. Throws a sentence otherwise.
  init(name: ClusterName, certificate: Certificate, key: SigningKey, in place: String) throws {
    guard certificate.isAuthority, certificate.isSelfSigned else {
      throw BuildError.input(
        "\(place) holds a certificate that is not a cluster's authority. Restore it from your backup.")
    }
    guard key.publicKey == certificate.publicKey else {
      throw BuildError.input(
        "\(place) holds a key that does not belong to its certificate. Restore both from your backup.")
    }
    self.name = name
    self.certificate = certificate
    self.key = key
  }

  public var fingerprint: Fingerprint { certificate.fingerprint }

  /// One PEM text with the certificate and, for a node that may admit others, the key.
  public func pem(withKey: Bool) -> [UInt8] { certificate.pem + (withKey ? key.pem : []) }
}

func words(_ error: SecureChannelError) -> String { String(decoding: error.text, as: UTF8.self) }
