/// Where an image's EFI system partition lies, by its tables of partitions.
enum SystemPartition: Equatable {
  /// 512-byte sectors within the image.
  case found(first: Int, count: Int)
  /// The tables tell of more than the image has.
  case cutOff
  case missing

  /// Where it begins, in bytes.
  var start: Int? {
    if case .found(let first, _) = self { first * MasterBootRecord.sector } else { nil }
  }

  /// Its bytes.
  func bytes(of image: any ByteSource) -> Extent? {
    guard case .found(let first, let count) = self else { return nil }
    return Extent(whole: image, start: first * MasterBootRecord.sector, count: count * MasterBootRecord.sector)
  }

  /// Reads MBR and GPT, says what is wrong with them and where they contradict each other, and finds the partition. An
  /// image whose end is missing gives one finding and no other.
  static func read(_ image: some ByteSource, _ findings: inout [Finding]) -> SystemPartition {
    func wrong(_ reason: String) { findings.append(Finding(.partitions, "MBR", reason)) }
    guard let record = MasterBootRecord(image) else {
      wrong("the first sector is no table of partitions: it does not end in 55 AA")
      return .missing
    }
    let protective = record.partitions.contains { $0.type == MasterBootRecord.protectiveType }
    guard protective || GUIDPartitionTable.isThere(image) else {
      return record.systemPartition(image, &findings)
    }
    let table = GUIDPartitionTable.read(image, fromZero: !protective, &findings)
    if let table, table.diskSize > UInt64(image.count) {
      findings.append(cutOff(image, whole: table.diskSize, end: table.partitions.last.map { $0.last } ?? 0))
      return .cutOff
    }
    guard protective else {
      // Firmware takes the MBR for the truth (UEFI 2.10, §5.2.3); others look for a GPT and should find the same.
      if let table { record.check(beside: table, &findings) }
      return record.systemPartition(image, &findings)
    }
    guard let table else { return .missing }
    record.check(against: table, image, &findings)
    let systems = table.partitions.filter { $0.type == .system }
    guard let system = systems.first else {
      wrong("no partition of the GPT is an EFI system partition")
      return .missing
    }
    if systems.count > 1 { wrong("the GPT has \(systems.count) EFI system partitions, and firmware may take any") }
    guard system.first <= system.last, let first = Int(exactly: system.first), let last = Int(exactly: system.last),
      last < image.count / MasterBootRecord.sector
    else { return .missing }
    return .found(first: first, count: last - first + 1)
  }

  fileprivate static func cutOff(_ image: some ByteSource, whole: UInt64, end: UInt64) -> Finding {
    let isHit = end >= UInt64(image.count / MasterBootRecord.sector)
    return Finding(
      .partitions, "image",
      "it is cut off: \(image.count) of \(whole) bytes are there"
        + (isHit ? ", and the EFI partition, from which UEFI boots, is not whole" : "") + "; copy it again")
  }
}

extension MasterBootRecord {
  /// Without a GPT firmware takes the partition of its type (UEFI 2.10, §5.2.2, §13.3.1).
  fileprivate func systemPartition(_ image: some ByteSource, _ findings: inout [Finding]) -> SystemPartition {
    guard let system = partitions.first(where: { $0.type == Self.systemType }) else {
      findings.append(Finding(.partitions, "MBR", "it has no EFI system partition (type 0xEF)"))
      return .missing
    }
    let end = system.start + system.count
    guard end * Self.sector <= image.count else {
      findings.append(
        SystemPartition.cutOff(image, whole: UInt64(end * Self.sector), end: UInt64(end)))
      return .cutOff
    }
    guard system.start > 0, system.count > 0 else {
      findings.append(Finding(.partitions, "MBR", "its EFI system partition has no sectors"))
      return .missing
    }
    return .found(first: system.start, count: system.count)
  }

