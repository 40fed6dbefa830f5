import Bytes

/// An Ethernet hardware address, six bytes (IEEE 802 EUI-48).
public struct MACAddress: Hashable, Sendable {
  /// The address as a number: the first byte sent is the highest of the low 48 bits.
  public let bits: UInt64

  /// Nil unless there are exactly six bytes.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 6 else { return nil }
    bits = UInt64(networkOrder: octets)
  }

  public static let broadcast = MACAddress(known: 0xFFFF_FFFF_FFFF)
  public static let zero = MACAddress(known: 0)

  private init(known bits: UInt64) { self.bits = bits }

  /// The first two of the six bytes, and the other four.
  public init(high: UInt16, low: UInt32) { bits = UInt64(high) << 32 | UInt64(low) }

  /// Nil for a number of more than 48 bits.
  public init?(bits: UInt64) {
    guard bits >> 48 == 0 else { return nil }
    self.bits = bits
  }

  /// Reads six pairs of hexadecimal digits, all separated by `:` or all by `-`; nil for anything else.
  public init?(text: some Collection<UInt8>) {
    guard text.count == 17 else { return nil }
    var value: UInt64 = 0
    var separator: UInt8?
    for (index, byte) in text.enumerated() {
      if index % 3 == 2 {
        guard byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-"), separator == nil || separator == byte else {
          return nil
        }
        separator = byte
      } else {
        guard let digit = hexadecimalDigit(byte) else { return nil }
        value = value << 4 | UInt64(digit)
      }
    }
    bits = value
  }

  /// The six bytes in the order in which they are sent.
  public var octets: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(6)
    for index in 0..<6 { out.append(UInt8(bits >> UInt64(40 - 8 * index) & 0xFF)) }
    return out
  }

  /// `52:54:00:12:34:56` as ASCII bytes, lower case.
  public var text: [UInt8] {
    var out: [UInt8] = []
    for (index, octet) in octets.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ":")) }
      out += hexadecimalByte(octet)
    }
    return out
  }
}
