import Addresses
import Bytes
import DroneLayout
import Testing

@testable import Membership

/// Datagrams and maps as bytes.
@Suite struct DatagramTests {
  private static let header: [UInt8] = [
    0x01,  // version
    0x00,  // kind, set by each case
    0xC1, 0xA0, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,  // cluster
    0x52, 0x54, 0x00, 0x12, 0x34, 0x07,  // sender's MAC
    0x12, 0x34,  // number
  ]

  private static func bytes(_ kind: UInt8, _ rest: [UInt8] = []) -> [UInt8] {
    var out = header
    out[1] = kind
    return out + rest
  }

  private static func datagram(_ body: Datagram.Body, _ items: [Item] = []) -> Datagram {
    Datagram(cluster: cluster, sender: mac(7), number: 0x1234, body: body, items: items)
  }

  /// A record in which every field has bytes of its own.
  private static let record = NodeRecord(
    fingerprint: Fingerprint(
      0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F, 0x1011_1213_1415_1617, 0x1819_1A1B_1C1D_1E1F),
    mac: mac(9), id: 0x0109, addresses: AddressList(IPv4Address(192, 168, 1, 9)), cpus: 2, speed: 300,
    memoryTotal: 512, version: SoftwareVersion(2, 1, 130), mayApprove: true, incarnation: 5, load: 150,
    memoryFree: 100, uptime: 16_384)

  private static let recordBytes: [UInt8] = [
    0x01, 63,  // a record, 63 bytes
    0x81,  // suspect, and may approve
    0x52, 0x54, 0x00, 0x12, 0x34, 0x09,  // MAC
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,  // fingerprint
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F,
    0x01, 0x09,  // id
    0x05,  // incarnation
    0x01, 192, 168, 1, 9,  // one address
    0x02,  // CPUs
    0xAC, 0x02,  // speed: 0x2C + 2 · 128
    0x80, 0x04,  // memory: 4 · 128 MiB
    0x02, 0x01, 0x82, 0x01,  // version 2.1.130
    0x80, 0x80, 0x01,  // uptime: 1 · 128² s
    0x2A,  // number of the vitals
    0x96, 0x01,  // load: 0x16 + 128 hundredths
    0x64,  // free memory: 100 MiB
  ]

  /// The same node with what was appended to the record's form later.
  private static let appended: NodeRecord = {
    var appended = record
    appended.addresses6 = AddressList6([
      IPv6Address(high: 0xFD00_0000_0000_0000, low: 9), IPv6Address(high: 0xFE80_0000_0000_0000, low: 0x0102),
    ])
    appended.isInClear = true
    return appended
  }()

  private static let appendix: [UInt8] = [
    0x01,  // in clear
    0x02,  // two IPv6 addresses
    0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x09,  // fd00::9
    0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x02,  // fe80::102
  ]

