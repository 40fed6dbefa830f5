import TestSupport
import Testing
import Workshop

@testable import ImageCheck

/// A table written by hand, field by field (UEFI 2.10, tables 5.1, 5.5 and 5.6): 40 sectors, a GPT of four entries of
/// which two are used, its copy at the end.
enum HandWrittenTable {
  static let sectors = 40

  static let header: [UInt8] =
    [UInt8]("EFI PART".utf8) + [
      0x00, 0x00, 0x01, 0x00,  // revision 1.0
      0x5C, 0x00, 0x00, 0x00,  // bytes of the header: 92
      0x00, 0x00, 0x00, 0x00,  // its CRC32, put in by `sealed`
      0x00, 0x00, 0x00, 0x00,  // reserved
      0x01, 0, 0, 0, 0, 0, 0, 0,  // its own sector
      0x27, 0, 0, 0, 0, 0, 0, 0,  // the copy's: 39
      0x03, 0, 0, 0, 0, 0, 0, 0,  // the first that partitions may use
      0x25, 0, 0, 0, 0, 0, 0, 0,  // the last: 37
      0x01, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,  // the disk's identifier
      0x02, 0, 0, 0, 0, 0, 0, 0,  // the table's sector
      0x04, 0x00, 0x00, 0x00,  // entries
      0x80, 0x00, 0x00, 0x00,  // bytes of an entry: 128
      0x00, 0x00, 0x00, 0x00,  // the table's CRC32, put in by `sealed`
    ]

  static func entry(_ type: [UInt8], _ identifier: UInt8, _ first: UInt8, _ last: UInt8, _ name: String) -> [UInt8] {
    var bytes = type + [UInt8](repeating: identifier, count: 16)
    bytes += [first, 0, 0, 0, 0, 0, 0, 0]  // first sector
    bytes += [last, 0, 0, 0, 0, 0, 0, 0]  // last sector
    bytes += [1, 0, 0, 0, 0, 0, 0, 0]  // attributes: the platform needs it
    bytes += name.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    return bytes + [UInt8](repeating: 0, count: 128 - bytes.count)
  }

  static let basicData: [UInt8] = [
    0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7,
  ]
  static let system: [UInt8] = [
    0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B,
  ]

  static let image: [UInt8] = {
    var image = [UInt8](repeating: 0, count: sectors * 512)
    func put(_ bytes: [UInt8], at place: Int) { image.replaceSubrange(place..<place + bytes.count, with: bytes) }
    put(
      [
        0x00,  // not active
        0x00, 0x02, 0x00,  // cylinder, head and sector of the first
        0xEE,  // type: stands for a GPT
        0xFF, 0xFF, 0xFF,  // of the last
        0x01, 0x00, 0x00, 0x00,  // first sector
        0x27, 0x00, 0x00, 0x00,  // sectors: 39
      ], at: 446)
    put([0x55, 0xAA], at: 510)
    put(header, at: 512)
    put(entry(basicData, 0x11, 4, 19, "data"), at: 1024)
    put(entry(system, 0x22, 20, 37, "EFI"), at: 1024 + 256)
    put(header, at: 39 * 512)
    put([0x27], at: 39 * 512 + 24)
    put([0x01], at: 39 * 512 + 32)
    put([0x26], at: 39 * 512 + 72)
    put([UInt8](image[1024..<1536]), at: 38 * 512)
    return image.sealed
  }()
}

extension HandWrittenTable {
  /// The same as isohybrid has it: the MBR's first partition is the whole file system and active, the second the EFI
  /// partition, and nothing stands for the GPT.
  static let hybrid: [UInt8] = {
    var image = HandWrittenTable.image
    image.replaceSubrange(446..<462, with: [0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0])
    image.replaceSubrange(462..<478, with: [0, 0, 0, 0, 0xEF, 0, 0, 0, 20, 0, 0, 0, 18, 0, 0, 0])
    image.putInTables(0, 8, at: 32)
    return image
  }()
}

