import Target
import TestSupport
import Testing

@testable import Image
@testable import ImageCheck

/// A catalogue written by hand, field by field (El Torito §2, figures 2 to 6).
enum HandWritten {
  /// For a BIOS, for UEFI in a section of two entries of which the second has an extension, and for a Mac in the last.
  static let entries: [[UInt8]] = [
    [
      0x01,  // validation entry: header
      0x00,  // platform: BIOS
      0x00, 0x00,  // reserved
    ] + [UInt8]("droneforge".utf8) + [UInt8](repeating: 0, count: 14) + [
      0x9C, 0x36,  // check sum: the sixteen words add up to zero
      0x55, 0xAA,  // key
    ],
    [
      0x88,  // initial entry: bootable
      0x00,  // no emulation
      0xC0, 0x07,  // segment 0x7C0
      0x00,  // system type
      0x00,  // unused
      0x04, 0x00,  // sectors of 512 bytes
      0x14, 0x00, 0x00, 0x00,  // the loader's sector: 20
    ] + [UInt8](repeating: 0, count: 20),
    [
      0x90,  // section header: another follows
      0xEF,  // platform: UEFI
      0x02, 0x00,  // entries
    ] + [UInt8](repeating: 0, count: 28),
    [
      0x88,  // section entry: bootable
      0x00,  // no emulation, no extension
      0x00, 0x00,  // segment: none
      0x00,  // system type
      0x00,  // unused
      0x40, 0x0B,  // sectors of 512 bytes: 2880
      0x15, 0x00, 0x00, 0x00,  // the loader's sector: 21
      0x00,  // selection criteria: none
    ] + [UInt8](repeating: 0, count: 19),
    [
      0x00,  // section entry: not bootable
      0x24,  // a disk is emulated; an extension follows
      0x00, 0x00,  // segment
      0x06,  // system type
      0x00,  // unused
      0x01, 0x00,  // sectors of 512 bytes
      0x16, 0x00, 0x00, 0x00,  // the loader's sector: 22
      0x01,  // selection criteria: language and version
    ] + [UInt8](repeating: 0, count: 19),
    [
      0x44,  // extension
      0x00,  // no other follows
    ] + [UInt8](repeating: 0x58, count: 30),
    [
      0x91,  // section header: the last
      0x02,  // platform: Mac
      0x01, 0x00,  // entries
    ] + [UInt8](repeating: 0, count: 28),
    [
      0x88, 0x00, 0x00, 0x00, 0x00, 0x00,  // section entry
      0x04, 0x00,  // sectors of 512 bytes
      0x14, 0x00, 0x00, 0x00,  // the loader's sector: 20 again
    ] + [UInt8](repeating: 0, count: 20),
  ]

  /// The catalogue in sector 19 of an image of 23.
  static func image(_ entries: [[UInt8]] = entries) -> [UInt8] {
    var image = [UInt8](repeating: 0, count: 23 * Volume.sector)
    let bytes = entries.flatMap(\.self)
    image.replaceSubrange(19 * Volume.sector..<19 * Volume.sector + bytes.count, with: bytes)
    return image
  }
}

@Suite("The boot catalogue")
struct BootCatalogueTests {
  private func read(_ image: [UInt8]) -> (catalogue: BootCatalogue?, wrong: [String]) {
    var findings: [Finding] = []
    let catalogue = BootCatalogue.read(image, sector: 19, &findings)
    return (catalogue, findings.map(\.reason))
  }

