/// A disk's table of partitions with its copy at the disk's end (UEFI 2.10, §5.3).
struct GUIDPartitionTable: Equatable {
  /// An entry that is used (§5.3.3).
  struct Partition: Equatable {
    /// From 1 on: the entry's place.
    var number: Int
    var type: GUID
    var identifier: GUID
    /// Its first and its last 512-byte sector.
    var first: UInt64
    var last: UInt64
    var attributes: UInt64
    var name: String
  }

  /// A header (§5.3.2), the first one or its copy.
  fileprivate struct Header: Equatable {
    var own: UInt64
    var other: UInt64
    var firstUsable: UInt64
    var lastUsable: UInt64
    var disk: GUID
    var array: UInt64
    var entries: Int
    var entrySize: Int
    var arrayChecksum: UInt32

    /// 512-byte sectors of the entries.
    var arraySectors: UInt64 {
      UInt64((entries * entrySize + MasterBootRecord.sector - 1) / MasterBootRecord.sector)
    }
  }

  var disk: GUID
  /// The sectors that partitions may lie in.
  var firstUsable: UInt64
  var lastUsable: UInt64
  /// Where the copy's header should be, the disk's last sector.
  var copy: UInt64
  var partitions: [Partition]

  /// Bytes that the whole disk has by it.
  var diskSize: UInt64 {
    let (sectors, overflow) = copy.addingReportingOverflow(1)
    let (bytes, tooMany) = sectors.multipliedReportingOverflow(by: UInt64(MasterBootRecord.sector))
    return overflow || tooMany ? .max : bytes
  }

  static func isThere(_ image: some ByteSource) -> Bool { image.has("EFI PART", at: MasterBootRecord.sector) }

  /// Reads the table and says what is wrong with it and its copy; nil when its header or its entries cannot be trusted.
  ///
  /// Of an image that ends before its copy, that is all it says: `diskSize` tells.
  ///
  /// - Parameter fromZero: whether a partition may begin with the disk, where the table itself lies, as that of a CD's file
  ///   system does.
  static func read(
    _ image: some ByteSource, fromZero: Bool = false, _ findings: inout [Finding]
  ) -> GUIDPartitionTable? {
    var reader = TableReader(image: image, fromZero: fromZero)
    let table = reader.read()
    findings += reader.wrong.map { Finding(.partitions, "GPT", $0) }
    return table
  }
}

/// A globally unique identifier as UEFI stores it: three numbers with the low byte first, and eight bytes (UEFI 2.10,
/// appendix A).
struct GUID: Hashable, CustomStringConvertible {
  var bytes: [UInt8]

  /// An EFI system partition's type (UEFI 2.10, table 5.7).
  static let system = GUID(bytes: [
    0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B,
  ])

  var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

  var description: String {
    guard bytes.count == 16 else { return "?" }
    let order = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15]
    return order.map { place in
      guard place >= 0 else { return "-" }
      let digits = String(bytes[place], radix: 16, uppercase: true)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}

private struct TableReader {
  let image: any ByteSource
  let fromZero: Bool
  var wrong: [String] = []

  init(image: any ByteSource, fromZero: Bool) { (self.image, self.fromZero) = (image, fromZero) }

  /// No writer makes more, and reading has to end some time.
  private static let largestArray = 1 << 20
  private var sectors: UInt64 { UInt64(image.count / MasterBootRecord.sector) }

  mutating func read() -> GUIDPartitionTable? {
    guard let header = header(at: 1, "the header") else { return nil }
    guard let array = array(of: header, "the table") else { return nil }
    let table = GUIDPartitionTable(
      disk: header.disk, firstUsable: header.firstUsable, lastUsable: header.lastUsable, copy: header.other,
      partitions: partitions(in: array, header.entrySize))
    if header.other >= sectors { return table }
    check(table, header)
    if header.other != sectors - 1 {
      wrong.append("its copy should lie in the last sector, \(sectors - 1), and is said to be in \(header.other)")
    }
    if let copy = self.header(at: header.other, "the copy's header") {
      var expected = header
      swap(&expected.own, &expected.other)
      expected.array = copy.array
      if copy != expected { wrong.append("the copy's header says something else than the first") }
      if let other = self.array(of: copy, "the copy's table") {
        if other != array { wrong.append("the copy's table is another than the first") }
        if copy.array <= header.lastUsable || copy.array + copy.arraySectors > header.other {
          wrong.append("the copy's table does not lie between the partitions and its header")
        }
      }
    }
    return table
  }