extension [UInt8] {
  /// A GPT's check sums as its headers need them, where the headers and tables are.
  var sealed: [UInt8] {
    var out = self
    for start in [512, count - 512] where start >= 512 {
      if let array = quad(start + 72).flatMap({ Int(exactly: $0) }), array < count / 512,
        let entries = long(start + 80),
        let size = long(start + 84), entries < 1 << 16, size < 1 << 16,
        let table = part(array * 512, Int(entries) * Int(size))
      {
        out.put(UInt64(crc32(table)), 4, at: start + 88)
      }
      out.put(0, 4, at: start + 16)
      out.put(UInt64(crc32(out[start..<start + 92])), 4, at: start + 16)
    }
    return out
  }

  /// The same change in both tables of a GPT.
  mutating func putInTables(_ value: UInt64, _ width: Int, at offset: Int) {
    for start in [512, count - 512] {
      put(value, width, at: Int(quad(start + 72) ?? 0) * 512 + offset)
    }
    self = sealed
  }

  mutating func putInHeaders(_ value: UInt64, _ width: Int, at offset: Int) {
    for start in [512, count - 512] { put(value, width, at: start + offset) }
    self = sealed
  }
}

@Suite("Tables of partitions")
struct PartitionTests {
  private func read(_ image: [UInt8]) -> (system: SystemPartition, wrong: [String]) {
    var findings: [Finding] = []
    let system = SystemPartition.read(image, &findings)
    return (system, findings.map { "\($0)" })
  }

  @Test("the check sum is that of gzip", arguments: [("", 0), ("123456789", 0xCBF4_3926), ("a", 0xE8B7_BE43)])
  func checksum(_ text: String, _ value: UInt32) { #expect(crc32(text.utf8) == value) }

  @Test("a table is read field by field")
  func fields() throws {
    var findings: [Finding] = []
    let table = try #require(GUIDPartitionTable.read(HandWrittenTable.image, &findings))
    #expect(findings == [])
    #expect(table.firstUsable == 3 && table.lastUsable == 37 && table.copy == 39 && table.diskSize == 40 * 512)
    #expect("\(table.disk)" == "04030201-0605-0807-090A-0B0C0D0E0F10")
    #expect(
      table.partitions == [
        .init(
          number: 1, type: GUID(bytes: HandWrittenTable.basicData),
          identifier: GUID(bytes: [UInt8](repeating: 0x11, count: 16)), first: 4, last: 19, attributes: 1, name: "data"),
        .init(
          number: 3, type: .system, identifier: GUID(bytes: [UInt8](repeating: 0x22, count: 16)), first: 20, last: 37,
          attributes: 1, name: "EFI"),
      ])
    #expect("\(GUID.system)" == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
    #expect(read(HandWrittenTable.image) == (.found(first: 20, count: 18), []))
    #expect(
      MasterBootRecord(HandWrittenTable.image)?.partitions
        == [.init(number: 1, status: 0, type: 0xEE, start: 1, count: 39)])
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var says: String
    var apply: @Sendable (inout [UInt8]) -> Void