  @Test("every section's loaders are read, each with its platform")
  func sections() {
    let (catalogue, wrong) = read(HandWritten.image())
    #expect(wrong == [])
    #expect(
      catalogue?.loaders == [
        .init(platform: .pc, isBootable: true, emulation: 0, segment: 0x7C0, systemType: 0, count: 4, sector: 20),
        .init(platform: .efi, isBootable: true, emulation: 0, segment: 0, systemType: 0, count: 2880, sector: 21),
        .init(platform: .efi, isBootable: false, emulation: 4, segment: 0, systemType: 6, count: 1, sector: 22),
        .init(
          platform: .init(number: 2), isBootable: true, emulation: 0, segment: 0, systemType: 0, count: 4, sector: 20),
      ])
  }

  @Test("what the image's profile does not ask for is named by its platform")
  func more() throws {
    let catalogue = try #require(read(HandWritten.image()).catalogue)
    let bill = BillOfMaterials(target: "i586", kernel: "", medium: [], root: [], sources: [])
    let reasons = checkBootWays([.bios(.debian)], catalogue, on: HandWritten.image(), nil, nil, bill)
      .map(\.reason)
    #expect(
      reasons.contains(
        "there is more in it than 1 boot loader: one for platform 239 (UEFI), one for platform 239 (UEFI), "
          + "one for platform 2 (Mac)"))
    #expect(
      checkBootWays(
        [.bios(.debian), .bios(.debian)], catalogue, on: HandWritten.image(), nil, nil, bill
      )
      .contains { $0.reason == "its platform is 239 (UEFI) instead of 0 (BIOS)" })
    let one = BootCatalogue(loaders: [catalogue.loaders[0]])
    #expect(
      checkBootWays([.bios(.debian), .bios(.debian)], one, on: HandWritten.image(), nil, nil, bill)
        .contains { $0.reason == "it has 1 boot loaders instead of 2" })
  }

  @Test("many sections of one entry each are read as well")
  func many() {
    let last = HandWritten.entries.count - 2
    let header = [0x90] + HandWritten.entries[last].dropFirst()
    let section = [header, HandWritten.entries[last + 1]]
    let entries =
      Array(HandWritten.entries[..<2]) + (0..<100).flatMap { _ in section } + Array(HandWritten.entries[last...])
    let (catalogue, wrong) = read(HandWritten.image(entries))
    // The catalogue runs over its first sector, into that of the first loader, where nothing may follow it.
    #expect(catalogue?.loaders.count == 102 && wrong == [])
  }

  static let damages: [(String, String, @Sendable (inout [[UInt8]]) -> Void)] = [
    ("no last section", "its last section says that another follows", { $0.removeLast(2) }),
    ("a section without entries", "section 1 has no entry", { $0[2][2] = 0 }),
    ("more entries than are there", "lies outside", { $0[6][2] = 3 }),
    ("an extension is missing", "an extension of entry 2 of section 1 is missing", { $0.remove(at: 5) }),
    ("a second extension is missing", "an extension of entry 2 of section 1 is missing", { $0[5][1] = 0x20 }),
    ("an unknown indicator", "not marked as bootable", { $0[3][0] = 0x80 }),
    ("a loader outside", "outside the image, in sector 65301", { $0[3][9] = 0xFF }),
    ("something behind the last section", "more in it than its entries", { $0.append([0x90]) }),
  ]

  @Test("a catalogue that breaks off or goes astray is a finding", arguments: damages.indices)
  func damaged(_ index: Int) {
    let (_, says, change) = Self.damages[index]
    var entries = HandWritten.entries
    change(&entries)
    let wrong = read(HandWritten.image(entries)).wrong
    #expect(wrong.contains { $0.contains(says) }, "found instead: \(wrong)")
  }
}

extension CheckFuzzTests {
  @Test("any catalogue gives loaders that lie within the image, or findings")
  func catalogues() {
    let image = HandWritten.image()
    let place = 19 * Volume.sector..<19 * Volume.sector + 32 * HandWritten.entries.count
    let fault = Fuzzing.configured.firstFault { generator in
      var bytes = image
      bytes.replaceSubrange(place, with: [UInt8](image[place]).damaged(&generator))
      var findings: [Finding] = []
      let catalogue = BootCatalogue.read(bytes, sector: 19, &findings)
      if catalogue == nil, findings.isEmpty { return "no finding: \(bytes[place])" }
      for loader in catalogue?.loaders ?? [] where (loader.sector + 1) * Volume.sector > bytes.count {
        return "a boot loader outside: \(bytes[place])"
      }
      return catalogue?.loaders.isEmpty == true ? "a catalogue of nothing" : nil
    }
    #expect(fault == nil)
  }
}
