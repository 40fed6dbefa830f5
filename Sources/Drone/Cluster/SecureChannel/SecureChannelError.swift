import Bytes

/// What can be wrong with a key or a certificate before any connection.
public enum SecureChannelError: Error, Equatable, Sendable {
  /// Not an Ed25519 private key in PEM or DER (RFC 8410, §7).
  case badKey
  /// Not a certificate of an Ed25519 key in PEM or DER.
  case badCertificate
  /// The key does not belong to the certificate.
  case otherKey
  /// A name for a certificate is empty, longer than 64 bytes, or not printable ASCII.
  case badName
  /// OpenSSL has no memory, or the system no random numbers.
  case failed

  /// One phrase.
  public var text: [UInt8] {
    switch self {
    case .badKey: [UInt8]("it is no Ed25519 private key")
    case .badCertificate: [UInt8]("it is no certificate of an Ed25519 key")
    case .otherKey: [UInt8]("the key does not belong to the certificate")
    case .badName: [UInt8]("a name in a certificate is 1 to 64 printable characters")
    case .failed: [UInt8]("there is no memory, or there are no random numbers")
    }
  }
}
