import Addresses
import Bytes
import ControlChannel
import Testing

let fingerprint = [UInt8](repeating: 0xAB, count: 32)

/// One message of each kind.
let samples: [ControlMessage] = [
  .join(record: [1, 2, 3]),
  .pending(fingerprint: fingerprint),
  .refused(reason: [UInt8]("this node was removed.")),
  .admitted(certificate: [0x30, 0x82], authority: [0x30, 0x81, 0x05]),
  .hello(Hello(cluster: fingerprint, time: 1_700_000_000, record: [9, 8, 7])),
  .mapRequest,
  .map(part: [4, 5, 6], isLast: false),
  .map(part: [], isLast: true),
  .offer(
    TunnelOffer(from: 0x0115, to: 0x010B, spi: 0xC001_D00D, counter: 3, ciphers: [.chaCha20Poly1305, .aes128GCM])),
  .accept(TunnelAccept(spi: 0x0000_0100, cipher: .aes128GCM)),
  .ready,
  .refuse(.simultaneous),
  .leave,
]

@Suite struct ControlMessageTests {
  static let golden: [(message: ControlMessage, bytes: [UInt8])] = [
    (
      .join(record: [0xDE, 0xAD]),
      [
        0x00, 0x00, 0x00, 0x04,  // four bytes follow
        0x01,  // protocol version 1
        0x01,  // join
        0xDE, 0xAD,  // the node's record
      ]
    ),
    (
      .pending(fingerprint: fingerprint),
      [
        0x00, 0x00, 0x00, 0x22,  // 34 bytes follow
        0x01, 0x02,  // version 1, pending
      ] + fingerprint  // the joiner's key
    ),
    (
      .admitted(certificate: [0x30, 0x03, 0x02], authority: [0x30, 0x00]),
      [
        0x00, 0x00, 0x00, 0x0B,  // eleven bytes follow
        0x01, 0x04,  // version 1, admitted
        0x00, 0x03,  // three bytes of certificate
        0x30, 0x03, 0x02,
        0x00, 0x02,  // two bytes of authority
        0x30, 0x00,
      ]
    ),
    (
      .hello(Hello(cluster: fingerprint, time: 0x0102_0304_0506_0708, record: [0x77])),
      [
        0x00, 0x00, 0x00, 0x2B,  // 43 bytes follow
        0x01, 0x05,  // version 1, hello
      ] + fingerprint  // the cluster's authority
        + [
          0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,  // seconds since 1970
          0x77,  // the node's record
        ]
    ),
    (
      .map(part: [0x55], isLast: true),
      [
        0x00, 0x00, 0x00, 0x04,  // four bytes follow
        0x01, 0x07,  // version 1, map
        0x01,  // the last part
        0x55,  // what the membership wrote
      ]
    ),
    (
      .offer(TunnelOffer(from: 0x0115, to: 0x010B, spi: 0xC001_D00D, counter: 7, ciphers: [.aes128GCM])),
      [
        0x00, 0x00, 0x00, 0x10,  // 16 bytes follow
        0x01, 0x08,  // version 1, offer
        0x01, 0x15,  // from node 0x0115
        0x01, 0x0B,  // to node 0x010b
        0xC0, 0x01, 0xD0, 0x0D,  // SPI of packets to the sender
        0x00, 0x00, 0x00, 0x07,  // the eighth negotiation with this node
        0x01,  // one cipher
        0x01,  // AES-128-GCM
      ]
    ),
    (
      .accept(TunnelAccept(spi: 0x100, cipher: .chaCha20Poly1305)),
      [
        0x00, 0x00, 0x00, 0x07,  // seven bytes follow
        0x01, 0x09,  // version 1, accept
        0x00, 0x00, 0x01, 0x00,  // SPI of packets to the sender
        0x02,  // ChaCha20-Poly1305
      ]
    ),
    (.ready, [0x00, 0x00, 0x00, 0x02, 0x01, 0x0A]),
    (.refuse(.notMember), [0x00, 0x00, 0x00, 0x03, 0x01, 0x0B, 0x02]),
    (.leave, [0x00, 0x00, 0x00, 0x02, 0x01, 0x0C]),
  ]

  @Test("a message is these bytes", arguments: golden.indices)
  func goldenBytes(_ index: Int) {
    let (message, bytes) = ControlMessageTests.golden[index]
    #expect(message.encoded() == bytes)
  }

