import Addresses
import Testing

@testable import Netlink

/// Requests of XFRM as bytes, each field with its meaning. What the two layouts share is written once.
@Suite struct TransformRequestTests {
  private let own = InternetAddress.ipv4(IPv4Address(192, 168, 1, 11))
  private let peer = InternetAddress.ipv4(IPv4Address(192, 168, 1, 21))

  /// `struct xfrm_selector` of all IPv4 packets.
  private let everything: [UInt8] =
    zeros(16)  // destination
    + zeros(16)  // source
    + zeros(4) + zeros(4)  // ports with their masks
    + [2, 0]  // AF_INET
    + [0, 0]  // prefixes
    + [0, 0, 0, 0]  // protocol, padding
    + zeros(4) + zeros(4)  // interface, user

  /// `struct xfrm_lifetime_cfg` without limits.
  private let endless: [UInt8] =
    ones(8) + ones(8)  // bytes, soft and hard
    + ones(8) + ones(8)  // packets
    + zeros(8) + zeros(8)  // seconds since added
    + zeros(8) + zeros(8)  // seconds since used

  @Test(
    "a new association names its ends, index, limits, cipher and replay window",
    arguments: [(TransformLayout.i386, 220), (.x86_64, 224)])
  func add(layout: TransformLayout, structure: Int) throws {
    let key = try #require(AEADKey(.aesGCM16, key: Array(1...16), salt: [0xA, 0xB, 0xC, 0xD]))
    let association = SecurityAssociation(
      source: peer, destination: own, spi: 0x1234_5678, key: key, requestID: 7, replayWindow: 128,
      softLimits: LifetimeLimits(bytes: 1 << 32, packets: 0x7FFF, secondsSinceAdded: 3000),
      hardLimits: LifetimeLimits(packets: 0xFFFF, secondsSinceAdded: 3600, secondsSinceUsed: 9), acquireSequence: 5)
    var expected: [UInt8] = UInt32(16 + structure + 96 + 44).nativeBytes  // length
    expected += [0x10, 0]  // XFRM_MSG_NEWSA
    expected += [5, 2]  // request, acknowledge, exclusive
    expected += [1, 0, 0, 0]  // sequence
    expected += [0, 0, 0, 0]  // port
    expected += [192, 168, 1, 11] + zeros(12)  // packets to this address,
    expected += [192, 168, 1, 21] + zeros(12)  // from this one,
    expected += zeros(4) + zeros(4)  // any port,
    expected += [2, 0, 32, 32]  // AF_INET, whole addresses,
    expected += zeros(4) + zeros(4) + zeros(4)  // any protocol, interface, user
    expected += [192, 168, 1, 11] + zeros(12)  // destination
    expected += [0x12, 0x34, 0x56, 0x78]  // index, in network order
    expected += [50, 0, 0, 0]  // ESP, padding
    expected += [192, 168, 1, 21] + zeros(12)  // source
    expected += [0, 0, 0, 0, 1, 0, 0, 0]  // bytes, soft: 4 GiB
    expected += ones(8)  // bytes, hard: no limit
    expected += [0xFF, 0x7F, 0, 0, 0, 0, 0, 0]  // packets, soft
    expected += [0xFF, 0xFF, 0, 0, 0, 0, 0, 0]  // packets, hard
    expected += [0xB8, 0x0B, 0, 0, 0, 0, 0, 0]  // 3,000 seconds since added, soft
    expected += [0x10, 0x0E, 0, 0, 0, 0, 0, 0]  // 3,600 seconds since added, hard
    expected += zeros(8)  // since used, soft: no limit
    expected += [9, 0, 0, 0, 0, 0, 0, 0]  // since used, hard
    expected += zeros(32)  // bytes, packets, times so far
    expected += zeros(12)  // failures so far
    expected += [5, 0, 0, 0]  // answers this ACQUIRE
    expected += [7, 0, 0, 0]  // request id
    expected += [2, 0]  // AF_INET
    expected += [0]  // transport mode
    expected += [0]  // old replay window: none
    expected += [0]  // flags
    expected += zeros(structure - 217)  // padding
    expected += [96, 0, 18, 0]  // XFRMA_ALG_AEAD, 96 bytes
    expected += Array("rfc4106(gcm(aes))".utf8) + zeros(64 - 17)
    expected += [160, 0, 0, 0]  // bits of key and salt
    expected += [128, 0, 0, 0]  // bits of the tag
    expected += Array(1...16)  // key
    expected += [0xA, 0xB, 0xC, 0xD]  // salt
    expected += [44, 0, 23, 0]  // XFRMA_REPLAY_ESN_VAL, 44 bytes
    expected += [4, 0, 0, 0]  // words of the window
    expected += zeros(16)  // sequence numbers out and in, low and high
    expected += [128, 0, 0, 0]  // width
    expected += zeros(16)  // the window's bits
    #expect(NetlinkRequest.add(association, layout: layout).encoded(sequence: 1) == expected)
  }