    init(_ name: String, _ says: String, _ apply: @escaping @Sendable (inout [UInt8]) -> Void) {
      (testDescription, self.says, self.apply) = (name, says, apply)
    }
  }

  static let damages: [Damage] = [
    Damage("nothing", "no table of partitions") { $0 = [] },
    Damage("no boot signature", "no table of partitions") { $0[510] = 0 },
    Damage("MBR: nobody stands for the GPT", "entry 1 has sectors 1 to 39, and the GPT has no such") { $0[450] = 0xEF },
    Damage("MBR: two stand for the GPT", "2 entries instead of one say") {
      $0.replaceSubrange(462..<478, with: $0[446..<462])
    },
    Damage("MBR: the GPT's entry is active", "stands for the GPT and is active") { $0[446] = 0x80 },
    Damage("MBR: the GPT's entry begins late", "39 sectors from 2 on instead of 39 from 1 on") { $0[454] = 2 },
    Damage("MBR: the GPT's entry is short", "has 38 sectors from 1 on") { $0[458] = 38 },
    Damage("MBR: an unknown status", "status 1") { $0[446] = 1 },
    Damage("MBR: a partition that the GPT has not", "entry 2 has sectors 20 to 36, and the GPT has no such") {
      $0.put(0xEF, 1, at: 466)
      $0.put(20, 4, at: 470)
      $0.put(17, 4, at: 474)
    },
    Damage("MBR: the EFI partition as another", "entry 2 has the type 131") {
      $0.put(0x83, 1, at: 466)
      $0.put(20, 4, at: 470)
      $0.put(18, 4, at: 474)
    },
    Damage("MBR: sectors without a type", "entry 3 has no type and is not empty") { $0[490] = 9 },
    Damage("GPT: signature", "the header is missing") { $0[512] = 0 },
    Damage("GPT: header's CRC32", "the header's CRC32 is wrong") { $0[512 + 16] ^= 1 },
    Damage("GPT: a bit of the header", "the header's CRC32 is wrong") { $0[512 + 41] ^= 1 },
    Damage("GPT: header's size", "is said to have 91 bytes") { $0[512 + 12] = 91 },
    Damage("GPT: reserved bytes", "reserved bytes are not zero") { $0[512 + 92] = 1 },
    Damage("GPT: version", "another version than 1.0") { $0.putInHeaders(2, 4, at: 8) },
    Damage("GPT: the header is elsewhere", "says that it is in 2") {
      $0[512 + 24] = 2
      $0 = $0.sealed
    },
    Damage("GPT: entries of 100 bytes", "no table is like that") { $0.putInHeaders(100, 4, at: 84) },
    Damage("GPT: entries without end", "no table is like that") { $0.putInHeaders(0xFFFF_FFFF, 4, at: 80) },
    Damage("GPT: the table is far outside", "the table lies outside the image") {
      $0.putInHeaders(0x7FFF_FFFF_FFFF_FFFF, 8, at: 72)
    },
    Damage("GPT: a bit of the table", "the table's CRC32 is wrong") { $0[1024 + 60] ^= 1 },
    Damage("GPT: the table runs into the partitions", "do not lie behind each other") { $0.putInHeaders(2, 8, at: 40) },
    Damage("GPT: partitions up to the copy", "do not lie behind each other") { $0.putInHeaders(39, 8, at: 48) },
    Damage("GPT: no disk identifier", "the disk has no identifier") {
      $0.putInHeaders(0, 8, at: 56)
      $0.putInHeaders(0, 8, at: 64)
    },
    Damage("GPT: the copy is not at the end", "its copy should lie in the last sector, 39") {
      $0.put(38, 8, at: 512 + 32)
      $0 = $0.sealed
    },
    Damage("GPT: the copy's signature", "the copy's header is missing in sector 39") { $0[39 * 512] = 0 },
    Damage("GPT: the copy's CRC32", "the copy's header's CRC32 is wrong") { $0[39 * 512 + 16] ^= 1 },
    Damage("GPT: the copy's table", "the copy's table's CRC32 is wrong") { $0[38 * 512 + 3] ^= 1 },
    Damage("GPT: the copy's table is another", "the copy's table is another") {
      $0[38 * 512 + 56] = 0x44
      $0 = $0.sealed
    },
    Damage("GPT: the copy names other sectors", "the copy's header says something else") {
      $0.put(36, 8, at: 39 * 512 + 48)
      $0 = $0.sealed
    },
    Damage("GPT: the copy has the first table", "does not lie between the partitions and its header") {
      $0.put(2, 8, at: 39 * 512 + 72)
      $0 = $0.sealed
    },
    Damage("GPT: partition over the last sector", "lies in sectors 20 to 38, outside") {
      $0.putInTables(38, 8, at: 256 + 40)
    },
    Damage("GPT: partition in the table", "lies in sectors 2 to 19, outside") { $0.putInTables(2, 8, at: 32) },
    Damage("GPT: partition backwards", "partition 3 ends before it begins") { $0.putInTables(19, 8, at: 256 + 40) },
    Damage("GPT: partitions overlap", "partitions 1 and 3 overlap") { $0.putInTables(20, 8, at: 40) },
    Damage("GPT: one identifier twice", "partition 3 has no identifier of its own") {
      $0.putInTables(0x1111_1111_1111_1111, 8, at: 256 + 16)
      $0.putInTables(0x1111_1111_1111_1111, 8, at: 256 + 24)
    },
    Damage("GPT: no EFI partition", "no partition of the GPT is an EFI system partition") {
      $0.putInTables(0x4433_B9E5_EBD0_A0A2, 8, at: 256)
    },
    Damage("GPT: two EFI partitions", "the GPT has 2 EFI system partitions") {
      $0.putInTables(0x11D2_F81F_C12A_7328, 8, at: 0)
      $0.putInTables(0x3BC9_3EC9_A000_4BBA, 8, at: 8)
    },
    Damage("the end is missing", "it is cut off: 20000 of 20480 bytes are there; copy it again") {
      $0.removeLast(480)
    },
    Damage("half is missing", "of 20480 bytes are there, and the EFI partition, from which UEFI boots, is not whole") {
      $0.removeLast(10_000)
    },
    Damage("something follows", "should lie in the last sector, 41") { $0 += [UInt8](repeating: 0, count: 1024) },
  ]

  @Test("damage to MBR or GPT is named", arguments: damages)
  func damaged(_ damage: Damage) {
    var image = HandWrittenTable.image
    damage.apply(&image)
    let wrong = read(image).wrong
    #expect(wrong.contains { $0.contains(damage.says) }, "found instead: \(wrong)")
  }

  @Test(
    "an image that a copy cut off is told in one sentence, wherever it ends", arguments: [20_479, 10_241, 4000, 1536])
  func cutOff(_ count: Int) {
    let (system, wrong) = read([UInt8](HandWrittenTable.image[..<count]))
    #expect(system == .cutOff && wrong.count == 1, "\(wrong)")
    #expect(wrong.first?.hasPrefix("image: it is cut off: \(count) of 20480 bytes are there") == true)
  }

  @Test("an empty active entry, by which some BIOSes boot, and the same partition in the MBR are no fault")
  func hybrid() {
    var image = HandWrittenTable.image
    image.replaceSubrange(462..<478, with: [0x80, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    image.put(0xEF, 1, at: 482)
    image.put(20, 4, at: 486)
    image.put(18, 4, at: 490)
    #expect(read(image) == (.found(first: 20, count: 18), []))
  }

  @Test("without a GPT the MBR names the EFI partition")
  func oldStyle() async throws {
    try await withFolder { folder in
      let partition = [UInt8](repeating: 7, count: 300 << 10)
      let words = ["-append_partition", "2", "0xef", "efi.img"]
      let image = try await PartitionSample.image(with: partition, words, in: folder)
      let (system, wrong) = read(image)
      #expect(wrong == [] && system.bytes(of: image)?.part(0, partition.count)?.elementsEqual(partition) == true)
      let cut = read(image.dropLast(512).map(\.self))
      #expect(cut.system == .cutOff && cut.wrong.count == 1, "\(cut.wrong)")
    }
  }

  @Test("isohybrid's MBR and GPT as xorriso writes them name the same partitions")
  func isohybrid() async throws {
    let partition = try await PartitionSample.shared.value.partition
    try await withFolder { folder in
      let words = ["-append_partition", "2", "0xef", "efi.img", "-isohybrid-gpt-basdat"]
      let image = try await PartitionSample.image(with: partition, words, in: folder)
      let (system, wrong) = read(image)
      #expect(wrong == [] && system.bytes(of: image)?.part(0, partition.count)?.elementsEqual(partition) == true)
      #expect(GUIDPartitionTable.isThere(image))
      let dump = String(
        decoding: try await Command("/sbin/sfdisk", ["--dump", folder.appending("out.iso").string]).output(),
        as: UTF8.self)
      guard case .found(let first, let count) = system else { return }
      #expect(dump.filter { $0 != " " }.contains("iso2:start=\(first),size=\(count),type=ef\n"), "\(dump)")
    }
  }

  @Test("what xorriso wrote is read as sfdisk and sgdisk read it", arguments: [[], ["--mbr-force-bootable"]])
  func others(_ more: [String]) async throws {
    let sample = try await PartitionSample.shared.value
    try await withFolder { folder in
      let image = try await PartitionSample.image(
        with: sample.partition, PartitionSample.gptWords + more, in: folder)
      let path = folder.appending("out.iso").string
      let (system, wrong) = read(image)
      #expect(
        wrong == [] && system.bytes(of: image)?.part(0, sample.partition.count)?.elementsEqual(sample.partition) == true
      )
      let table = try #require(
        {
          var none: [Finding] = []; return GUIDPartitionTable.read(image, &none)
        }())
      let dump = String(decoding: try await Command("/sbin/sfdisk", ["--dump", path]).output(), as: UTF8.self)
      for partition in table.partitions {
        let line = dump.split(separator: "\n").map { $0.filter { $0 != " " } }
          .first { $0.contains("iso\(partition.number):") }
        #expect(
          line?.contains(
            "start=\(partition.first),size=\(partition.last - partition.first + 1),type=\(partition.type),"
              + "uuid=\(partition.identifier),name=\"\(partition.name)\"") == true, "\(dump)")
      }
      #expect(dump.contains("label-id: \(table.disk)\n") && dump.contains("first-lba: \(table.firstUsable)\n"))
      #expect(dump.contains("last-lba: \(table.lastUsable)\n"))
      let verified = String(decoding: try await Command("/sbin/sgdisk", ["--verify", path]).output(), as: UTF8.self)
      #expect(verified.contains("No problems found."))
    }
  }

  @Test("the boot catalogue names the same sectors as the GPT, and is told when it does not")
  func catalogue() async throws {
    let image = try await PartitionSample.shared.value.image
    var findings: [Finding] = []
    let sector = try #require(Volume.read(image, &findings)?.catalogue)
    findings = []
    let loaders = try #require(BootCatalogue.read(image, sector: sector, &findings)).loaders
    let system = read(image).system
    var entry = try #require(loaders.last)
    #expect(entry.platform == .efi && findings == [] && checkSystemPartition(system, entry) == [])
    entry.sector += 1
    #expect(checkSystemPartition(system, entry).map(\.reason).first?.hasPrefix("its entry for UEFI begins in") == true)
    entry.sector -= 1
    entry.count -= 1
    #expect(
      checkSystemPartition(system, entry).map(\.reason) == [
        "its entry for UEFI has 511 sectors of 512 bytes, and the EFI partition 512"
      ])
    // A count of 0 or 1 stands for more than 16 bits.
    entry.count = 0
    #expect(checkSystemPartition(system, entry).count == 1)
    entry = .init(platform: .efi, isBootable: true, emulation: 0, segment: 0, systemType: 0, count: 0, sector: 25)
    #expect(checkSystemPartition(.found(first: 100, count: 70_000), entry) == [])
  }
}

