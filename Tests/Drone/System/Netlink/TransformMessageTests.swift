import Addresses
import Testing

@testable import Netlink

/// Messages of XFRM as the kernel sends them, each field with its meaning.
@Suite struct TransformMessageTests {
  private let own = InternetAddress.ipv4(IPv4Address(10, 0, 0, 1))
  private let peer = InternetAddress.ipv4(IPv4Address(10, 0, 0, 2))

  /// `struct xfrm_usersa_info` of an association with some life behind it, without padding.
  private var association: [UInt8] {
    zeros(40) + [2, 0, 0, 0] + zeros(12)  // selector: all IPv4
      + [10, 0, 0, 2] + zeros(12)  // destination
      + [0xC0, 0, 0, 1, 50, 0, 0, 0]  // index, ESP, padding
      + [10, 0, 0, 1] + zeros(12)  // source
      + [1, 0, 0, 0, 0, 0, 0, 0]  // bytes, soft
      + ones(8)  // bytes, hard
      + ones(8)  // packets, soft
      + [0, 0, 0, 0, 1, 0, 0, 0]  // packets, hard
      + [60, 0, 0, 0, 0, 0, 0, 0]  // seconds since added, soft
      + [90, 0, 0, 0, 0, 0, 0, 0]  // seconds since added, hard
      + zeros(8)  // seconds since used, soft
      + [30, 0, 0, 0, 0, 0, 0, 0]  // seconds since used, hard
      + [0xE8, 3, 0, 0, 0, 0, 0, 0]  // 1,000 bytes went through
      + [10, 0, 0, 0, 0, 0, 0, 0]  // 10 packets
      + [0, 0, 0, 0x65, 0, 0, 0, 0]  // added at 0x65000000 s
      + [1, 0, 0, 0x65, 0, 0, 0, 0]  // used a second later
      + [3, 0, 0, 0]  // outside the window
      + [4, 0, 0, 0]  // replayed
      + [5, 0, 0, 0]  // not proven
      + [9, 0, 0, 0]  // the ACQUIRE's number
      + [7, 0, 0, 0]  // request id
      + [2, 0]  // AF_INET
      + [0]  // transport mode
      + [0]  // old replay window
      + [0]  // flags
  }

  private var attributes: [UInt8] {
    [96, 0, 18, 0]  // XFRMA_ALG_AEAD
      + Array("rfc4106(gcm(aes))".utf8) + zeros(64 - 17) + [160, 0, 0, 0, 128, 0, 0, 0] + ones(20)
      + [44, 0, 23, 0]  // XFRMA_REPLAY_ESN_VAL
      + [4, 0, 0, 0]  // words
      + [0x11, 0, 0, 0]  // sent, low
      + [0x22, 0, 0, 0]  // received, low
      + [1, 0, 0, 0]  // sent, high
      + [2, 0, 0, 0]  // received, high
      + [128, 0, 0, 0]  // window
      + zeros(16)
      + [12, 0, 15, 0] + zeros(8)  // XFRMA_LASTUSED
  }

  private var status: AssociationStatus {
    AssociationStatus(
      name: SecurityAssociationName(destination: peer, spi: 0xC000_0001), source: own, transform: 50, requestID: 7,
      acquireSequence: 9, cipher: .aesGCM16, mode: 0,
      softLimits: LifetimeLimits(bytes: 1, secondsSinceAdded: 60),
      hardLimits: LifetimeLimits(packets: 1 << 32, secondsSinceAdded: 90, secondsSinceUsed: 30), bytes: 1000,
      packets: 10, added: 0x6500_0000, used: 0x6500_0001, outsideWindow: 3, replayed: 4, unproven: 5,
      replayWindow: 128, sent: 1 << 32 | 0x11, received: 2 << 32 | 0x22)
  }

  @Test("an association says what it is and what it has done", arguments: layouts)
  func association(layout: TransformLayout, padding: Int) throws {
    let body = association + zeros(padding) + attributes
    for type in [0x10, 0x1A] as [UInt16] {  // NEWSA, UPDSA
      #expect(try read(type, body, layout) == .association(status))
    }
    #expect(try read(0x12, body, layout) == .other(type: 0x12))
  }

  @Test("the end of an association names the limit: soft or hard", arguments: layouts)
  func expiry(layout: TransformLayout, padding: Int) throws {
    for hard in [0, 1] as [UInt8] {
      let body = association + zeros(padding) + [hard] + zeros(layout.expirySize - layout.associationSize - 1)
      var bare = status
      bare.cipher = nil
      bare.replayWindow = 0
      bare.sent = 0
      bare.received = 0
      #expect(try read(0x18, body, layout) == .expired(bare, hard: hard == 1))
    }
  }

  @Test("a removed association is named")
  func removal() throws {
    let body =
      [10, 0, 0, 2] + zeros(12)  // destination
      + [0xC0, 0, 0, 1]  // index
      + [2, 0, 50, 0]  // AF_INET, ESP, padding
    #expect(try read(0x11, body, .i386) == .associationRemoved(status.name))
    #expect(try read(0x1C, [0], .i386) == .associationsFlushed)
    #expect(try read(0x1D, [], .i386) == .policiesFlushed)
  }

