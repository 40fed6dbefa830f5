import Bytes

/// An IPv6 address (RFC 4291), kept as two halves in host order.
public struct IPv6Address: Hashable, Sendable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An address from exactly 16 bytes in network order; nil for any other count.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 16 else { return nil }
    high = UInt64(networkOrder: octets.prefix(8))
    low = UInt64(networkOrder: octets.dropFirst(8))
  }

  /// Whether a host can have it: not the unspecified address, not the loopback, no multicast group and no IPv4 address in
  /// other clothes (RFC 4291 §2.5–2.7).
  public var isHostAddress: Bool {
    if high == 0 { return low >> 32 != 0 && low >> 32 != 0xFFFF }
    return high >> 56 != 0xFF
  }

  /// Valid on one link only: fe80::/10.
  public var isLinkLocal: Bool { high >> 54 == 0x3FA }

  /// The 16 bytes in network order.
  public var octets: [UInt8] {
    [high, low].flatMap { half in
      (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) }
    }
  }
}

/// An address of either version of the Internet Protocol.
public enum InternetAddress: Hashable, Sendable {
  case ipv4(IPv4Address)
  case ipv6(IPv6Address)

  /// The four or 16 bytes in network order.
  public var octets: [UInt8] {
    switch self {
    case .ipv4(let address): address.octets
    case .ipv6(let address): address.octets
    }
  }

  /// Bits of an address of this version: 32 or 128.
  public var width: UInt8 {
    switch self {
    case .ipv4: 32
    case .ipv6: 128
    }
  }

  /// Nil for IPv6.
  public var ipv4: IPv4Address? {
    if case .ipv4(let address) = self { address } else { nil }
  }
}
