import Bytes
import CSecureChannel

/// An Ed25519 private key (RFC 8032), a node's or a cluster's. Whoever writes it to a file gives that file mode 0600.
public struct SigningKey: Sendable, Equatable {
  private let seed: [UInt8]
  /// The public half.
  public let publicKey: PublicKey

  /// A fresh one from the system's random numbers.
  public init() throws(SecureChannelError) {
    var seed = [UInt8](repeating: 0, count: PublicKey.length)
    guard channel_generate_key(&seed) == 0 else { throw .failed }
    try self.init(seed: seed)
  }

  /// Reads a PKCS#8 `PRIVATE KEY` (RFC 8410, §7, as OpenSSL writes it), as DER or as a block of a PEM text. Total.
  public init(_ bytes: [UInt8]) throws(SecureChannelError) {
    let der = PEM.decoded(bytes, label: "PRIVATE KEY") ?? bytes
    let header = SigningKey.header
    guard der.count == header.count + PublicKey.length, der.starts(with: header) else { throw .badKey }
    try self.init(seed: [UInt8](der[header.count...]))
  }

  private init(seed: [UInt8]) throws(SecureChannelError) {
    var publicKey = [UInt8](repeating: 0, count: PublicKey.length)
    guard channel_public_key(seed, &publicKey) == 0, let key = PublicKey(publicKey) else { throw .failed }
    self.seed = seed
    self.publicKey = key
  }

  /// PKCS#8: 48 bytes.
  public var der: [UInt8] { SigningKey.header + seed }
  public var pem: [UInt8] { PEM.encoded(der, label: "PRIVATE KEY") }

  /// Its Ed25519 signature (RFC 8032) of these bytes, 64 bytes; nil when OpenSSL has no memory.
  ///
  /// A key also signs certificates and TLS's handshakes, whose statements begin with 0x30 and with blanks (RFC 8446, §4.4.3): these
  /// bytes must begin with neither.
  public func signature(of statement: [UInt8]) -> [UInt8]? {
    var signature = [UInt8](repeating: 0, count: PublicKey.signatureLength)
    let result = withSeed { channel_sign($0, statement, statement.count, &signature) }
    return result == 0 ? signature : nil
  }

  func withSeed<Result>(_ body: (UnsafePointer<UInt8>?) -> Result) -> Result {
    seed.withUnsafeBufferPointer { body($0.baseAddress) }
  }

  /// Made of two, so that a program with this in it does not look like a file with a key.
  private static var header: [UInt8] {
    [
      0x30, 0x2E,  // SEQUENCE, 46 bytes: OneAsymmetricKey (RFC 5958, §2)
      0x02, 0x01, 0x00,  // version 0
    ] + [
      0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70,  // algorithm 1.3.101.112, id-Ed25519 (RFC 8410, §3)
      0x04, 0x22, 0x04, 0x20,  // the key: an OCTET STRING of 32 bytes in an OCTET STRING
    ]
  }
}

/// An Ed25519 public key.
public struct PublicKey: Hashable, Sendable {
  /// 32 bytes.
  static let length = Int(channel_key_length)

  static let signatureLength = Int(channel_signature_length)

  /// As RFC 8032 encodes it.
  public let bytes: [UInt8]

  /// Nil unless there are 32 bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == PublicKey.length else { return nil }
    self.bytes = bytes
  }

  /// Whether the owner of this key signed these bytes.
  public func verifies(_ signature: [UInt8], of statement: [UInt8]) -> Bool {
    signature.count == PublicKey.signatureLength
      && channel_verify_signature(bytes, statement, statement.count, signature) == 1
  }

  /// SubjectPublicKeyInfo (RFC 8410, §4): 44 bytes.
  public var der: [UInt8] {
    [
      0x30, 0x2A,  // SEQUENCE, 42 bytes
      0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70,  // algorithm 1.3.101.112, id-Ed25519
      0x03, 0x21, 0x00,  // BIT STRING of 33 bytes, no unused bits
    ] + bytes
  }

  /// What people and records know the key by. All zeros in the one case that OpenSSL has no memory for a digest: no key has
  /// that fingerprint, so nothing matches it.
  public var fingerprint: Fingerprint { Fingerprint(bytes: sha256(der) ?? []) ?? .none }
}

/// SHA-256 of any bytes (FIPS 180-4); nil when OpenSSL has no memory.
func sha256(_ bytes: [UInt8]) -> [UInt8]? {
  var digest = [UInt8](repeating: 0, count: Int(channel_digest_length))
  return channel_sha256(bytes, bytes.count, &digest) == 0 ? digest : nil
}
