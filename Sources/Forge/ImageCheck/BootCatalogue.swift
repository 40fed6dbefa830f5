/// The boot catalogue's first entries (El Torito Bootable CD-ROM Format Specification 1.0, §2).
struct BootCatalogue: Equatable {
  /// The boot loader's first 2048-byte sector.
  var loader: Int

  /// Reads the catalogue at `sector` and says what is wrong with it; nil when no boot loader can be found through it.
  static func read(_ image: [UInt8], sector: Int, _ findings: inout [Finding]) -> BootCatalogue? {
    func wrong(_ reason: String) { findings.append(Finding(.bootCatalogue, "boot catalogue", reason)) }
    let start = sector * Volume.sector
    guard sector > Volume.firstDescriptor, image.part(start, Volume.sector) != nil else {
      wrong("it lies outside the image, in sector \(sector)")
      return nil
    }
    // Validation entry (§2.1): header 1, platform, and a checksum that makes its sixteen words add up to zero.
    if image.byte(start) != 1 { wrong("the validation entry's header is \(image.byte(start) ?? 0) instead of 1") }
    if let platform = image.byte(start + 1), platform != 0 { wrong("its platform is \(platform) instead of 0, the PC") }
    if image.word(start + 0x1E) != 0xAA55 { wrong("the validation entry does not end in 55 AA") }
    let sum = stride(from: start, to: start + 32, by: 2).reduce(UInt16(0)) { $0 &+ (image.word($1) ?? 0) }
    if sum != 0 { wrong("the validation entry's checksum is wrong by \(sum)") }

    // Initial entry (§2.2).
    let entry = start + 32
    if image.byte(entry) != 0x88 { wrong("the initial entry is not marked as bootable") }
    if let media = image.byte(entry + 1), media != 0 { wrong("the boot loader is to be emulated as medium \(media)") }
    if let segment = image.word(entry + 2), segment != 0, segment != 0x7C0 {
      wrong("the boot loader is to be loaded at segment \(segment) instead of 0x7C0")
    }
    if let type = image.byte(entry + 4), type != 0 { wrong("the initial entry has system type \(type) instead of 0") }
    if let count = image.word(entry + 6), count != 4 {
      wrong("\(count) sectors of 512 bytes are to be loaded instead of 4")
    }
    if image.part(start + 64, 32)?.contains(where: { $0 != 0 }) != false {
      wrong("there is more in it than one boot loader")
    }
    let loader = Int(image.long(entry + 8) ?? 0)
    guard loader > Volume.firstDescriptor, image.part(loader * Volume.sector, Volume.sector) != nil else {
      wrong("the boot loader lies outside the image, in sector \(loader)")
      return nil
    }
    return BootCatalogue(loader: loader)
  }
}

/// Checks the table that mkisofs's `-boot-info-table` writes into bytes 8 to 63 of a boot loader: where the volume
/// descriptor and the loader itself lie, its length and checksum (mkisofs(8), "EL TORITO BOOT INFORMATION TABLE").
///
/// `loader`: the file's bytes as the file system gives them; `sector`: where the boot catalogue says it is.
func checkBootInformation(_ image: [UInt8], loader: [UInt8], sector: Int) -> [Finding] {
  var findings: [Finding] = []
  func wrong(_ reason: String) { findings.append(Finding(.bootInformation, "boot loader", reason)) }
  guard loader.count >= 64 else { return [Finding(.bootInformation, "boot loader", "it is too short for the table")] }
  if image.part(sector * Volume.sector, loader.count).map({ $0.elementsEqual(loader) }) != true {
    wrong("the boot catalogue points at something else, in sector \(sector)")
  }
  if let place = loader.long(8), place != Volume.firstDescriptor {
    wrong("its table has the volume descriptor in sector \(place) instead of 16")
  }
  if let place = loader.long(12), place != sector { wrong("its table has it in sector \(place) instead of \(sector)") }
  if let length = loader.long(16), length != loader.count {
    wrong("its table has a length of \(length) bytes instead of \(loader.count)")
  }
  // Of 32-bit words from byte 64, the last filled up with zeros.
  let sum = stride(from: 64, to: loader.count, by: 4).reduce(UInt32(0)) { sum, offset in
    let word = loader[offset..<min(offset + 4, loader.count)]
    return sum &+ word.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
  if let checksum = loader.long(20), checksum != sum {
    wrong("its table's checksum is \(checksum) instead of \(sum): the file is damaged")
  }
  if loader[24..<64].contains(where: { $0 != 0 }) { wrong("the table's reserved bytes are not zero") }
  return findings
}
