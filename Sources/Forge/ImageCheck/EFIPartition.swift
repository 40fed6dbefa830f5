/// Checks where a CD's EFI system partition lies: behind the file system, as long as the boot catalogue and its own boot
/// sector say, and with nothing behind it but the second copy of the partition table (UEFI 2.10, §5.3.1).
func checkEFIPartition(_ image: some ByteSource, _ entry: BootCatalogue.Loader, behind volume: Volume) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.bootCatalogue, "EFI system partition", reason)) }
  if entry.sector != volume.sectors {
    wrong("it begins in sector \(entry.sector) instead of \(volume.sectors), where the file system ends")
  }
  let (start, length) = (entry.sector * Volume.sector, entry.count * 512)
  guard image.part(start, 512) != nil, start + length <= image.count else {
    wrong("it is cut off: the image ends before it does")
    return findings
  }
  // BPB_BytsPerSec, BPB_TotSec16 and the signature (FAT: General Overview of On-Disk Format 1.03, pages 9 to 12).
  if image.word(start + 510) != 0xAA55 || image.word(start + 11) != 512 { wrong("it does not begin as a FAT volume") }
  if let sectors = image.word(start + 19), Int(sectors) != entry.count {
    wrong("its volume has \(sectors) sectors of 512 bytes, and the boot catalogue says \(entry.count)")
  }
  // At most: header, 128 or more entries of 128 bytes, padding to 2048 bytes.
  let rest = image.count - start - length
  if !(33 * 512...65 * 512).contains(rest) { wrong("\(rest) bytes follow it, which are no partition table") }
  return findings
}
