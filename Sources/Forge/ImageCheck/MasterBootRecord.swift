/// The partition table in a disk's first sector (UEFI 2.10, §5.2.1).
struct MasterBootRecord: Equatable {
  /// An entry with anything in it.
  struct Partition: Equatable {
    /// 1 to 4.
    var number: Int
    /// The byte of status: 0x80 for the one partition that a BIOS may start.
    var status: UInt8
    var type: UInt8
    /// Its first 512-byte sector.
    var start: Int
    /// How many it has.
    var count: Int

    var isActive: Bool { status == 0x80 }
  }

  /// Bytes of a disk's sector, which MBR and GPT count in.
  static let sector = 512
  /// The type of an EFI system partition, and of what stands for a GPT (§5.2.2).
  static let systemType: UInt8 = 0xEF
  static let protectiveType: UInt8 = 0xEE

  var partitions: [Partition]

  /// Reads the table; nil when the first sector is none.
  init?(_ image: some ByteSource) {
    guard image.word(510) == 0xAA55 else { return nil }
    partitions = []
    for number in 1...4 {
      let place = 446 + 16 * (number - 1)
      guard let bytes = image.part(place, 16), bytes.contains(where: { $0 != 0 }), let status = image.byte(place),
        let type = image.byte(place + 4), let start = image.long(place + 8), let count = image.long(place + 12)
      else { continue }
      partitions.append(Partition(number: number, status: status, type: type, start: Int(start), count: Int(count)))
    }
  }
}