@Suite struct PartitionFuzzTests {
  @Test("any MBR and GPT give a partition within the image, or findings")
  func tables() {
    let images = [HandWrittenTable.image, HandWrittenTable.hybrid]
    let fault = Fuzzing.configured.firstFault { generator in
      let image = images.randomElement(using: &generator) ?? []
      var bytes = image
      let places = [446..<512, 512..<604, 1024..<1408, 38 * 512..<38 * 512 + 384, 39 * 512..<39 * 512 + 92]
      let place = places.randomElement(using: &generator) ?? 0..<0
      bytes.replaceSubrange(place, with: [UInt8](image[place]).damaged(&generator))
      // Check sums end most readings: half of the cases have right ones.
      if Bool.random(using: &generator), bytes.count == image.count { bytes = bytes.sealed }
      var findings: [Finding] = []
      let system = SystemPartition.read(bytes, &findings)
      if system == .found(first: 20, count: 18) { return nil }
      if findings.isEmpty, case .found = system {} else if findings.isEmpty { return "no finding" }
      guard case .found = system else { return nil }
      guard let extent = system.bytes(of: bytes), extent.count > 0, extent.part(0, extent.count) != nil else {
        return "a partition outside: \(system)"
      }
      return nil
    }
    #expect(fault == nil)
  }
}