  @Test("every kind of message comes back from its bytes", arguments: samples)
  func roundTrip(_ message: ControlMessage) throws {
    var reader = FrameReader()
    reader.append(try #require(message.encoded()))
    #expect(try reader.next() == message)
    #expect(try reader.next() == nil)
    #expect(!reader.isWithinFrame)
  }

  @Test("ciphers that this version does not know are passed over")
  func unknownCiphers() throws {
    let offer = TunnelOffer(from: 1, to: 2, spi: 256, counter: 0, ciphers: [.aes128GCM])
    var bytes = try #require(ControlMessage.offer(offer).encoded())
    bytes[3] += 1
    bytes[18] = 2
    bytes.insert(200, at: 19)
    var reader = FrameReader()
    reader.append(bytes)
    #expect(try reader.next() == .offer(offer))
  }

  static let wrong: [(content: [UInt8], error: ControlError)] = [
    ([], .tooShort(stated: 0)),
    ([1], .tooShort(stated: 1)),
    ([2, 10], .unknownVersion(2)),
    ([1, 0], .unknownType(0)),
    ([1, 13], .unknownType(13)),
    ([1, 2] + fingerprint.dropLast(), .truncated(type: 2)),
    ([1, 2] + fingerprint + [0], .excess(type: 2)),
    ([1, 4, 0, 9, 1], .truncated(type: 4)),
    ([1, 5] + fingerprint + [0, 0, 0], .truncated(type: 5)),
    ([1, 6, 0], .excess(type: 6)),
    ([1, 7], .truncated(type: 7)),
    ([1, 7, 2], .wrongValue(type: 7)),
    ([1, 8, 0, 1, 0, 2, 0, 0, 0, 255, 0, 0, 0, 0, 1, 1], .wrongValue(type: 8)),
    ([1, 8, 0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 2, 1], .truncated(type: 8)),
    ([1, 9, 0, 0, 0, 1, 1], .wrongValue(type: 9)),
    ([1, 9, 0, 0, 1, 0, 3], .wrongValue(type: 9)),
    ([1, 10, 10], .excess(type: 10)),
    ([1, 11, 0], .wrongValue(type: 11)),
    ([1, 11], .truncated(type: 11)),
  ]

  @Test("what is no message is refused for its own reason", arguments: wrong.indices)
  func errors(_ index: Int) {
    let (content, error) = ControlMessageTests.wrong[index]
    #expect(throws: error) { try ControlMessage(content: content[...]) }
    #expect(!error.text.isEmpty)
  }
}

@Suite struct FrameReaderTests {
  @Test("pieces of any size give the same messages", arguments: [1, 2, 3, 7, 64, 1000])
  func pieces(_ size: Int) throws {
    let bytes = samples.flatMap { $0.encoded() ?? [] }
    var reader = FrameReader()
    var found: [ControlMessage] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      reader.append([UInt8](bytes[start..<min(bytes.count, start + size)]))
      while let message = try reader.next() { found.append(message) }
    }
    #expect(found == samples)
  }

  @Test("a frame beyond the limit is refused by its length field alone")
  func tooLong() {
    var reader = FrameReader(limit: 4096)
    reader.append([0, 0, 0x10, 0x01])
    #expect(throws: ControlError.tooLong(stated: 4097, limit: 4096)) { try reader.next() }
    // Nothing that comes later is read.
    reader.append([0, 0, 0, 2, 1, 10])
    #expect(throws: ControlError.tooLong(stated: 4097, limit: 4096)) { try reader.next() }
  }

  @Test("the limit is the last length that passes, and a member's is larger")
  func limits() throws {
    let part = [UInt8](repeating: 5, count: ControlFrame.strangerLimit)
    let bytes = try #require(ControlMessage.map(part: part, isLast: true).encoded())
    var stranger = FrameReader()
    stranger.append(bytes)
    #expect(throws: ControlError.self) { try stranger.next() }
    var member = FrameReader(limit: ControlFrame.memberLimit)
    member.append(bytes)
    #expect(try member.next() == .map(part: part, isLast: true))
  }

