import Bytes

/// An IPv4 address (RFC 791), kept as its 32 bits in host order: 192.168.1.21 is 0xC0A80115.
public struct IPv4Address: Hashable, Comparable, Sendable {
  /// The address as a number: the first dotted part is the highest byte.
  public var bits: UInt32

  public init(bits: UInt32) { self.bits = bits }

  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
  }

  /// 0.0.0.0: "no address yet" in DHCP and "unset" in `ip=`.
  public static let unspecified = IPv4Address(bits: 0)
  /// 255.255.255.255: every host on the link.
  public static let broadcast = IPv4Address(bits: .max)

  /// The four bytes in network order.
  public var octets: [UInt8] {
    [UInt8(bits >> 24), UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
  }

  /// An address from exactly four bytes in network order; nil for any other count.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 4 else { return nil }
    bits = UInt32(networkOrder: octets)
  }

  /// Reads exactly four decimal parts of 0–255 separated by dots, nothing before or after; nil for anything else.
  /// Leading zeros are read as decimal (`010` is 10), as the kernel's in_aton() does.
  public init?(text: some Collection<UInt8>) {
    var parts = 0
    var digits = 0
    var value: UInt32 = 0
    var result: UInt32 = 0
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
        digits += 1
        guard value <= 255, digits <= 3 else { return nil }
      case UInt8(ascii: "."):
        guard digits > 0, parts < 3 else { return nil }
        result = result << 8 | value
        parts += 1
        digits = 0
        value = 0
      default:
        return nil
      }
    }
    guard parts == 3, digits > 0 else { return nil }
    bits = result << 8 | value
  }

  /// The dotted form as ASCII bytes.
  public var text: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(15)
    for (index, octet) in octets.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ".")) }
      appendDecimal(UInt64(octet), to: &out)
    }
    return out
  }

  /// Eight lower-case hexadecimal digits, highest byte first: `c0a80115`.
  public var hexadecimal: [UInt8] { hexadecimalText(octets) }

  /// Usable as a host's own address: not 0.0.0.0, not in 0/8 or 127/8, not multicast or above (RFC 1122 §3.2.1.3).
  public var isHostAddress: Bool {
    let first = bits >> 24
    return first != 0 && first != 127 && first < 224
  }

  /// The mask that an address had before CIDR (RFC 791 §3.2): class A 255.0.0.0, B 255.255.0.0, C 255.255.255.0; nil
  /// for classes D and E.
  public var classfulNetmask: Netmask? {
    switch bits >> 24 {
    case 0..<128: Netmask(prefixLength: 8)
    case 128..<192: Netmask(prefixLength: 16)
    case 192..<224: Netmask(prefixLength: 24)
    default: nil
    }
  }

  public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }
}

/// An IPv4 netmask: leading one bits, the rest zero (RFC 950; RFC 4632 §3.1).
public struct Netmask: Hashable, Sendable {
  /// Number of leading one bits, 0–32.
  public let prefixLength: UInt8

  private init(knownLength: UInt8) { prefixLength = knownLength }

  /// 0.0.0.0: matches every address; a default route has it.
  public static let everywhere = Netmask(knownLength: 0)
  /// 255.255.255.255: matches one address only.
  public static let host = Netmask(knownLength: 32)

  /// Nil above 32.
  public init?(prefixLength: UInt8) {
    guard prefixLength <= 32 else { return nil }
    self.prefixLength = prefixLength
  }

  /// A mask written as an address (255.255.255.0); nil if its ones are not contiguous.
  public init?(_ address: IPv4Address) {
    let ones = UInt8((~address.bits).leadingZeroBitCount)
    guard let mask = Netmask(prefixLength: ones), mask.bits == address.bits else { return nil }
    self = mask
  }

  public var bits: UInt32 { prefixLength == 0 ? 0 : UInt32.max << UInt32(32 - prefixLength) }
  public var address: IPv4Address { IPv4Address(bits: bits) }

  /// Whether both addresses lie in the same network under this mask.
  public func sameNetwork(_ a: IPv4Address, _ b: IPv4Address) -> Bool { (a.bits ^ b.bits) & bits == 0 }

  /// The address of the network in which an address lies: its bits under this mask.
  public func network(of address: IPv4Address) -> IPv4Address { IPv4Address(bits: address.bits & bits) }

  /// The network's directed broadcast address.
  public func broadcast(of address: IPv4Address) -> IPv4Address { IPv4Address(bits: address.bits | ~bits) }
}
