import Addresses
import Bytes

/// One attribute of a message that was received.
public struct Attribute: Equatable, Sendable {
  /// The type without its flags.
  public let type: UInt16
  /// The sender marked the value as attributes again (NLA_F_NESTED). Not all senders do.
  public let isNested: Bool
  /// The value without padding; its indices count from the start of the datagram.
  public let value: ArraySlice<UInt8>

  static let nestedFlag: UInt16 = 0x8000
  private static let typeMask: UInt16 = 0x3FFF

  /// Reads a list of attributes that fills the bytes.
  ///
  /// Total: a length below four, one that runs past the end, or one to three bytes left over are errors. Missing padding
  /// behind the last attribute is not.
  public static func list(in bytes: ArraySlice<UInt8>) throws(NetlinkParseError) -> [Attribute] {
    var found: [Attribute] = []
    var rest = bytes
    while !rest.isEmpty {
      guard rest.count >= 4 else {
        throw .truncated(.attribute, offset: rest.startIndex, needed: 4, available: rest.count)
      }
      let length = Int(rest.native16(at: 0))
      guard length >= 4, length <= rest.count else {
        throw .wrongLength(.attribute, offset: rest.startIndex, stated: length, available: rest.count)
      }
      let type = rest.native16(at: 2)
      let value = rest[(rest.startIndex + 4)..<(rest.startIndex + length)]
      found.append(Attribute(type: type & typeMask, isNested: type & nestedFlag != 0, value: value))
      rest = rest.dropFirst(aligned(length))
    }
    return found
  }

  /// The attributes in the value.
  public func nested() throws(NetlinkParseError) -> [Attribute] { try Attribute.list(in: value) }

  /// The value as a number of four bytes in the machine's order.
  public func native32() throws(NetlinkParseError) -> UInt32 {
    try require(4)
    return value.native32(at: 0)
  }

  /// The value as one byte.
  public func byte() throws(NetlinkParseError) -> UInt8 {
    try require(1)
    return value.byte(at: 0)
  }

  /// The value as a number in network order.
  public func bigEndian32() throws(NetlinkParseError) -> UInt32 {
    try require(4)
    return UInt32(networkOrder: value)
  }

  /// The value as a number in network order.
  public func bigEndian64() throws(NetlinkParseError) -> UInt64 {
    try require(8)
    return UInt64(networkOrder: value)
  }

  /// The value up to its first zero.
  public var text: [UInt8] { [UInt8](value.prefix { $0 != 0 }) }

  /// The value as an IPv4 address.
  public func address() throws(NetlinkParseError) -> IPv4Address {
    guard let address = IPv4Address(octets: value) else { throw wrongSize(4) }
    return address
  }

  private func require(_ count: Int) throws(NetlinkParseError) {
    guard value.count == count else { throw wrongSize(count) }
  }

  /// An error if the value is too short for its structure.
  func require(atLeast count: Int) throws(NetlinkParseError) {
    guard value.count >= count else { throw wrongSize(count) }
  }

  private func wrongSize(_ count: Int) -> NetlinkParseError {
    .wrongValueSize(attribute: type, offset: value.startIndex, expected: count, actual: value.count)
  }
}