  @Test("a message that no frame can hold is not encoded")
  func unencodable() {
    let part = [UInt8](repeating: 0, count: ControlFrame.memberLimit)
    #expect(ControlMessage.map(part: part, isLast: true).encoded() == nil)
    let most = [UInt8](repeating: 0, count: ControlFrame.mapPartLimit)
    #expect(ControlMessage.map(part: most, isLast: true).encoded() != nil)
  }
}

@Suite struct DiscoveryTests {
  @Test("a question is these bytes")
  func question() {
    let expected: [UInt8] =
      [
        0x74, 0x79, 0x64, 0x6D,  // "tydm"
        0x01,  // version 1
        0x01,  // question
      ] + fingerprint  // the cluster's authority
    #expect(Discovery.question(cluster: fingerprint).encoded == expected)
    #expect(Discovery(expected) == .question(cluster: fingerprint))
  }

  @Test("a question by one that must be admitted is the same with another kind")
  func admission() {
    let expected: [UInt8] =
      [
        0x74, 0x79, 0x64, 0x6D,  // "tydm"
        0x01,  // version 1
        0x03,  // question by one that must be admitted
      ] + fingerprint  // the cluster's authority
    #expect(Discovery.admission(cluster: fingerprint).encoded == expected)
    #expect(Discovery(expected) == .admission(cluster: fingerprint))
  }

  @Test("whoever must be admitted is answered by those that can, everybody else by all members of the cluster")
  func answered() {
    let other = [UInt8](repeating: 9, count: fingerprint.count)
    let answer = Discovery.answer(address: IPv4Address(10, 0, 0, 1), port: 3278, cluster: fingerprint)
    let cases: [(Discovery, keyless: Bool, withKey: Bool)] = [
      (.question(cluster: fingerprint), true, true), (.admission(cluster: fingerprint), false, true),
      (.question(cluster: other), false, false), (.admission(cluster: other), false, false), (answer, false, false),
    ]
    for (message, keyless, withKey) in cases {
      #expect(message.isAnswered(by: fingerprint, canCertify: false) == keyless, "\(message)")
      #expect(message.isAnswered(by: fingerprint, canCertify: true) == withKey, "\(message)")
    }
  }

  @Test("an answer is these bytes")
  func answer() {
    let expected: [UInt8] =
      [
        0x74, 0x79, 0x64, 0x6D,  // "tydm"
        0x01,  // version 1
        0x02,  // answer
        0xC0, 0xA8, 0x01, 0x0B,  // 192.168.1.11
        0x0C, 0xCE,  // port 3278
      ] + fingerprint  // the cluster's authority
    let answer = Discovery.answer(address: IPv4Address(192, 168, 1, 11), port: 3278, cluster: fingerprint)
    #expect(answer.encoded == expected)
    #expect(expected.count == Discovery.longest)
    #expect(Discovery(expected) == answer)
  }

  @Test("what is not exactly one of these is nothing")
  func others() {
    let question = Discovery.question(cluster: fingerprint).encoded
    let answer = Discovery.answer(address: IPv4Address(10, 0, 0, 1), port: 1, cluster: fingerprint).encoded
    var wrong: [[UInt8]] = [[], question + [0], [UInt8](question.dropLast()), answer + [0], [UInt8](answer.dropLast())]
    for place in 0..<6 {
      var damaged = question
      damaged[place] ^= 0x40
      wrong.append(damaged)
    }
    let admission = Discovery.admission(cluster: fingerprint).encoded
    wrong += [admission + [0], [UInt8](admission.dropLast()), [UInt8](admission[..<5]) + [4] + fingerprint]
    // No host has these addresses, no socket this port.
    for (first, port) in [(0, 3278), (127, 3278), (239, 3278), (10, 0)] as [(UInt8, UInt16)] {
      wrong.append(
        Discovery.answer(address: IPv4Address(first, 0, 0, 1), port: port, cluster: fingerprint).encoded)
    }
    for datagram in wrong { #expect(Discovery(datagram) == nil) }
  }

  @Test("so many questions are answered in a second, and no more whoever asks")
  func allowance() {
    var allowance = DiscoveryAllowance()
    var answered = 0
    for step in 0..<100 where allowance.admits(at: 5000 + UInt64(step)) { answered += 1 }
    #expect(answered == 20)
    let isAnsweredLater = allowance.admits(at: 6000)
    #expect(isAnsweredLater)
  }
}