  /// What an MBR says that counts more than the GPT behind it: the same partitions, as isohybrid images have them since 2010.
  fileprivate func check(beside table: GUIDPartitionTable, _ findings: inout [Finding]) {
    func wrong(_ reason: String) { findings.append(Finding(.partitions, "MBR", reason)) }
    checkStatus(&findings)
    for partition in partitions where table.twin(of: partition) == nil {
      wrong("entry \(partition.number) has sectors \(partition.sectors), and the GPT has no such")
    }
    for partition in table.partitions where !partitions.contains(where: { table.twin(of: $0) == partition }) {
      wrong("partition \(partition.number) of the GPT, from sector \(partition.first) on, is not in it")
    }
  }

  private func checkStatus(_ findings: inout [Finding]) {
    func wrong(_ reason: String) { findings.append(Finding(.partitions, "MBR", reason)) }
    if partitions.count(where: \.isActive) > 1 { wrong("more than one partition is active") }
    for partition in partitions where partition.status & 0x7F != 0 {
      wrong("entry \(partition.number) has the status \(partition.status), and 0 or 128 is known")
    }
  }

  /// What an MBR beside a GPT may say: that the whole disk is taken (§5.2.3), the same partitions as the GPT, and the empty
  /// entry by which some BIOSes see that they can boot the disk.
  fileprivate func check(against table: GUIDPartitionTable, _ image: some ByteSource, _ findings: inout [Finding]) {
    func wrong(_ reason: String) { findings.append(Finding(.partitions, "MBR", reason)) }
    let sectors = image.count / Self.sector
    let protective = partitions.filter { $0.type == Self.protectiveType }
    if protective.count > 1 {
      wrong("\(protective.count) entries instead of one say that the disk has a GPT (type 0xEE)")
    }
    checkStatus(&findings)
    for partition in partitions {
      let name = "entry \(partition.number)"
      switch partition.type {
      case Self.protectiveType:
        if partition.isActive { wrong("\(name) stands for the GPT and is active") }
        let expected = min(sectors - 1, Int(UInt32.max))
        if partition.start != 1 || partition.count != expected {
          wrong(
            "\(name) stands for the GPT and has \(partition.count) sectors from \(partition.start) on instead of "
              + "\(expected) from 1 on")
        }
      case 0:
        if !partition.isActive || partition.start != 0 || partition.count != 1 {
          wrong("\(name) has no type and is not empty")
        }
      default:
        let twin = table.twin(of: partition)
        if twin == nil {
          wrong("\(name) has sectors \(partition.sectors), and the GPT has no such")
        } else if (twin?.type == .system) != (partition.type == Self.systemType) {
          wrong("\(name) has the type \(partition.type), and the GPT says that it is something else")
        }
      }
    }
  }
}

extension GUIDPartitionTable {
  fileprivate func twin(of partition: MasterBootRecord.Partition) -> Partition? {
    partitions.first {
      $0.first == UInt64(partition.start) && $0.last &- $0.first &+ 1 == UInt64(partition.count)
    }
  }
}

extension MasterBootRecord.Partition {
  fileprivate var sectors: String { "\(start) to \(start + count - 1)" }
}

/// Checks that a boot catalogue's entry for UEFI and the tables of partitions name the same place: firmware looks at one or
/// the other as the image lies on a CD or a disk (El Torito §2.4; UEFI 2.10, §13.3.2.1).
func checkSystemPartition(_ partition: SystemPartition, _ entry: BootCatalogue.Loader) -> [Finding] {
  guard case .found(let first, let count) = partition else { return [] }
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.partitions, "boot catalogue", reason)) }
  if entry.sector * (Volume.sector / MasterBootRecord.sector) != first {
    wrong(
      "its entry for UEFI begins in 512-byte sector \(entry.sector * (Volume.sector / MasterBootRecord.sector)), and the "
        + "EFI partition in \(first)")
  }
  // 0 or 1 in 16 bits: as far as the medium goes.
  if entry.count != count, count <= Int(UInt16.max) || entry.count > 1 {
    wrong("its entry for UEFI has \(entry.count) sectors of 512 bytes, and the EFI partition \(count)")
  }
  return findings
}
