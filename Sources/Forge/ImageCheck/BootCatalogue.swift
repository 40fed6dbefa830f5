/// The boot catalogue: every loader that a CD offers to firmware (El Torito Bootable CD-ROM Format Specification 1.0, §2).
struct BootCatalogue: Equatable {
  /// One boot loader's entry.
  struct Loader: Equatable {
    var platform: Platform
    var isBootable: Bool
    /// What the firmware emulates: 0 nothing, 1 to 3 a floppy, 4 a disk.
    var emulation: UInt8
    /// The real-mode segment where a PC loads it; 0 means 0x7C0.
    var segment: UInt16
    var systemType: UInt8
    /// 512-byte sectors that the firmware loads.
    var count: Int
    /// Its first 2048-byte sector.
    var sector: Int
  }

  /// The firmware that an entry is for.
  struct Platform: Equatable, CustomStringConvertible {
    var number: UInt8

    static let pc = Platform(number: 0)
    /// UEFI 2.10, §13.3.2.1.
    static let efi = Platform(number: 0xEF)

    var description: String {
      switch number {
      case 0: "0 (BIOS)"
      case 1: "1 (PowerPC)"
      case 2: "2 (Mac)"
      case 0xEF: "239 (UEFI)"
      default: "\(number)"
      }
    }
  }

  /// In the catalogue's order, the initial entry first.
  var loaders: [Loader]

  /// Reads the catalogue at `sector` and says what is wrong with its form; nil when no boot loader can be found through it.
  static func read(_ image: some ByteSource, sector: Int, _ findings: inout [Finding]) -> BootCatalogue? {
    var reader = CatalogueReader(image: image, start: sector * Volume.sector)
    guard sector > Volume.firstDescriptor, image.part(reader.start, Volume.sector) != nil else {
      findings.append(
        Finding(.bootCatalogue, "boot catalogue", "it lies outside the image, in sector \(sector)"))
      return nil
    }
    reader.read()
    findings += reader.wrong.map { Finding(.bootCatalogue, "boot catalogue", $0) }
    return reader.loaders.isEmpty ? nil : BootCatalogue(loaders: reader.loaders)
  }
}

/// Goes through the entries, 32 bytes each.
private struct CatalogueReader {
  let image: any ByteSource
  let start: Int
  var position = 0
  var loaders: [BootCatalogue.Loader] = []
  var wrong: [String] = []

  init(image: any ByteSource, start: Int) {
    self.image = image
    self.start = start
  }

  /// No writer makes a catalogue of more sectors.
  private static let longest = 16 * Volume.sector

  mutating func read() {
    let platform = validation()
    position = 32
    loader(of: platform, "the initial entry")
    var section = 0
    var more = true
    // Section headers (§2.3): 0x90 when another follows, 0x91 for the last.
    while more, let header = byte(0), header == 0x90 || header == 0x91 {
      section += 1
      more = header == 0x90
      let platform = BootCatalogue.Platform(number: byte(1) ?? 0)
      let count = Int(image.word(start + position + 2) ?? 0)
      if count == 0 { wrong.append("there is more in it than its loaders: section \(section) has no entry") }
      position += 32
      for entry in 0..<count {
        guard loader(of: platform, "entry \(entry + 1) of section \(section)") else { return }
        extensions(of: "entry \(entry + 1) of section \(section)")
      }
    }
    if section > 0, more { wrong.append("its last section says that another follows") }
    if rest().contains(where: { $0 != 0 }) { wrong.append("there is more in it than its entries") }
  }

  /// The validation entry (§2.1): header 1, platform, and a checksum that makes its sixteen words add up to zero.
  private mutating func validation() -> BootCatalogue.Platform {
    if byte(0) != 1 { wrong.append("the validation entry's header is \(byte(0) ?? 0) instead of 1") }
    if image.word(start + 0x1E) != 0xAA55 { wrong.append("the validation entry does not end in 55 AA") }
    let sum = stride(from: start, to: start + 32, by: 2).reduce(UInt16(0)) { $0 &+ (image.word($1) ?? 0) }
    if sum != 0 { wrong.append("the validation entry's checksum is wrong by \(sum)") }
    return BootCatalogue.Platform(number: byte(1) ?? 0)
  }

  /// An initial or section entry (§2.2, §2.4). False when there can be no other behind it.
  @discardableResult
  private mutating func loader(of platform: BootCatalogue.Platform, _ name: String) -> Bool {
    guard position < Self.longest, let indicator = byte(0), let media = byte(1), let segment = word(2),
      let type = byte(4), let count = word(6), let sector = image.long(start + position + 8)
    else {
      wrong.append("\(name) lies outside it")
      return false
    }
    position += 32
    if indicator != 0x88 && indicator != 0 {
      wrong.append("\(name) is not marked as bootable, nor as anything else that it may be")
    }
    let place = Int(sector)
    if place <= Volume.firstDescriptor || image.part(place * Volume.sector, Volume.sector) == nil {
      wrong.append("the boot loader of \(name) lies outside the image, in sector \(place)")
    } else {
      loaders.append(
        .init(
          platform: platform, isBootable: indicator == 0x88, emulation: media & 0x0F, segment: segment,
          systemType: type, count: Int(count), sector: place))
    }
    return true
  }

  /// The extensions of a section entry (§2.5), each marked by the one before (bit 5 of byte 1). They say by which of its
  /// machine's properties a loader is chosen, and that is the loader's own matter.
  private mutating func extensions(of name: String) {
    var follows = (image.byte(start + position - 32 + 1) ?? 0) & 0x20 != 0
    while follows {
      guard position < Self.longest, byte(0) == 0x44, let flags = byte(1) else {
        wrong.append("an extension of \(name) is missing")
        return
      }
      position += 32
      follows = flags & 0x20 != 0
    }
  }

  /// What is behind the last entry in its sector.
  private func rest() -> ArraySlice<UInt8> {
    let end = (position + Volume.sector - 1) / Volume.sector * Volume.sector
    return image.part(start + position, end - position) ?? []
  }

  private func byte(_ offset: Int) -> UInt8? { image.byte(start + position + offset) }
  private func word(_ offset: Int) -> UInt16? { image.word(start + position + offset) }
}