  private mutating func header(at sector: UInt64, _ name: String) -> GUIDPartitionTable.Header? {
    guard let start = place(sector), let block = image.part(start, MasterBootRecord.sector).map({ [UInt8]($0) }) else {
      wrong.append("\(name) lies outside the image, in sector \(sector)")
      return nil
    }
    guard block.has("EFI PART", at: 0) else {
      wrong.append("\(name) is missing in sector \(sector)")
      return nil
    }
    let size = Int(block.long(12) ?? 0)
    guard (92...block.count).contains(size) else {
      wrong.append("\(name) is said to have \(size) bytes")
      return nil
    }
    var zeroed = [UInt8](block[..<size])
    for place in 16..<20 { zeroed[place] = 0 }
    guard block.long(16) == crc32(zeroed) else {
      wrong.append("\(name)'s CRC32 is wrong: it is damaged")
      return nil
    }
    guard block.long(8) == 0x0001_0000, let own = block.quad(24), let other = block.quad(32),
      let first = block.quad(40), let last = block.quad(48), let disk = block.part(56, 16), let array = block.quad(72),
      let entries = block.long(80), let entrySize = block.long(84), let checksum = block.long(88)
    else {
      wrong.append("\(name) is of another version than 1.0")
      return nil
    }
    if own != sector { wrong.append("\(name) is in sector \(sector) and says that it is in \(own)") }
    if block.long(20) != 0 || block[92...].contains(where: { $0 != 0 }) {
      wrong.append("\(name)'s reserved bytes are not zero")
    }
    guard entrySize >= 128, entrySize.nonzeroBitCount == 1,
      entrySize.multipliedReportingOverflow(by: entries).overflow == false,
      Int(entrySize) * Int(entries) <= Self.largestArray, entries > 0
    else {
      wrong.append("\(name) has \(entries) entries of \(entrySize) bytes, and no table is like that")
      return nil
    }
    return .init(
      own: own, other: other, firstUsable: first, lastUsable: last, disk: GUID(bytes: [UInt8](disk)), array: array,
      entries: Int(entries), entrySize: Int(entrySize), arrayChecksum: checksum)
  }

  private mutating func array(of header: GUIDPartitionTable.Header, _ name: String) -> [UInt8]? {
    guard let start = place(header.array), let bytes = image.part(start, header.entries * header.entrySize) else {
      wrong.append("\(name) lies outside the image, in sector \(header.array)")
      return nil
    }
    guard crc32(bytes) == header.arrayChecksum else {
      wrong.append("\(name)'s CRC32 is wrong: it is damaged")
      return nil
    }
    return [UInt8](bytes)
  }

  private func partitions(in array: [UInt8], _ size: Int) -> [GUIDPartitionTable.Partition] {
    stride(from: 0, to: array.count, by: size).compactMap { start in
      guard let type = array.part(start, 16).map({ GUID(bytes: [UInt8]($0)) }), !type.isZero,
        let identifier = array.part(start + 16, 16), let first = array.quad(start + 32),
        let last = array.quad(start + 40), let attributes = array.quad(start + 48)
      else { return nil }
      let name = (0..<36).map { array.word(start + 56 + 2 * $0) ?? 0 }.prefix { $0 != 0 }
      return .init(
        number: start / size + 1, type: type, identifier: GUID(bytes: [UInt8](identifier)), first: first, last: last,
        attributes: attributes, name: String(decoding: name, as: UTF16.self))
    }
  }

  private mutating func check(_ table: GUIDPartitionTable, _ header: GUIDPartitionTable.Header) {
    if header.disk.isZero { wrong.append("the disk has no identifier") }
    if header.array < 2 || header.array + header.arraySectors > table.firstUsable
      || table.firstUsable > table.lastUsable || table.lastUsable >= table.copy
    {
      wrong.append(
        "its parts do not lie behind each other: the table from sector \(header.array), partitions from "
          + "\(table.firstUsable) to \(table.lastUsable), the copy in \(table.copy)")
    }
    var identifiers: Set<GUID> = []
    for partition in table.partitions {
      let name = "partition \(partition.number)"
      if partition.first > partition.last {
        wrong.append("\(name) ends before it begins, in sector \(partition.last)")
      } else if partition.first < table.firstUsable && !(fromZero && partition.first == 0)
        || partition.last > table.lastUsable
      {
        wrong.append(
          "\(name) lies in sectors \(partition.first) to \(partition.last), outside of what partitions may use")
      }
      if partition.identifier.isZero || !identifiers.insert(partition.identifier).inserted {
        wrong.append("\(name) has no identifier of its own")
      }
    }
    let sorted = table.partitions.sorted { $0.first < $1.first }
    for (one, next) in zip(sorted, sorted.dropFirst()) where next.first <= one.last {
      wrong.append("partitions \(one.number) and \(next.number) overlap")
    }
  }

  private func place(_ sector: UInt64) -> Int? {
    Int(exactly: sector).flatMap { $0 <= image.count / MasterBootRecord.sector ? $0 * MasterBootRecord.sector : nil }
  }
}
