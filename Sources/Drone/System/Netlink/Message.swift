/// Flags of a message's header (Documentation/userspace-api/netlink/intro.rst, include/uapi/linux/netlink.h).
public struct MessageFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let request = MessageFlags(rawValue: 0x1)
  /// One of several messages that a message DONE ends.
  public static let multipart = MessageFlags(rawValue: 0x2)
  /// An answer is wanted even if there is nothing to say.
  public static let acknowledge = MessageFlags(rawValue: 0x4)
  /// The list changed while it was being read: it may lack entries or hold some twice.
  public static let dumpInterrupted = MessageFlags(rawValue: 0x10)

  /// All entries, not one (NLM_F_ROOT | NLM_F_MATCH): for requests that get.
  public static let dump = MessageFlags(rawValue: 0x300)

  /// For requests that make something: take the place of one that is there; fail if it is; make one if it is not; put it
  /// behind those that are there.
  public static let replace = MessageFlags(rawValue: 0x100)
  public static let exclusive = MessageFlags(rawValue: 0x200)
  public static let create = MessageFlags(rawValue: 0x400)
  public static let append = MessageFlags(rawValue: 0x800)

  /// In an error answer: only the request's header is repeated, not its body.
  static let capped = MessageFlags(rawValue: 0x100)
  /// In an error answer: attributes follow that explain it.
  static let explained = MessageFlags(rawValue: 0x200)
}

/// A netlink message: header (`struct nlmsghdr`) and payload.
public struct NetlinkMessage: Equatable, Sendable {
  public var type: UInt16
  public var flags: MessageFlags
  /// Chosen by the sender of a request, repeated in every answer; 0 in events.
  public var sequence: UInt32
  /// The socket's number as the kernel knows it: 0 is the kernel itself.
  public var port: UInt32
  /// What follows the header; the indices count from the start of the datagram.
  public var payload: ArraySlice<UInt8>

  static let headerSize = 16

  /// Reads all messages of a datagram. Total: a length below 16 or past the end is an error, so it always moves on.
  public static func list(in datagram: ArraySlice<UInt8>) throws(NetlinkParseError) -> [NetlinkMessage] {
    var found: [NetlinkMessage] = []
    var rest = datagram
    while !rest.isEmpty {
      guard rest.count >= headerSize else {
        throw .truncated(.message, offset: rest.startIndex, needed: headerSize, available: rest.count)
      }
      let stated = rest.native32(at: 0)
      guard let length = Int(exactly: stated), length >= headerSize, length <= rest.count else {
        throw .wrongLength(
          .message, offset: rest.startIndex, stated: Int(clamping: stated), available: rest.count)
      }
      found.append(
        NetlinkMessage(
          type: rest.native16(at: 4), flags: MessageFlags(rawValue: rest.native16(at: 6)),
          sequence: rest.native32(at: 8), port: rest.native32(at: 12),
          payload: rest[(rest.startIndex + headerSize)..<(rest.startIndex + length)]))
      rest = rest.dropFirst(aligned(length))
    }
    return found
  }

  /// Reads all messages of a datagram.
  public static func list(in datagram: [UInt8]) throws(NetlinkParseError) -> [NetlinkMessage] {
    try list(in: datagram[...])
  }

  /// The attributes behind a fixed structure of this many bytes.
  func attributes(behind size: Int) throws(NetlinkParseError) -> [Attribute] {
    guard payload.count >= size else {
      throw .truncated(.body, offset: payload.startIndex, needed: size, available: payload.count)
    }
    return try Attribute.list(in: payload.dropFirst(aligned(size)))
  }
}

/// A message to be sent: everything but the sequence number, which the socket chooses.
public struct NetlinkRequest: Equatable, Sendable {
  public var type: UInt16
  public var flags: MessageFlags
  public var body: MessageBody

  public init(type: UInt16, flags: MessageFlags, body: MessageBody) {
    self.type = type
    self.flags = flags
    self.body = body
  }

  /// The message as it goes to the kernel, from port 0 ("the socket's own").
  public func encoded(sequence: UInt32) -> [UInt8] {
    var out: [UInt8] = []
    out += UInt32(truncatingIfNeeded: NetlinkMessage.headerSize + body.bytes.count).nativeBytes
    out += type.nativeBytes
    out += flags.rawValue.nativeBytes
    out += sequence.nativeBytes
    out += UInt32(0).nativeBytes
    out += body.bytes
    while out.count % 4 != 0 { out.append(0) }
    return out
  }
}
