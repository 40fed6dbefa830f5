import Bytes

/// Why bytes are not the netlink message they should be. Offsets count from the start of the datagram.
public enum NetlinkParseError: Error, Equatable, Sendable {
  /// What was being read.
  public enum Part: Equatable, Sendable {
    /// `struct nlmsghdr` and what its length covers.
    case message
    /// The fixed structure behind the header, as `struct ifinfomsg`.
    case body
    /// `struct nlattr` and what its length covers.
    case attribute
  }

  /// Fewer bytes are left than the part's fixed structure needs.
  case truncated(Part, offset: Int, needed: Int, available: Int)
  /// The part's own length field is below its header's size or runs past the end of what holds it.
  case wrongLength(Part, offset: Int, stated: Int, available: Int)
  /// An attribute's value has not the size of its type.
  case wrongValueSize(attribute: UInt16, offset: Int, expected: Int, actual: Int)
  /// A value that its field cannot have, as a prefix of 40 bits for an IPv4 address.
  case wrongValue(offset: Int)

  /// One line for a log: `netlink attribute 3 at byte 40: value of 2 bytes, not 4`.
  public var text: [UInt8] {
    var out: [UInt8] = [UInt8]("netlink ")
    switch self {
    case .truncated(let part, let offset, let needed, let available):
      out += part.name + [UInt8](" at byte ") + decimalText(offset) + [UInt8](": ") + decimalText(available)
      out += [UInt8](" bytes left of ") + decimalText(needed)
    case .wrongLength(let part, let offset, let stated, let available):
      out += part.name + [UInt8](" at byte ") + decimalText(offset) + [UInt8](": length ") + decimalText(stated)
      out += [UInt8](" in ") + decimalText(available) + [UInt8](" bytes")
    case .wrongValueSize(let attribute, let offset, let expected, let actual):
      out += [UInt8]("attribute ") + decimalText(attribute) + [UInt8](" at byte ") + decimalText(offset)
      out += [UInt8](": value of ") + decimalText(actual) + [UInt8](" bytes, not ") + decimalText(expected)
    case .wrongValue(let offset):
      out += [UInt8]("value at byte ") + decimalText(offset) + [UInt8](" is impossible")
    }
    return out
  }
}

extension NetlinkParseError.Part {
  fileprivate var name: [UInt8] {
    switch self {
    case .message: [UInt8]("message")
    case .body: [UInt8]("body")
    case .attribute: [UInt8]("attribute")
    }
  }
}