  private static let goldens: [(Datagram, [UInt8])] = [
    (datagram(.ping(digest: nil)), bytes(1)),
    (
      datagram(.ping(digest: 0x0102_0304_0506_0708)),
      bytes(2, [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08])  // digest of all that the sender knows
    ),
    (datagram(.ack), bytes(3)),
    (datagram(.pingRequest(mac(9))), bytes(4, [0x52, 0x54, 0x00, 0x12, 0x34, 0x09])),  // whom to ping
    (datagram(.pinging), bytes(5)),
    (datagram(.indirectAck(mac(9))), bytes(6, [0x52, 0x54, 0x00, 0x12, 0x34, 0x09])),  // who answered
    (datagram(.gossip), bytes(7)),
    (
      datagram(.digests(DigestTable(nodes: Array(0..<32), removals: 0xAABB_CCDD))),
      bytes(
        8,
        (0..<32).flatMap { [0, 0, 0, $0] }  // a digest for each bucket
          + [0xAA, 0xBB, 0xCC, 0xDD])  // of the removals
    ),
    (datagram(.contents(buckets: 0x8000_0001)), bytes(9, [0x80, 0x00, 0x00, 0x01])),  // buckets 31 and 0
    (datagram(.gossip, [.record(record, .suspect, vitals: 42)]), bytes(7, recordBytes)),
    (
      datagram(.gossip, [.record(appended, .suspect, vitals: 42)]),
      bytes(7, [0x01, 63 + 34] + recordBytes.dropFirst(2) + appendix)  // a record, 34 bytes longer
    ),
    (
      datagram(.ack, [.status(NodeStatus(mac: mac(9), state: .dead, tag: 0xBEEF, incarnation: 300))]),
      bytes(
        3,
        [
          0x02, 0x0B,  // a status, 11 bytes
          0x02,  // dead
          0x52, 0x54, 0x00, 0x12, 0x34, 0x09,  // MAC
          0xBE, 0xEF,  // tag of the record
          0xAC, 0x02,  // incarnation: 0x2C + 2 · 128
        ])
    ),
    (
      datagram(
        .ack,
        [
          .vitals([
            Vitals(id: 0x0109, sequence: 255, load: 3, memoryFree: 127),
            Vitals(id: 0x010A, sequence: 0, load: 0xFFFF, memoryFree: .max),
          ])
        ]),
      bytes(
        3,
        [
          0x03, 0x10,  // vitals, 16 bytes
          0x01, 0x09, 0xFF,  // id, number
          0x03, 0x7F,  // load, free memory
          0x01, 0x0A, 0x00,
          0xFF, 0xFF, 0x03, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F,
        ])
    ),
    (
      datagram(
        .gossip,
        [
          .removal(
            Removal(
              isInForce: true, counter: 3, mac: mac(9), fingerprint: record.fingerprint, id: 0x0109,
              signature: [UInt8](64..<128)))
        ]),
      bytes(
        7,
        [
          0x06, 0x6D,  // a removal, 109 bytes
          0x01,  // in force
          0x00, 0x00, 0x00, 0x03,  // counter
          0x52, 0x54, 0x00, 0x12, 0x34, 0x09,  // MAC
        ] + Array(0..<32) + [  // fingerprint
          0x01, 0x09,  // id
        ] + Array(64..<128))  // the authority's signature
    ),
    (
      datagram(.gossip, [.want([mac(1), mac(2)])]),
      bytes(
        7,
        [
          0x05, 0x0C,  // asks for records, 12 bytes
          0x52, 0x54, 0x00, 0x12, 0x34, 0x01,
          0x52, 0x54, 0x00, 0x12, 0x34, 0x02,
        ])
    ),
  ]

  @Test("a datagram is these bytes, and these bytes are that datagram", arguments: goldens.indices)
  func golden(_ index: Int) throws {
    let (datagram, bytes) = DatagramTests.goldens[index]
    #expect(datagram.bytes == bytes)
    #expect(try Datagram(bytes, of: cluster) == datagram)
  }

  @Test("a cut datagram says where something is missing", arguments: goldens.indices)
  func truncated(_ index: Int) throws {
    let bytes = DatagramTests.goldens[index].1
    for count in 0..<18 {
      #expect(throws: MembershipDecodeError.self) { try Datagram(Array(bytes.prefix(count)), of: cluster) }
    }
    // Behind the header it may end between items only.
    if bytes.count > 18 {
      #expect(throws: MembershipDecodeError.self) { try Datagram(Array(bytes.dropLast()), of: cluster) }
    }
  }

  private static func changed(_ offset: Int, _ value: UInt8, in bytes: [UInt8]) -> [UInt8] {
    var out = bytes
    out[offset] = value
    return out
  }

