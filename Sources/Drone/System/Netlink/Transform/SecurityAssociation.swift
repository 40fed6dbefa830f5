import Addresses
import Bytes

/// An IPsec security association to be given to the kernel: ESP (RFC 4303) in transport mode with an authenticated cipher,
/// for packets of one direction between two hosts.
///
/// ```swift
/// let key = AEADKey.aesGCM16(key: sixteenBytes, salt: fourBytes)
/// let inbound = SecurityAssociation(source: peer, destination: own, spi: 0x1234_5678, key: key)
/// try socket.perform(.add(inbound, layout: .native))
/// ```
public struct SecurityAssociation: Equatable, Sendable {
  public var source: InternetAddress
  public var destination: InternetAddress
  /// The security parameter index, chosen by the receiver; 256 and above (RFC 4303 §2.1).
  public var spi: UInt32
  public var key: AEADKey
  /// Ties associations to policies' templates; 0 ties to those with 0.
  public var requestID: UInt32
  /// How far behind the newest a packet may come, in packets; 1–4096.
  public var replayWindow: UInt32
  /// Sequence numbers of 64 bits (RFC 4303 §2.2.1): both ends must want them.
  public var extendedSequence: Bool
  /// Reaching a soft limit raises an event, reaching a hard one ends the association.
  public var softLimits: LifetimeLimits
  public var hardLimits: LifetimeLimits
  /// The number in the ACQUIRE that this association answers; the kernel drops the state that waited for it. 0 if none
  /// was asked: the kernel then looks for a waiting state by addresses, mode and request id.
  public var acquireSequence: UInt32

  public init(
    source: InternetAddress, destination: InternetAddress, spi: UInt32, key: AEADKey, requestID: UInt32 = 0,
    replayWindow: UInt32 = 128, extendedSequence: Bool = false, softLimits: LifetimeLimits = .none,
    hardLimits: LifetimeLimits = .none, acquireSequence: UInt32 = 0
  ) {
    self.source = source
    self.destination = destination
    self.spi = spi
    self.key = key
    self.requestID = requestID
    self.replayWindow = replayWindow
    self.extendedSequence = extendedSequence
    self.softLimits = softLimits
    self.hardLimits = hardLimits
    self.acquireSequence = acquireSequence
  }

  /// By what the kernel finds it again.
  public var name: SecurityAssociationName { SecurityAssociationName(destination: destination, spi: spi) }
}

/// What names an ESP association: its receiver and the index that the receiver chose.
public struct SecurityAssociationName: Hashable, Sendable {
  public var destination: InternetAddress
  public var spi: UInt32

  public init(destination: InternetAddress, spi: UInt32) {
    self.destination = destination
    self.spi = spi
  }
}

/// An authenticated cipher of ESP.
public enum AEADCipher: UInt8, Hashable, Sendable, CaseIterable {
  /// AES in Galois/Counter Mode with a tag of 16 bytes (RFC 4106).
  case aesGCM16 = 1
  /// ChaCha20 with Poly1305 (RFC 7634).
  case chaCha20Poly1305 = 2

  /// The kernel's name of it.
  var algorithm: [UInt8] {
    switch self {
    case .aesGCM16: [UInt8]("rfc4106(gcm(aes))")
    case .chaCha20Poly1305: [UInt8]("rfc7539esp(chacha20,poly1305)")
    }
  }

  /// Bits of the tag that proves a packet.
  static let tagBits: UInt32 = 128
  /// Bytes of the salt, which begins every nonce (RFC 4106 §4, RFC 7634 §2).
  public static let saltSize = 4

  /// Whether a key may have this many bytes.
  public func takesKey(ofSize size: Int) -> Bool {
    switch self {
    case .aesGCM16: size == 16 || size == 24 || size == 32
    case .chaCha20Poly1305: size == 32
    }
  }
}

/// A cipher with the bytes that nobody else may know. **The same key must never be given to the kernel twice**: an
/// association starts its nonces anew, and two packets under one nonce betray the key.
public struct AEADKey: Equatable, Sendable {
  public let cipher: AEADCipher
  /// Key and salt, one behind the other.
  public let material: [UInt8]

  /// Nil if the key is not of a size that the cipher has, or the salt not of four bytes.
  public init?(_ cipher: AEADCipher, key: [UInt8], salt: [UInt8]) {
    self.init(cipher, material: key + salt, saltSize: salt.count)
  }

  /// - Parameter material: the key, then the salt in its last four bytes: as an exporter gives them in one piece.
  public init?(_ cipher: AEADCipher, material: [UInt8]) {
    self.init(cipher, material: material, saltSize: AEADCipher.saltSize)
  }

  private init?(_ cipher: AEADCipher, material: [UInt8], saltSize: Int) {
    guard saltSize == AEADCipher.saltSize, cipher.takesKey(ofSize: material.count - saltSize) else { return nil }
    self.cipher = cipher
    self.material = material
  }

  /// `struct xfrm_algo_aead`: name in 64 bytes, bits of key (with salt) and tag, key.
  var bytes: [UInt8] {
    let name = cipher.algorithm
    return name + [UInt8](repeating: 0, count: 64 - name.count)
      + UInt32(truncatingIfNeeded: material.count * 8).nativeBytes + AEADCipher.tagBits.nativeBytes + material
  }
}

/// How long an association may live: whichever limit is reached first ends it.
public struct LifetimeLimits: Hashable, Sendable {
  /// Of all packets that went through; `UInt64.max` for no limit.
  public var bytes: UInt64
  public var packets: UInt64
  /// Seconds since it was made; 0 for no limit. The kernel shortens a soft limit by a few percent at random.
  public var secondsSinceAdded: UInt64
  /// Seconds since its first packet; 0 for no limit.
  public var secondsSinceUsed: UInt64

  public init(
    bytes: UInt64 = .max, packets: UInt64 = .max, secondsSinceAdded: UInt64 = 0, secondsSinceUsed: UInt64 = 0
  ) {
    self.bytes = bytes
    self.packets = packets
    self.secondsSinceAdded = secondsSinceAdded
    self.secondsSinceUsed = secondsSinceUsed
  }

  public static let none = LifetimeLimits()
}

/// `struct xfrm_lifetime_cfg`: of each limit the soft and the hard one.
func lifetimeBytes(soft: LifetimeLimits, hard: LifetimeLimits) -> [UInt8] {
  let limits = [
    soft.bytes, hard.bytes, soft.packets, hard.packets, soft.secondsSinceAdded, hard.secondsSinceAdded,
    soft.secondsSinceUsed, hard.secondsSinceUsed,
  ]
  return limits.flatMap { $0.nativeBytes }
}
