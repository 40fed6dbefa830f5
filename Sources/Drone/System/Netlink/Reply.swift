/// Why the kernel refused a request.
public struct NetlinkFailure: Error, Equatable, Sendable {
  /// An error number of errno(3), positive.
  public var number: Int32
  /// The kernel's own words (extended acknowledgement), empty if it gave none.
  public var explanation: [UInt8]

  public init(number: Int32, explanation: [UInt8] = []) {
    self.number = number
    self.explanation = explanation
  }
}

/// A message as the protocol's own rules see it, before its family's meaning.
public enum NetlinkReply: Equatable, Sendable {
  /// The request was carried out (NLMSG_ERROR with 0).
  case acknowledged
  /// The request failed (NLMSG_ERROR), or a list could not be read to its end (NLMSG_DONE with an error).
  case failed(NetlinkFailure)
  /// The list is complete (NLMSG_DONE).
  case done
  /// The socket's buffer was full and messages were lost (NLMSG_OVERRUN).
  case overrun
  /// Nothing (NLMSG_NOOP and control messages not defined yet).
  case nothing
  /// A message of the family: an entry of a list, or an event.
  case message(NetlinkMessage)

  /// The lowest type that belongs to a family; those below are netlink's own (NLMSG_MIN_TYPE).
  static let firstFamilyType: UInt16 = 0x10

  public init(_ message: NetlinkMessage) throws(NetlinkParseError) {
    switch message.type {
    case 2: self = try NetlinkReply.errorMessage(message)
    case 3:
      // Older kernels and some families send no error number here.
      let number = message.payload.count >= 4 ? Int32(bitPattern: message.payload.native32(at: 0)) : 0
      self = number < 0 ? .failed(NetlinkFailure(number: positive(number))) : .done
    case 4: self = .overrun
    case ..<NetlinkReply.firstFamilyType: self = .nothing
    default: self = .message(message)
    }
  }

  /// `struct nlmsgerr`: the negative error number, the request's header, its body unless capped, attributes if flagged.
  private static func errorMessage(_ message: NetlinkMessage) throws(NetlinkParseError) -> NetlinkReply {
    let payload = message.payload
    guard payload.count >= 4 else {
      throw .truncated(.body, offset: payload.startIndex, needed: 4, available: payload.count)
    }
    let number = Int32(bitPattern: payload.native32(at: 0))
    guard number != 0 else { return .acknowledged }
    var failure = NetlinkFailure(number: positive(number))
    guard message.flags.contains(.explained), payload.count >= 4 + NetlinkMessage.headerSize else {
      return .failed(failure)
    }
    var skipped = 4 + NetlinkMessage.headerSize
    if !message.flags.contains(.capped) {
      let stated = payload.native32(at: 4)
      guard let length = Int(exactly: stated), length >= NetlinkMessage.headerSize, length <= payload.count - 4 else {
        throw .wrongLength(
          .body, offset: payload.startIndex, stated: Int(clamping: stated), available: payload.count - 4)
      }
      skipped = 4 + aligned(length)
    }
    for attribute in try Attribute.list(in: payload.dropFirst(skipped)) where attribute.type == 1 {
      failure.explanation = attribute.text
    }
    return .failed(failure)
  }
}

/// The error number of errno(3), from the kernel's negative one.
private func positive(_ number: Int32) -> Int32 { number == .min ? .max : abs(number) }