  private static let wrong: [([UInt8], MembershipDecodeError)] = [
    ([], .truncated(offset: 0, needed: 1, available: 0)),
    (bytes(1).dropLast(), .truncated(offset: 16, needed: 2, available: 1)),
    (changed(0, 2, in: bytes(1)), .version(2)),
    (bytes(0), .kind(0)),
    (bytes(10), .kind(10)),
    (changed(9, 7, in: bytes(1)), .foreign(ClusterIdentifier(bits: 0xC1A0_0102_0304_0507))),
    (bytes(1, [UInt8](repeating: 0, count: 1183)), .tooLong(1201)),
    (bytes(2, [1, 2]), .truncated(offset: 18, needed: 8, available: 2)),
    (bytes(4, [0, 0, 0, 0, 0, 0]), .value(offset: 18)),  // a MAC of zeros
    (bytes(7, [0x63]), .truncated(offset: 19, needed: 1, available: 0)),
    (bytes(7, [0x63, 2, 0]), .truncated(offset: 20, needed: 2, available: 1)),
    (bytes(7, changed(2, 0x04, in: recordBytes)), .value(offset: 20)),  // no such state
    (bytes(7, changed(42, 0, in: changed(41, 0, in: recordBytes))), .value(offset: 59)),  // id 0
    (bytes(7, changed(44, 5, in: recordBytes)), .value(offset: 62)),  // five addresses
    (bytes(7, changed(44, 0, in: recordBytes)), .value(offset: 62)),  // none
    (bytes(7, changed(45, 127, in: recordBytes)), .value(offset: 62)),  // a loopback address
    (bytes(3, [0x02, 0x0E, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x08]), .value(offset: 29)),
    (bytes(3, [0x02, 0x0E, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10]), .value(offset: 29)),
    (bytes(3, [0x03, 0x05, 1, 9, 0, 3, 0x80]), .truncated(offset: 25, needed: 1, available: 0)),
    (bytes(7, [0x06, 0x01, 2]), .value(offset: 20)),
    (bytes(7, [0x06, 0x05, 1, 0, 0, 0, 0]), .value(offset: 21)),  // counter 0
    (
      bytes(7, [0x06, 0x2D, 1, 0, 0, 0, 3, 0x52, 0x54, 0, 0x12, 0x34, 9] + Array(0..<32) + [1, 9]),
      .truncated(offset: 65, needed: 64, available: 0)
    ),
  ]

  @Test("what is wrong is named, with its place", arguments: wrong.indices)
  func named(_ index: Int) {
    let (bytes, error) = DatagramTests.wrong[index]
    #expect(throws: error) { try Datagram(Array(bytes), of: cluster) }
    #expect(error.text.starts(with: Array("membership datagram".utf8)))
  }

  @Test("items of a later version and what it appends to known ones are skipped")
  func later() throws {
    var longer = DatagramTests.recordBytes + [0, 0, 1, 2, 3]  // an empty appendix, and what is behind it
    longer[1] += 5
    let bytes = DatagramTests.bytes(7, [0x63, 0x02, 0xFF, 0xFF] + longer)
    #expect(try Datagram(bytes, of: cluster).items == [.record(DatagramTests.record, .suspect, vitals: 42)])
  }