  @Test("ChaCha20-Poly1305 has the kernel's name and a key of 32 bytes; long sequence numbers are a flag")
  func chaCha() throws {
    let key = try #require(AEADKey(.chaCha20Poly1305, material: Array(0..<36)))
    var association = SecurityAssociation(source: own, destination: peer, spi: 256, key: key, extendedSequence: true)
    let body = NetlinkRequest.add(association, layout: .i386).body.bytes
    #expect(body[216] == 0x80)  // XFRM_STATE_ESN
    #expect(body[220..<224] == [112, 0, 18, 0])  // XFRMA_ALG_AEAD
    #expect(body[224..<288] == (Array("rfc7539esp(chacha20,poly1305)".utf8) + zeros(64 - 29))[...])
    #expect(body[288..<292] == [0x20, 1, 0, 0])  // 288 bits
    #expect(body[296..<332] == (0..<36).map { UInt8($0) }[...])
    association.replayWindow = 1 << 20
    let wide = NetlinkRequest.add(association, layout: .i386).body.bytes
    #expect(wide[336..<340] == [128, 0, 0, 0])  // the widest window: 4,096 packets in 128 words
    association.replayWindow = 33
    #expect(NetlinkRequest.add(association, layout: .i386).body.bytes[336..<340] == [2, 0, 0, 0])
  }

  @Test(
    "a key of a wrong size is none",
    arguments: [(AEADCipher.aesGCM16, [16, 24, 32]), (.chaCha20Poly1305, [32])])
  func keySizes(cipher: AEADCipher, sizes: [Int]) {
    for size in 0..<48 {
      let fits = sizes.contains(size)
      #expect(cipher.takesKey(ofSize: size) == fits)
      #expect((AEADKey(cipher, key: zeros(size), salt: zeros(4)) != nil) == fits)
      #expect((AEADKey(cipher, material: zeros(size + 4)) != nil) == fits)
      #expect(AEADKey(cipher, key: zeros(size), salt: zeros(3)) == nil)
      #expect(AEADKey(cipher, material: zeros(min(size, 3))) == nil)
    }
  }

