import Bytes
import CSecureChannel
import ChannelFailure

/// A certificate of an Ed25519 key (X.509, RFC 5280), read.
public struct Certificate: Sendable, Equatable {
  /// What the subject's organisational unit says.
  public enum Role: Sendable, Equatable {
    /// A cluster's authority; the subject's name is the cluster's.
    case authority
    /// A member; the subject's name is the beginning of its fingerprint.
    case node
    /// Somebody who wants to become a member.
    case joiner
    case other

    var word: StaticString {
      switch self {
      case .authority: "cluster"
      case .node: "node"
      case .joiner: "joiner"
      case .other: "other"
      }
    }
  }

  /// The bytes that were read.
  public let der: [UInt8]
  public let publicKey: PublicKey
  public let role: Role
  /// The subject's common name; what is not printable ASCII in it is a question mark.
  public let name: [UInt8]
  public let serial: [UInt8]
  /// Seconds since 1970.
  public let notBefore: Int64
  public let notAfter: Int64
  /// It may sign others.
  public let isAuthority: Bool
  /// Its own key signed it, and the signature is right.
  public let isSelfSigned: Bool

  /// Reads DER or the first `CERTIFICATE` block of a PEM text, at most `largest` bytes of DER. Total.
  public init(_ bytes: [UInt8]) throws(SecureChannelError) {
    let der = PEM.decoded(bytes, label: "CERTIFICATE") ?? bytes
    var read = channel_certificate()
    guard channel_read_certificate(der, der.count, &read) == 0 else { throw .badCertificate }
    guard let key = PublicKey(withUnsafeBytes(of: read.public_key) { [UInt8]($0) }) else { throw .badCertificate }
    self.der = der
    publicKey = key
    isAuthority = read.is_authority != 0
    isSelfSigned = read.is_self_signed != 0
    notBefore = read.not_before
    notAfter = read.not_after
    serial = withUnsafeBytes(of: read.serial) { [UInt8]($0.prefix(read.serial_length)) }
    name = withUnsafeBytes(of: read.name) {
      $0.prefix(read.name_length).map { isPrintable($0) ? $0 : UInt8(ascii: "?") }
    }
    let word = withUnsafeBytes(of: read.role) { [UInt8]($0.prefix(read.role_length)) }
    if word.spells(Role.authority.word) {
      role = .authority
    } else if word.spells(Role.node.word) {
      role = .node
    } else if word.spells(Role.joiner.word) {
      role = .joiner
    } else {
      role = .other
    }
  }

  /// Bytes of DER that are read at most.
  public static let largest = Int(channel_largest_certificate)

  public var pem: [UInt8] { PEM.encoded(der, label: "CERTIFICATE") }
  public var fingerprint: Fingerprint { publicKey.fingerprint }
}

extension Certificate {
  /// The authority of a new cluster: a certificate that its key signs itself.
  /// - Parameters:
  ///   - name: the cluster's, 1 to 64 printable ASCII characters.
  ///   - notBefore: seconds since 1970; no node takes an earlier time for the present.
  ///   - notAfter: seconds since 1970; then the whole cluster ends.
  public static func authority(
    name: [UInt8], key: SigningKey, notBefore: Int64, notAfter: Int64
  ) throws(SecureChannelError) -> Certificate {
    try make(
      key.publicKey, signer: key, authority: nil, role: .authority, name: name, notBefore: notBefore,
      notAfter: notAfter)
  }

  /// A member's certificate, which lives as long as the authority's.
  /// - Parameter key: the authority's private key; another one throws.
  public func issue(for node: PublicKey, key: SigningKey) throws(SecureChannelError) -> Certificate {
    guard key.publicKey == publicKey else { throw .otherKey }
    return try Certificate.make(
      node, signer: key, authority: self, role: .node, name: Certificate.name(of: node), notBefore: notBefore,
      notAfter: notAfter)
  }

  /// What a node shows before it is a member. It never expires: it proves nothing but its key.
  public static func joiner(_ key: SigningKey) throws(SecureChannelError) -> Certificate {
    try make(
      key.publicKey, signer: key, authority: nil, role: .joiner, name: name(of: key.publicKey), notBefore: 0,
      notAfter: noExpiration)
  }

  /// Whether this is a member's certificate under `authority` at `time` (seconds since 1970): nil if so, or else why not.
  public func objection(under authority: Certificate, at time: Int64) -> ClosedReason? {
    ClosedReason(channel_verify(der, der.count, authority.der, authority.der.count, time))
  }

  /// 31 December 9999, 23:59:59: "no well-defined expiration date" (RFC 5280, §4.1.2.5).
  static let noExpiration: Int64 = 253_402_300_799

  /// The first 32 digits of the fingerprint, so that no two nodes share a subject.
  private static func name(of key: PublicKey) -> [UInt8] {
    hexadecimalText([UInt8](key.fingerprint.bytes.prefix(16)))
  }

  private static func make(
    _ publicKey: PublicKey, signer: SigningKey, authority: Certificate?, role: Role, name: [UInt8], notBefore: Int64,
    notAfter: Int64
  ) throws(SecureChannelError) -> Certificate {
    guard (1...Int(channel_longest_name)).contains(name.count), name.allSatisfy(isPrintable) else { throw .badName }
    guard (0...noExpiration).contains(notBefore), (notBefore...noExpiration).contains(notAfter) else { throw .failed }
    var der = [UInt8](repeating: 0, count: largest)
    let mayIssue = role == .authority
    let role = terminated([UInt8](role.word))
    let name = terminated(name)
    let length = publicKey.bytes.withUnsafeBufferPointer { publicKey in
      signer.withSeed { seed in
        role.withUnsafeBufferPointer { role in
          name.withUnsafeBufferPointer { name in
            (authority?.der ?? []).withUnsafeBufferPointer { issuer in
              var request = channel_request()
              request.public_key = publicKey.baseAddress
              request.signer = seed
              if authority != nil {
                request.authority = issuer.baseAddress
                request.authority_length = issuer.count
              } else {
                request.is_authority = mayIssue ? 1 : 0
              }
              request.role = role.baseAddress
              request.name = name.baseAddress
              request.not_before = notBefore
              request.not_after = notAfter
              return channel_make_certificate(&request, &der, der.count)
            }
          }
        }
      }
    }
    guard length > 0, length <= der.count else { throw .failed }
    return try Certificate([UInt8](der.prefix(length)))
  }
}

private func isPrintable(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) }

/// A C string.
private func terminated(_ text: [UInt8]) -> [CChar] { text.map { CChar(bitPattern: $0) } + [0] }