  @Test(
    "an appendix that says what no node can have is an error, one that says more than this version knows is passed over"
  )
  func appendices() throws {
    let front: [UInt8] = [0x01, 0] + DatagramTests.recordBytes.dropFirst(2)
    func read(_ appendix: [UInt8]) throws -> Item? {
      var bytes = front + appendix
      bytes[1] = UInt8(bytes.count - 2)
      var reader = WireReader(bytes)
      return try Item(&reader)
    }
    let good = DatagramTests.appendix
    #expect(try read(good) == .record(DatagramTests.appended, .suspect, vitals: 42))
    #expect(try read(good + [1, 2, 3]) == .record(DatagramTests.appended, .suspect, vitals: 42))
    #expect(try read([0x81] + good.dropFirst()) == .record(DatagramTests.appended, .suspect, vitals: 42))
    let loopback = [UInt8](repeating: 0, count: 15) + [1]
    let tooMany = [UInt8](repeating: 0xFD, count: 16 * 9)
    let wrong: [[UInt8]] = [
      [0], [0, 9] + tooMany, [0, 1, 0xFD], [0, 1] + loopback, [0, 2] + good[2..<18] + good[2..<18],
    ]
    for wrong in wrong { #expect(throws: MembershipDecodeError.self) { try read(wrong) } }
  }

  @Test("the appendix is not in a record's tag, on which nodes of before have to agree")
  func tag() {
    #expect(DatagramTests.record.tag == DatagramTests.appended.tag)
    #expect(!DatagramTests.record.isSameApartFromVitals(DatagramTests.appended))
  }

  @Test("nothing is longer than what the lengths of full datagrams are reckoned with")
  func largest() throws {
    let list = try #require(AddressList((1...4).map { IPv4Address(10, 0, 0, $0) }))
    let record = NodeRecord(
      fingerprint: Fingerprint(1, 2, 3, 4), mac: mac(1), id: .max, addresses: list, cpus: .max, speed: .max,
      memoryTotal: .max, version: SoftwareVersion(.max, .max, .max), mayApprove: true, incarnation: 0x7FFF_FFFF,
      load: .max, memoryFree: .max, uptime: .max)
    func size(_ item: Item) -> Int {
      var out: [UInt8] = []
      out.append(item)
      return out.count
    }
    #expect(size(.record(record, .left, vitals: 255)) == Item.largest(record))
    var longest = record
    longest.addresses6 = AddressList6((1...20).map { IPv6Address(high: 0x2001_0DB8_0000_0000, low: $0) })
    #expect(longest.addresses6.all.count == AddressList6.capacity)
    #expect(size(.record(longest, .left, vitals: 255)) == Item.largestRecord)
    #expect(Item.largest(longest) == Item.largestRecord)
    #expect(Item.largestRecord <= Item.largest)
    #expect(
      size(.status(NodeStatus(mac: mac(1), state: .left, tag: .max, incarnation: 0x7FFF_FFFF))) == Item.largestStatus)
    let removal = Removal(isInForce: true, counter: 1, mac: mac(1), fingerprint: record.fingerprint, id: 1)
    #expect(size(.removal(removal)) == Item.removalLength)
    let vitals = Vitals(id: 1, sequence: 1, load: .max, memoryFree: .max)
    #expect(size(.vitals(Array(repeating: vitals, count: 100))) <= Item.largest)
    #expect(size(.want(Array(repeating: mac(1), count: 100))) <= Item.largest)
  }

  @Test("what the authority signs of a removal is these bytes")
  func statement() {
    let removal = Removal(
      isInForce: true, counter: 3, mac: mac(9), fingerprint: DatagramTests.record.fingerprint, id: 0x0109)
    #expect(
      removal.statement(of: cluster) == [UInt8]("droneforge removal\n".utf8) + [
        0xC1, 0xA0, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,  // cluster
        0x01,  // in force
        0x00, 0x00, 0x00, 0x03,  // counter
        0x52, 0x54, 0x00, 0x12, 0x34, 0x09,  // MAC
      ] + Array(0..<32) + [  // fingerprint
        0x01, 0x09,  // id
      ])
  }

  @Test("a map is these bytes")
  func map() throws {
    var membership = Membership(DatagramTests.record, cluster: cluster, authority: .sample, at: 0, seed: 1)
    let head: [UInt8] = [
      0x01,  // version
      0x80,  // a map
      0xC1, 0xA0, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,  // cluster
    ]
    var own = DatagramTests.recordBytes
    own[2] = 0x80  // alive
    own[61] = 0  // vitals not issued yet
    #expect(membership.ownMap(at: 0) == head + own)
    #expect(membership.map(at: 0) == head + own)
    let later = membership.step(at: 1)
    #expect(events(later).isEmpty)
  }

  @Test(
    "a map that cannot be read changes nothing",
    arguments: [
      ([], .truncated(offset: 0, needed: 1, available: 0)),
      ([2, 0x80], .version(2)),
      ([1, 7], .kind(7)),
      ([1, 0x80, 0, 0, 0, 0, 0, 0, 0, 1], .foreign(ClusterIdentifier(bits: 1))),
      ([1, 0x80, 0xC1, 0xA0, 1, 2, 3, 4, 5, 6] + recordBytes + [1], .truncated(offset: 76, needed: 1, available: 0)),
      (Array(repeating: 1, count: Membership.largestMap + 1), .tooLong(Membership.largestMap + 1)),
    ] as [([UInt8], MembershipDecodeError)])
  func badMap(_ map: [UInt8], _ error: MembershipDecodeError) throws {
    var membership = Membership(try node(1), cluster: cluster, authority: .sample, at: 0, seed: 1)
    #expect(throws: error) { try membership.join(map: map, at: 5) }
    #expect(throws: error) { try membership.receive(map: map, at: 5) }
    #expect(membership.liveCount == 1)
  }
}
