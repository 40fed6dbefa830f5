/// How a network treats what is sent through it. Times are milliseconds, chances thousandths.
public struct Network: Sendable {
  public var delay: ClosedRange<UInt64> = 1...4
  public var loss: UInt64 = 0
  public var duplication: UInt64 = 0
  /// How many datagrams come late, by as much as `lateness`, so that others overtake them.
  public var reordering: UInt64 = 0
  public var lateness: UInt64 = 100
  /// How often a kernel does not take associations, in thousandths.
  public var failedInstallation: UInt64 = 0
  /// How long it takes two members to make a tunnel: TLS with certificates, on slow processors.
  public var handshake: ClosedRange<UInt64> = 100...400
  /// How long a connection to a node that does not answer is tried.
  public var connectTimeout: UInt64 = 1000

  public init() {}

  /// A switched LAN.
  public static let lan = Network()

  /// Worse than any LAN that anybody would put a cluster on.
  public static let bad = {
    var network = Network()
    network.delay = 2...60
    network.loss = 50
    network.duplication = 20
    network.reordering = 50
    network.handshake = 100...900
    network.failedInstallation = 20
    return network
  }()

  /// What a TLS 1.3 handshake with certificates both ways and the messages that make a tunnel take, in bytes both ways with
  /// TCP/IP headers.
  static let handshakeBytes = 3000

  /// A UDP datagram in ESP in transport mode over IPv4 with AES-GCM: IP header, SPI and sequence number, IV, the encrypted part
  /// padded to four bytes (UDP header, payload, pad length, next header), ICV of 16 bytes (RFC 4303, RFC 4106).
  public static func espBytes(payload: Int) -> Int { 20 + 8 + 8 + (8 + payload + 2 + 3) / 4 * 4 + 16 }
}
