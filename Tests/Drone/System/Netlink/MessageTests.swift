import Testing

@testable import Netlink

/// Framing: messages in datagrams, attributes in messages, and the protocol's own answers.
@Suite struct MessageTests {
  @Test("messages of one datagram are read one after the other, padding skipped")
  func several() throws {
    let bytes: [UInt8] = [
      17, 0, 0, 0, 30, 0, 2, 0, 1, 0, 0, 0, 9, 0, 0, 0,  // 17 bytes, type 30, multipart, sequence 1, port 9
      0xAA, 0, 0, 0,  // payload of one byte, padding
      16, 0, 0, 0, 3, 0, 2, 0, 1, 0, 0, 0, 9, 0, 0, 0,  // DONE without error number
    ]
    let messages = try NetlinkMessage.list(in: bytes)
    #expect(messages.map(\.type) == [30, 3])
    #expect(messages.first?.payload == [0xAA])
    #expect(messages.first?.flags == .multipart)
    #expect(messages.first?.sequence == 1)
    #expect(messages.first?.port == 9)
    #expect(try messages.last.map(NetlinkReply.init) == .done)
  }

  @Test(
    "a datagram that is not whole messages is an error that says where",
    arguments: [
      ([1, 2, 3], .truncated(.message, offset: 0, needed: 16, available: 3)),
      ([0, 0, 0, 0] + zeros(12), .wrongLength(.message, offset: 0, stated: 0, available: 16)),
      ([15, 0, 0, 0] + zeros(12), .wrongLength(.message, offset: 0, stated: 15, available: 16)),
      ([17, 0, 0, 0] + zeros(12), .wrongLength(.message, offset: 0, stated: 17, available: 16)),
      ([255, 255, 255, 255] + zeros(12), .wrongLength(.message, offset: 0, stated: 4_294_967_295, available: 16)),
      ([16, 0, 0, 0] + zeros(12) + [9], .truncated(.message, offset: 16, needed: 16, available: 1)),
    ] as [([UInt8], NetlinkParseError)])
  func wrongMessages(bytes: [UInt8], error: NetlinkParseError) {
    #expect(throws: error) { try NetlinkMessage.list(in: bytes) }
  }

  @Test(
    "attributes that do not fill their space are an error that says where",
    arguments: [
      ([4], .truncated(.attribute, offset: 0, needed: 4, available: 1)),
      ([0, 0, 1, 0], .wrongLength(.attribute, offset: 0, stated: 0, available: 4)),
      ([3, 0, 1, 0], .wrongLength(.attribute, offset: 0, stated: 3, available: 4)),
      ([5, 0, 1, 0], .wrongLength(.attribute, offset: 0, stated: 5, available: 4)),
      ([8, 0, 1, 0, 1, 2, 3, 4, 255, 255, 1, 0], .wrongLength(.attribute, offset: 8, stated: 65535, available: 4)),
      ([8, 0, 1, 0, 1, 2, 3, 4, 0, 0], .truncated(.attribute, offset: 8, needed: 4, available: 2)),
    ] as [([UInt8], NetlinkParseError)])
  func wrongAttributes(bytes: [UInt8], error: NetlinkParseError) {
    #expect(throws: error) { try Attribute.list(in: bytes[...]) }
  }

  @Test("the last attribute may lack its padding, flags are no part of a type")
  func attributes() throws {
    let bytes: [UInt8] = [
      4, 0, 9, 0x80,  // nested, empty
      5, 0, 1, 0x40, 7, 0, 0, 0,  // in network order
      6, 0, 2, 0, 8, 9,
    ]
    let list = try Attribute.list(in: bytes[...])
    #expect(list.map(\.type) == [9, 1, 2])
    #expect(list.map(\.isNested) == [true, false, false])
    #expect(list.map { [UInt8]($0.value) } == [[], [7], [8, 9]])
  }

  @Test("a value of the wrong size is an error that names the attribute")
  func wrongSize() throws {
    let bytes = message(16, zeros(16)) { $0.attribute(4, [1, 2]) }
    #expect(throws: NetlinkParseError.wrongValueSize(attribute: 4, offset: 36, expected: 4, actual: 2)) {
      try routeMessage(bytes)
    }
    let error = NetlinkParseError.wrongValueSize(attribute: 4, offset: 36, expected: 4, actual: 2)
    #expect(String(decoding: error.text, as: UTF8.self) == "netlink attribute 4 at byte 36: value of 2 bytes, not 4")
  }

  @Test("a body shorter than its structure, or a prefix above 32, is an error")
  func wrongBody() throws {
    #expect(throws: NetlinkParseError.truncated(.body, offset: 16, needed: 16, available: 8)) {
      try routeMessage(message(16, zeros(8)))
    }
    #expect(throws: NetlinkParseError.wrongValue(offset: 17)) {
      try routeMessage(message(20, [2, 33, 0, 0, 1, 0, 0, 0]))
    }
  }

  @Test("the kernel's yes, its no with and without words, and the end of a list")
  func replies() throws {
    let header: [UInt8] = [36, 0, 0, 0, 16, 0, 5, 0, 7, 0, 0, 0, 0, 0, 0, 0]
    #expect(try reply(2, [], zeros(4) + header) == .acknowledged)
    let refused: [UInt8] = [0xEF, 0xFF, 0xFF, 0xFF]  // -17, EEXIST
    #expect(try reply(2, [], refused + header) == .failed(NetlinkFailure(number: 17)))
    var words = MessageBody()
    words.attribute(2, native: 12)  // NLMSGERR_ATTR_OFFS
    words.attribute(1, text: [UInt8]("File exists"))  // NLMSGERR_ATTR_MSG
    let explained = NetlinkFailure(number: 17, explanation: [UInt8]("File exists"))
    #expect(try reply(2, [.capped, .explained], refused + header + words.bytes) == .failed(explained))
    #expect(try reply(2, .explained, refused + header + zeros(20) + words.bytes) == .failed(explained))
    #expect(try reply(3, .multipart, zeros(4)) == .done)
    #expect(try reply(3, .multipart, refused) == .failed(NetlinkFailure(number: 17)))
    #expect(try reply(4, [], []) == .overrun)
    #expect(try reply(1, [], []) == .nothing)
    #expect(throws: NetlinkParseError.truncated(.body, offset: 16, needed: 4, available: 3)) {
      try reply(2, [], zeros(3))
    }
    #expect(try reply(2, [], [0, 0, 0, 0x80]) == .failed(NetlinkFailure(number: .max)))
  }

  private func reply(_ type: UInt16, _ flags: MessageFlags, _ payload: [UInt8]) throws -> NetlinkReply? {
    let bytes = NetlinkRequest(type: type, flags: flags, body: MessageBody(payload)).encoded(sequence: 7)
    // A payload of odd length is padded when sent; the parser sees only what the length says.
    let messages = try NetlinkMessage.list(in: bytes)
    return try messages.first.map(NetlinkReply.init)
  }
}

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
