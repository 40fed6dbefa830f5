import Bytes

/// What one key of one security association is made from, besides the secret of its TLS connection: the context of the
/// exporter (RFC 8446 §7.5, RFC 5705 §4).
///
/// The same call gives the same bytes, and a key that is installed twice breaks an AEAD (RFC 5116 §3.1). So every connection
/// makes keys once, for one offer, and everything that tells one security association from another is in here.
public struct KeyContext: Hashable, Sendable {
  public enum Direction: UInt8, Sendable {
    /// From the node that offered to the one that accepted.
    case forward = 1
    case backward = 2
  }

  public let direction: Direction
  /// The SPI of packets to the offering node, and of packets to the accepting one.
  public let offeredSPI: UInt32
  public let acceptedSPI: UInt32
  public let counter: UInt32
  /// SHA-256 of each node's public key, 32 bytes each.
  public let offering: [UInt8]
  public let accepting: [UInt8]

  /// The exporter's label.
  public static let label: StaticString = "EXPORTER-droneforge-esp"

  /// The exporter's context: version (1 byte), direction (1), both SPIs (4 each), counter (4), both fingerprints.
  public var bytes: [UInt8] {
    var out: [UInt8] = [1, direction.rawValue]
    for number in [offeredSPI, acceptedSPI, counter] { out.append(networkOrder: number) }
    return out + offering + accepting
  }
}
