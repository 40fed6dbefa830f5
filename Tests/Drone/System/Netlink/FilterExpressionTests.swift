import Testing

@testable import Netlink

/// Every kind of expression as the kernel takes it: NFTA_LIST_ELEM with a name and data, numbers in network order.
@Suite struct FilterExpressionTests {
  @Test("an expression is a list element with its name and its data")
  func whole() {
    #expect(
      encoded(.meta(.transport)) == [
        36, 0, 1, 0x80,  // NFTA_LIST_ELEM, nested, 36 bytes
        9, 0, 1, 0,  // NFTA_EXPR_NAME: 9 bytes with the ending zero
        0x6D, 0x65, 0x74, 0x61, 0, 0, 0, 0,  // "meta", padding
        20, 0, 2, 0x80,  // NFTA_EXPR_DATA, nested
        8, 0, 2, 0, 0, 0, 0, 16,  // NFTA_META_KEY: NFT_META_L4PROTO
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_META_DREG: NFT_REG_1
      ])
  }

  /// An expression, the kernel's name of it, and its data.
  static let kinds: [(FilterExpression, String, [UInt8])] = [
    (
      .connection(.state, into: .second), "ct",
      [
        8, 0, 2, 0, 0, 0, 0, 0,  // NFTA_CT_KEY: NFT_CT_STATE
        8, 0, 1, 0, 0, 0, 0, 2,  // NFTA_CT_DREG: NFT_REG_2
      ]
    ),
    (
      .route(.willBeSecured), "rt",
      [
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_RT_DREG
        8, 0, 2, 0, 0, 0, 0, 4,  // NFTA_RT_KEY: NFT_RT_XFRM
      ]
    ),
    (
      .sourceKind(into: .third), "fib",
      [
        8, 0, 1, 0, 0, 0, 0, 3,  // NFTA_FIB_DREG
        8, 0, 2, 0, 0, 0, 0, 3,  // NFTA_FIB_RESULT: NFT_FIB_RESULT_ADDRTYPE
        8, 0, 3, 0, 0, 0, 0, 1,  // NFTA_FIB_FLAGS: NFTA_FIB_F_SADDR
      ]
    ),
    (
      .updateOverLimit(set: "abc", timeout: 0, packets: 60, seconds: 1, burst: 5), "dynset",
      [
        8, 0, 1, 0, 0x61, 0x62, 0x63, 0,  // NFTA_DYNSET_SET_NAME
        8, 0, 3, 0, 0, 0, 0, 1,  // NFTA_DYNSET_OP: NFT_DYNSET_OP_UPDATE
        8, 0, 4, 0, 0, 0, 0, 1,  // NFTA_DYNSET_SREG_KEY
        68, 0, 7, 0x80,  // NFTA_DYNSET_EXPR, nested
        10, 0, 1, 0, 0x6C, 0x69, 0x6D, 0x69, 0x74, 0, 0, 0,  // NFTA_EXPR_NAME: "limit"
        52, 0, 2, 0x80,  // NFTA_EXPR_DATA, nested
        12, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 60,  // NFTA_LIMIT_RATE
        12, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1,  // NFTA_LIMIT_UNIT: seconds
        8, 0, 3, 0, 0, 0, 0, 5,  // NFTA_LIMIT_BURST
        8, 0, 4, 0, 0, 0, 0, 0,  // NFTA_LIMIT_TYPE: packets
        8, 0, 5, 0, 0, 0, 0, 1,  // NFTA_LIMIT_FLAGS: NFT_LIMIT_F_INV
      ]
    ),
    (
      .socketGroup(level: 1, into: .second), "socket",
      [
        8, 0, 1, 0, 0, 0, 0, 3,  // NFTA_SOCKET_KEY: NFT_SOCKET_CGROUPV2
        8, 0, 2, 0, 0, 0, 0, 2,  // NFTA_SOCKET_DREG
        8, 0, 3, 0, 0, 0, 0, 1,  // NFTA_SOCKET_LEVEL
      ]
    ),
    (
      .setMeta(.mark, from: .second), "meta",
      [
        8, 0, 2, 0, 0, 0, 0, 3,  // NFTA_META_KEY: NFT_META_MARK
        8, 0, 3, 0, 0, 0, 0, 2,  // NFTA_META_SREG
      ]
    ),
    (
      .load([1, 2, 3, 4], into: .second), "immediate",
      [
        8, 0, 1, 0, 0, 0, 0, 2,  // NFTA_IMMEDIATE_DREG
        12, 0, 2, 0x80, 8, 0, 1, 0, 1, 2, 3, 4,  // NFTA_IMMEDIATE_DATA with NFTA_DATA_VALUE
      ]
    ),
    (
      .reject(code: 13), "reject",
      [
        8, 0, 1, 0, 0, 0, 0, 0,  // NFTA_REJECT_TYPE: NFT_REJECT_ICMP_UNREACH
        5, 0, 2, 0, 13, 0, 0, 0,  // NFTA_REJECT_ICMP_CODE: communication administratively prohibited, padding
      ]
    ),
    (
      .payload(.transport, offset: 2, count: 2), "payload",
      [
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_PAYLOAD_DREG
        8, 0, 2, 0, 0, 0, 0, 2,  // NFTA_PAYLOAD_BASE: NFT_PAYLOAD_TRANSPORT_HEADER
        8, 0, 3, 0, 0, 0, 0, 2,  // NFTA_PAYLOAD_OFFSET
        8, 0, 4, 0, 0, 0, 0, 2,  // NFTA_PAYLOAD_LEN
      ]
    ),
    (
      .bitwise(mask: [6, 0, 0, 0], flip: [0, 0, 0, 0]), "bitwise",
      [
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_BITWISE_SREG
        8, 0, 2, 0, 0, 0, 0, 1,  // NFTA_BITWISE_DREG
        8, 0, 3, 0, 0, 0, 0, 4,  // NFTA_BITWISE_LEN
        12, 0, 4, 0x80, 8, 0, 1, 0, 6, 0, 0, 0,  // NFTA_BITWISE_MASK with NFTA_DATA_VALUE
        12, 0, 5, 0x80, 8, 0, 1, 0, 0, 0, 0, 0,  // NFTA_BITWISE_XOR
      ]
    ),
    (
      .compare(.notEqual, [0, 53]), "cmp",
      [
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_CMP_SREG
        8, 0, 2, 0, 0, 0, 0, 1,  // NFTA_CMP_OP: NFT_CMP_NEQ
        12, 0, 3, 0x80, 6, 0, 1, 0, 0, 53, 0, 0,  // NFTA_CMP_DATA: two bytes, padding
      ]
    ),
    (
      .range(from: [0, 1], to: [3, 255], inverted: true), "range",
      [
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_RANGE_SREG
        8, 0, 2, 0, 0, 0, 0, 1,  // NFTA_RANGE_OP: NFT_RANGE_NEQ
        12, 0, 3, 0x80, 6, 0, 1, 0, 0, 1, 0, 0,  // NFTA_RANGE_FROM_DATA
        12, 0, 4, 0x80, 6, 0, 1, 0, 3, 255, 0, 0,  // NFTA_RANGE_TO_DATA
      ]
    ),
    (
      .lookup(set: "abc", inverted: true), "lookup",
      [
        8, 0, 1, 0, 0x61, 0x62, 0x63, 0,  // NFTA_LOOKUP_SET
        8, 0, 2, 0, 0, 0, 0, 1,  // NFTA_LOOKUP_SREG
        8, 0, 5, 0, 0, 0, 0, 1,  // NFTA_LOOKUP_FLAGS: NFT_LOOKUP_F_INV
      ]
    ),
    (
      .update(set: "abc", timeout: 60000), "dynset",
      [
        8, 0, 1, 0, 0x61, 0x62, 0x63, 0,  // NFTA_DYNSET_SET_NAME
        8, 0, 3, 0, 0, 0, 0, 1,  // NFTA_DYNSET_OP: NFT_DYNSET_OP_UPDATE
        8, 0, 4, 0, 0, 0, 0, 1,  // NFTA_DYNSET_SREG_KEY
        12, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0xEA, 0x60,  // NFTA_DYNSET_TIMEOUT: milliseconds
      ]
    ),
    (
      .limit(packets: 30, seconds: 60, burst: 10), "limit",
      [
        12, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 30,  // NFTA_LIMIT_RATE
        12, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 60,  // NFTA_LIMIT_UNIT: seconds
        8, 0, 3, 0, 0, 0, 0, 10,  // NFTA_LIMIT_BURST
        8, 0, 4, 0, 0, 0, 0, 0,  // NFTA_LIMIT_TYPE: NFT_LIMIT_PKTS
      ]
    ),
    (
      .log(prefix: [0x69, 0x6E, 0x20], level: .information), "log",
      [
        8, 0, 2, 0, 0x69, 0x6E, 0x20, 0,  // NFTA_LOG_PREFIX: "in "
        8, 0, 5, 0, 0, 0, 0, 6,  // NFTA_LOG_LEVEL
      ]
    ),
    (
      .counter(packets: 1, bytes: 2), "counter",
      [
        12, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2,  // NFTA_COUNTER_BYTES
        12, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1,  // NFTA_COUNTER_PACKETS
      ]
    ),
    (
      .assignHelper("abc"), "objref",
      [
        8, 0, 1, 0, 0, 0, 0, 3,  // NFTA_OBJREF_IMM_TYPE: NFT_OBJECT_CT_HELPER
        8, 0, 2, 0, 0x61, 0x62, 0x63, 0,  // NFTA_OBJREF_IMM_NAME
      ]
    ),
    (
      .verdict(.accept), "immediate",
      [
        8, 0, 1, 0, 0, 0, 0, 0,  // NFTA_IMMEDIATE_DREG: NFT_REG_VERDICT
        16, 0, 2, 0x80,  // NFTA_IMMEDIATE_DATA, nested
        12, 0, 2, 0x80,  // NFTA_DATA_VERDICT, nested
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_VERDICT_CODE: NF_ACCEPT
      ]
    ),
    (
      .verdict(.jump("abc")), "immediate",
      [
        8, 0, 1, 0, 0, 0, 0, 0,  // NFTA_IMMEDIATE_DREG: NFT_REG_VERDICT
        24, 0, 2, 0x80,  // NFTA_IMMEDIATE_DATA, nested
        20, 0, 2, 0x80,  // NFTA_DATA_VERDICT, nested
        8, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFD,  // NFTA_VERDICT_CODE: NFT_JUMP
        8, 0, 2, 0, 0x61, 0x62, 0x63, 0,  // NFTA_VERDICT_CHAIN
      ]
    ),
  ]

  @Test("an expression's data are these bytes, and are read back as the expression", arguments: kinds)
  func data(expression: FilterExpression, name: String, data: [UInt8]) throws {
    let bytes = encoded(expression)
    let element = try #require(try Attribute.list(in: bytes[...]).first)
    let parts = try element.nested()
    #expect(parts.map(\.type) == [1, 2])
    #expect(parts.first.map { [UInt8]($0.value) } == Array(name.utf8) + [0])
    #expect(parts.last.map { [UInt8]($0.value) } == data)
    #expect(try FilterExpression(element) == expression)
  }

  @Test("an expression without data has only its name, and is read back")
  func bare() throws {
    let bytes = encoded(.notTracked)
    #expect(
      bytes == [
        16, 0, 1, 0x80,  // NFTA_LIST_ELEM, nested
        12, 0, 1, 0, 0x6E, 0x6F, 0x74, 0x72, 0x61, 0x63, 0x6B, 0,  // NFTA_EXPR_NAME: "notrack"
      ])
    #expect(try FilterExpression(try #require(Attribute.list(in: bytes[...]).first)) == .notTracked)
  }

  @Test("all verdicts have the kernel's numbers")
  func verdicts() {
    let verdicts: [FilterExpression.Verdict] = [.drop, .accept, .jump("a"), .goto("a"), .return]
    #expect(verdicts.map(\.code) == [0, 1, -3, -4, -5])
  }

  @Test("a register's number of the newer kind is the same register")
  func newRegisters() throws {
    var body = MessageBody()
    body.nested(1) { element in
      element.attribute(1, text: [UInt8]("ct"))
      element.nested(2) { data in
        data.attribute(2, bigEndian: 0 as UInt32)
        data.attribute(1, bigEndian: 12 as UInt32)  // NFT_REG32_04, where NFT_REG_2 begins
      }
    }
    let element = try #require(try Attribute.list(in: body.bytes[...]).first)
    #expect(try FilterExpression(element) == .connection(.state, into: .second))
  }

  @Test("an expression that is not known keeps its name, one that lacks a part is an error")
  func unknown() throws {
    var body = MessageBody()
    body.nested(1) { $0.attribute(1, text: [UInt8]("tproxy")) }
    body.nested(1) { $0.attribute(1, text: [UInt8]("meta")) }
    let elements = try Attribute.list(in: body.bytes[...])
    #expect(try FilterExpression(elements[0]) == .unknown(name: [UInt8]("tproxy")))
    #expect(throws: NetlinkParseError.wrongValue(offset: 20)) { try FilterExpression(elements[1]) }
  }

  private func encoded(_ expression: FilterExpression) -> [UInt8] {
    var body = MessageBody()
    expression.append(to: &body)
    return body.bytes
  }
}
