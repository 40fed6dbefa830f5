/// What nodes say to each other over TLS on TCP 3278.
///
/// A joiner whose key nobody has certified may send one `join` and nothing else; it is answered by `pending`, `refused` or
/// `admitted` and the connection ends. Members begin with `hello`, both ways, and go on with what they came for: the map of
/// the cluster, or one negotiation of one pair of security associations.
public enum ControlMessage: Equatable, Sendable {
  /// Asks for a certificate for the key that the sender's self-signed certificate shows. `record`: the node's own
  /// description, opaque here.
  case join(record: [UInt8])
  /// The key is not approved yet; ask again. `fingerprint`: the key as the member sees it, for people to compare.
  case pending(fingerprint: [UInt8])
  /// The sender will not do what was asked, and why, as a sentence.
  case refused(reason: [UInt8])
  /// The certificate that was asked for and the authority it stands under, both DER (X.690).
  case admitted(certificate: [UInt8], authority: [UInt8])
  case hello(Hello)
  /// Asks for everything the peer knows of the cluster.
  case mapRequest
  /// A part of what the sender knows of the cluster, opaque here. `isLast`: no more parts follow.
  case map(part: [UInt8], isLast: Bool)
  case offer(TunnelOffer)
  case accept(TunnelAccept)
  /// From the one who offered: both its security associations stand. From the other one: so do mine.
  case ready
  case refuse(TunnelRefusal)
  /// The sender is leaving the cluster now.
  case leave
}

/// Who a member is, sent first in both directions.
public struct Hello: Equatable, Sendable {
  /// SHA-256 of the public key of the authority that the sender's cluster stands under; 32 bytes.
  public var cluster: [UInt8]
  /// The sender's clock, in seconds since 1970: the receiver's certificates are not judged by any earlier time.
  public var time: UInt64
  /// The sender's own description, opaque here.
  public var record: [UInt8]

  public init(cluster: [UInt8], time: UInt64, record: [UInt8]) {
    self.cluster = cluster
    self.time = time
    self.record = record
  }
}

/// An algorithm for ESP, encrypting and authenticating at once.
public enum TunnelCipher: UInt8, CaseIterable, Sendable {
  /// AES-128-GCM with a 16-byte check value (RFC 4106).
  case aes128GCM = 1
  /// ChaCha20-Poly1305 (RFC 7634).
  case chaCha20Poly1305 = 2

  /// Bytes of key material: the key and a salt of four bytes.
  public var keyLength: Int {
    switch self {
    case .aes128GCM: 16 + 4
    case .chaCha20Poly1305: 32 + 4
    }
  }
}

/// Asks for a pair of security associations. The sender has installed nothing yet.
public struct TunnelOffer: Equatable, Sendable {
  /// The two nodes as the sender knows them.
  public var from: UInt16
  public var to: UInt16
  /// What packets to the sender are to carry (RFC 4303 §2.1), 256 or above.
  public var spi: UInt32
  /// How many negotiations the sender began with this node before: part of the keys' context.
  public var counter: UInt32
  /// At most eight, the preferred one first. Numbers of unknown ciphers are passed over.
  public var ciphers: [TunnelCipher]

  public init(from: UInt16, to: UInt16, spi: UInt32, counter: UInt32, ciphers: [TunnelCipher]) {
    self.from = from
    self.to = to
    self.spi = spi
    self.counter = counter
    self.ciphers = ciphers
  }
}

/// Agrees to an offer: the sender's inbound security association stands.
public struct TunnelAccept: Equatable, Sendable {
  public var spi: UInt32
  public var cipher: TunnelCipher

  public init(spi: UInt32, cipher: TunnelCipher) {
    self.spi = spi
    self.cipher = cipher
  }
}

/// Why an offer is not accepted.
public enum TunnelRefusal: UInt8, CaseIterable, Sendable {
  /// The receiver made an offer at the same time, and its id is the lower one: that offer goes on.
  case simultaneous = 1
  /// The sender is no live member as the receiver knows it.
  case notMember = 2
  case noCommonCipher = 3
  /// The offer is meant for a node of another id.
  case wrongNode = 4
  /// The receiver's kernel did not take the security association.
  case kernel = 5
}