  @Test("an association is asked for and taken away by receiver and index")
  func names() {
    let name = SecurityAssociationName(destination: peer, spi: 0xC000_0001)
    let structure: [UInt8] =
      [192, 168, 1, 21] + zeros(12)  // destination
      + [0xC0, 0, 0, 1]  // index
      + [2, 0]  // AF_INET
      + [50, 0]  // ESP, padding
    let header: [UInt8] = [
      5, 0,  // request, acknowledge
      1, 0, 0, 0,  // sequence
      0, 0, 0, 0,  // port
    ]
    #expect(NetlinkRequest.remove(name).encoded(sequence: 1) == [40, 0, 0, 0, 0x11, 0] + header + structure)  // DELSA
    #expect(NetlinkRequest.get(name).encoded(sequence: 1) == [40, 0, 0, 0, 0x12, 0] + header + structure)  // GETSA
    #expect(
      NetlinkRequest.listAssociations.encoded(sequence: 1) == [
        16, 0, 0, 0,  // length
        0x12, 0,  // XFRM_MSG_GETSA
        1, 3,  // request, dump
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
      ])
  }

  @Test(
    "a free index is asked for by the ACQUIRE's number",
    arguments: [(TransformLayout.i386, 220), (.x86_64, 224)])
  func allocate(layout: TransformLayout, structure: Int) {
    let acquire = AcquireRequest(
      source: own, destination: peer, packet: .everyIPv4, sequence: 0x0102, policy: 9, requestID: 3)
    let request = NetlinkRequest.allocateSPI(for: acquire, in: 0x100...0xFFFF_FFFF, layout: layout)
    #expect(request.type == 0x16)  // XFRM_MSG_ALLOCSPI
    #expect(request.flags == [.request, .acknowledge])
    let body = request.body.bytes
    #expect(body[56..<80] == ([192, 168, 1, 21] + zeros(12) + zeros(4) + [50, 0, 0, 0])[...])  // no index yet
    #expect(body[204..<217] == [2, 1, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0])  // sequence, request id, family, mode, flags
    #expect(body[structure...] == [0, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])  // from, to
    #expect(body.count == layout.padded(217 + 8))
  }

  /// `struct xfrm_userpolicy_info` that demands ESP from us to the peer, without padding.
  private var outward: [UInt8] {
    [192, 168, 1, 21] + zeros(12)  // destination
      + [192, 168, 1, 11] + zeros(12)  // source
      + zeros(8)  // ports with their masks
      + [2, 0]  // AF_INET
      + [32, 32]  // prefixes
      + zeros(4)  // protocol, padding
      + zeros(8)  // interface, user
      + endless
      + zeros(32)  // bytes, packets, times so far
      + [0, 0, 0, 0]  // priority
      + [0, 0, 0, 0]  // index
      + [1]  // out
      + [0]  // allow
      + [0, 0]  // flags, sharing
  }

  /// `struct xfrm_user_tmpl`: ESP in transport mode.
  private var template: [UInt8] {
    zeros(16)  // destination: the packet's
      + zeros(4)  // index: any
      + [50, 0, 0, 0]  // ESP, padding
      + [2, 0, 0, 0]  // AF_INET, padding
      + zeros(16)  // source: the packet's
      + [3, 0, 0, 0]  // request id
      + [0]  // transport mode
      + [0]  // sharing
      + [0]  // not optional
      + [0]  // padding
      + ones(12)  // algorithms: any
  }

  @Test(
    "a policy that demands ESP names both hosts and a template",
    arguments: [(TransformLayout.i386, 164), (.x86_64, 168)])
  func require(layout: TransformLayout, structure: Int) {
    let policy = TransformPolicy.require(.outbound, from: own, to: peer, requestID: 3)
    var expected: [UInt8] = [UInt8(16 + structure + 68), 0, 0, 0]  // length
    expected += [0x19, 0]  // XFRM_MSG_UPDPOLICY
    expected += [5, 0]  // request, acknowledge
    expected += [1, 0, 0, 0]  // sequence
    expected += [0, 0, 0, 0]  // port
    expected += outward + zeros(structure - 164)
    expected += [68, 0, 5, 0]  // XFRMA_TMPL, 68 bytes
    expected += template
    #expect(NetlinkRequest.set(policy, layout: layout).encoded(sequence: 1) == expected)
  }

  @Test("a policy is taken away by selector and direction")
  func removePolicy() {
    let policy = TransformPolicy.require(.outbound, from: own, to: peer)
    #expect(
      NetlinkRequest.remove(policy).encoded(sequence: 1) == [
        80, 0, 0, 0,  // length
        0x14, 0,  // XFRM_MSG_DELPOLICY
        5, 0,  // request, acknowledge
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
      ] + outward.prefix(56) + [
        0, 0, 0, 0,  // index: by the selector
        1, 0, 0, 0,  // out, padding
      ])
    #expect(
      NetlinkRequest.listPolicies.encoded(sequence: 1) == [
        16, 0, 0, 0,  // length
        0x15, 0,  // XFRM_MSG_GETPOLICY
        1, 3,  // request, dump
        1, 0, 0, 0,  // sequence
        0, 0, 0, 0,  // port
      ])
  }

  @Test(
    "a socket's bypass allows everything without a template",
    arguments: [(TransformLayout.i386, 164), (.x86_64, 168)])
  func bypass(layout: TransformLayout, structure: Int) {
    let inward = TransformPolicy.bypass(.inbound).socketOption(layout)
    #expect(
      inward == everything + endless + zeros(32)
        + zeros(8)  // priority, index
        + [0, 0, 0, 0]  // in, allow, flags, sharing
        + zeros(structure - 164))
    let outward = TransformPolicy.bypass(.outbound).socketOption(layout)
    #expect(outward[160] == 1)
  }
}

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
private func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 0xFF, count: count) }
