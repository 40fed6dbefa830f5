import Workshop

/// The code part of a hybrid's first sector: what isohdpfx.bin has, before the fields that an ISO's writer fills.
let hybridCodeLength = 432

/// Checks the first sector, by which a CD image boots when it lies on a disk (SYSLINUX, isohybrid.txt): the code, which
/// finds isolinux through the field behind it, and a partition table with the whole file system as one active partition.
///
/// `sector`: where the boot catalogue says that the boot loader is; `loader`: its bytes; `code`: the code's SHA-256, when
/// known; `partition`: the EFI partition behind the file system, where there should be one: `SystemPartition` reads it.
func checkHybridSector(
  _ image: some ByteSource, loader: [UInt8], sector: Int, code: String?, partition: SystemPartition? = nil
) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.hybridSector, "first sector", reason)) }
  guard let first = image.part(0, 512).map({ [UInt8]($0) }) else {
    return [Finding(.hybridSector, "first sector", "the image is shorter than it")]
  }
  if image.word(510) != 0xAA55 { wrong("it does not end in 55 AA, so no disk boots from it") }
  // Every isohdp*.bin begins with XOR BP,BP in this encoding, and speaks of isolinux.bin when it finds none.
  if image.word(0) != 0xED33
    || !first[..<hybridCodeLength].withUnsafeBytes({ contains($0, [UInt8]("isolinux.bin".utf8)) })
  {
    wrong("its code is not isohybrid's")
  } else if let code, "\(SHA256([UInt8](first[..<hybridCodeLength])))" != code {
    wrong("its code differs from the one that the image was made with")
  }
  // The loader's place in 512-byte sectors, 64 bits.
  if let low = image.long(432), let high = image.long(436), high != 0 || Int(low) != sector * 4 {
    wrong("it looks for the boot loader in 512-byte sector \(low) instead of \(sector * 4)")
  }
  // What the code looks for there.
  if loader.long(64) != 0x7078_C0FB { wrong("the boot loader lacks isohybrid's signature, and the code refuses it") }

  // The partition table's first entry: active, anything but an extended partition, from 0 to the file system's end. Beside
  // a GPT xorriso gives it type 0.
  let type = partition == nil ? 0x17 : 0
  var length = image.count / 512
  if case .found(let first, _)? = partition { length = first }
  if image.byte(446) != 0x80 { wrong("its partition is not active") }
  if let found = image.byte(450), found != type { wrong("its partition has type \(found) instead of \(type)") }
  if let start = image.long(454), start != 0 { wrong("its partition begins in sector \(start) instead of 0") }
  if let found = image.long(458), Int(found) != length {
    wrong("its partition has \(found) sectors instead of \(length)")
  }
  let others = first[(partition == nil ? 462 : 478)..<510]
  if others.contains(where: { $0 != 0 }) {
    wrong("it has more than \(partition == nil ? "one partition" : "two partitions")")
  }
  return findings
}
