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
    switch self {
    case .truncated(let part, let offset, let needed, let available):
      [UInt8]("netlink \(part.name) at byte \(offset): \(available) bytes left of \(needed)")
    case .wrongLength(let part, let offset, let stated, let available):
      [UInt8]("netlink \(part.name) at byte \(offset): length \(stated) in \(available) bytes")
    case .wrongValueSize(let attribute, let offset, let expected, let actual):
      [UInt8]("netlink attribute \(attribute) at byte \(offset): value of \(actual) bytes, not \(expected)")
    case .wrongValue(let offset): [UInt8]("netlink value at byte \(offset) is impossible")
    }
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