  /// `struct xfrm_selector`: one echo request from us to the peer.
  private var packet: [UInt8] {
    [10, 0, 0, 2] + zeros(12) + [10, 0, 0, 1] + zeros(12)
      + [0, 0, 0, 0]  // destination port (ICMP: code), mask
      + [0, 8, 0xFF, 0xFF]  // source port (ICMP: type 8), mask
      + [2, 0, 32, 32, 1, 0, 0, 0]  // AF_INET, prefixes, ICMP, padding
      + zeros(8)
  }

  /// `struct xfrm_userpolicy_info`, without padding.
  private var policy: [UInt8] {
    // The selector first.
    [10, 0, 0, 2] + zeros(12) + [10, 0, 0, 1] + zeros(12) + zeros(8) + [2, 0, 32, 32, 0, 0, 0, 0] + zeros(8)
      + zeros(64) + zeros(32)  // limits and life
      + [2, 1, 0, 0]  // priority 258
      + [0x89, 0, 0, 0]  // index
      + [1, 0, 0, 0]  // out, allow, flags, sharing
  }

  private var template: [UInt8] {
    [68, 0, 5, 0]  // XFRMA_TMPL
      + zeros(20) + [50, 0, 0, 0, 2, 0, 0, 0] + zeros(16)
      + [42, 0, 0, 0]  // request id
      + [0, 0, 0, 0] + ones(12)
  }

  private var demand: TransformPolicy {
    TransformPolicy(
      direction: .outbound, selector: TransformSelector(from: own, to: peer), priority: 258, index: 0x89,
      templates: [TransformTemplate(like: own, requestID: 42)])
  }

  @Test("a packet that waits for keys says between whom, its kind, and the number of the question", arguments: layouts)
  func acquire(layout: TransformLayout, padding: Int) throws {
    var body: [UInt8] = [10, 0, 0, 2] + zeros(12) + [0, 0, 0, 0, 50, 0, 0, 0]  // destination, no index, ESP
    body += [10, 0, 0, 1] + zeros(12)  // source
    body += packet
    body += policy + zeros(layout.policySize - 164)
    body += ones(12)  // algorithms
    body += [0x34, 0x12, 0, 0]  // sequence
    body += template
    #expect(
      try read(0x17, body, layout)
        == .acquire(
          AcquireRequest(
            source: own, destination: peer,
            packet: TransformSelector(
              source: own, destination: peer, sourcePrefix: 32, destinationPrefix: 32, transport: 1, sourcePort: 8),
            sequence: 0x1234, policy: 0x89, requestID: 42)))
  }

  @Test("a policy is read with its template; a removed one stands in an attribute", arguments: layouts)
  func policies(layout: TransformLayout, padding: Int) throws {
    let body = policy + zeros(layout.policySize - 164)
    for type in [0x13, 0x19] as [UInt16] {  // NEWPOLICY, UPDPOLICY
      #expect(try read(type, body + template, layout) == .policy(demand))
    }
    let name = Array(policy.prefix(56)) + [0x89, 0, 0, 0, 1, 0, 0, 0]  // `struct xfrm_userpolicy_id`
    let attribute = UInt16(4 + layout.policySize).nativeBytes + [7, 0] + body  // XFRMA_POLICY
    #expect(try read(0x14, name + attribute + template, layout) == .policyRemoved(demand))
    #expect(try read(0x14, name, layout) == .other(type: 0x14))
    // A socket's policy is numbered three directions further.
    var own = body
    own[160] = 4
    #expect(try read(0x13, own + template, layout) == .policy(demand))
  }

  @Test("IPv6 is read as well, another family is of no interest")
  func families() throws {
    let six = try #require(IPv6Address(octets: [0xFE, 0x80] + zeros(13) + [1]))
    var body = association + zeros(3)
    body[212] = 10
    body.replaceSubrange(56..<72, with: six.octets)
    guard case .association(let status) = try read(0x10, body, .i386) else {
      Issue.record("no association")
      return
    }
    #expect(status.name.destination == .ipv6(six))
    #expect(status.source.octets == [10, 0, 0, 1] + zeros(12))
    body[212] = 28
    #expect(try read(0x10, body, .i386) == .other(type: 0x10))
  }

  @Test("a message that is too short, or has a template cut short, is an error", arguments: layouts)
  func damaged(layout: TransformLayout, padding: Int) {
    for type in [0x10, 0x11, 0x13, 0x14, 0x17, 0x18, 0x19, 0x1A] as [UInt16] {
      #expect(throws: NetlinkParseError.self) { try read(type, zeros(23), layout) }
    }
    #expect(throws: NetlinkParseError.self) {
      try read(0x13, policy + zeros(layout.policySize - 164) + [8, 0, 5, 0, 0, 0, 0, 0], layout)
    }
    #expect(throws: NetlinkParseError.self) {
      try read(0x10, association + zeros(padding) + [8, 0, 23, 0, 0, 0, 0, 0], layout)
    }
  }

  private func read(_ type: UInt16, _ body: [UInt8], _ layout: TransformLayout) throws -> TransformMessage {
    let message = NetlinkMessage(type: type, flags: [], sequence: 0, port: 0, payload: body[...])
    return try TransformMessage(message, layout: layout)
  }
}

/// The layouts, and the padding of `struct xfrm_usersa_info` in each.
private let layouts: [(TransformLayout, Int)] = [(.i386, 3), (.x86_64, 7)]

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
private func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 0xFF, count: count) }
