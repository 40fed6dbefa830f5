import Foundation
import SystemPackage
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

/// Where things lie in the sample's CD image.
struct Layout {
  var catalogue: Int
  var loader: Int
  var kernel: Int
  var archive: Int
  var archiveLength: Int
}

/// One way to damage a CD image, and the check that must catch it.
struct CDDamage: Sendable, CustomTestStringConvertible {
  var name: String
  var check: Finding.Check
  /// Part of the finding's line.
  var says: String
  var apply: @Sendable (inout [UInt8], Layout) -> Void

  init(
    _ name: String, _ check: Finding.Check, _ says: String, _ apply: @escaping @Sendable (inout [UInt8], Layout) -> Void
  ) {
    self.name = name
    self.check = check
    self.says = says
    self.apply = apply
  }

  var testDescription: String { name }

  private static let volume = 16 * 2048

  static let all: [CDDamage] = [
    CDDamage("a bit of the kernel", .manifest, "/chaos/bzImage: its content") { $0[$1.kernel + 5000] ^= 1 },
    CDDamage("the kernel's signature", .kernel, "not a Linux kernel") { $0[$1.kernel + 0x202] ^= 1 },
    CDDamage("a bit of the root", .manifest, "/chaos/chaos.rdz: its content") { $0[$1.archive + 200] ^= 0x10 },
    CDDamage("a bit in the middle of the root", .archive, "/chaos/chaos.rdz: it cannot be read") {
      $0[$1.archive + $1.archiveLength / 2] ^= 1
    },
    CDDamage("the root's magic", .compression, "not an XZ file") { $0[$1.archive] ^= 1 },
    CDDamage("catalogue: checksum", .bootCatalogue, "checksum") { $0[$1.catalogue + 0x1C] ^= 1 },
    CDDamage("catalogue: header", .bootCatalogue, "header") { $0[$1.catalogue] = 2 },
    CDDamage("catalogue: platform", .bootCatalogue, "platform is 239") { $0[$1.catalogue + 1] = 0xEF },
    CDDamage("catalogue: key bytes", .bootCatalogue, "55 AA") { $0[$1.catalogue + 0x1F] = 0 },
    CDDamage("catalogue: not bootable", .bootCatalogue, "not marked as bootable") { $0[$1.catalogue + 32] = 0 },
    CDDamage("catalogue: floppy emulation", .bootCatalogue, "emulated") { $0[$1.catalogue + 33] = 2 },
    CDDamage("catalogue: load segment", .bootCatalogue, "segment") { $0[$1.catalogue + 34] = 1 },
    CDDamage("catalogue: one sector loaded", .bootCatalogue, "1 sectors of 512") { $0[$1.catalogue + 38] = 1 },
    CDDamage("catalogue: loader elsewhere", .bootInformation, "points at something else") {
      $0[$1.catalogue + 40] &+= 1
    },
    CDDamage("catalogue: loader far outside", .bootCatalogue, "outside the image") { $0[$1.catalogue + 43] = 0x7F },
    CDDamage("catalogue: a second entry", .bootCatalogue, "more in it") { $0[$1.catalogue + 64] = 0x91 },
    CDDamage("boot record: name", .bootCatalogue, "there is none") { image, _ in image[volume + 2048 + 7] ^= 1 },
    CDDamage("boot record: catalogue elsewhere", .bootCatalogue, "outside the image") { image, _ in
      image[volume + 2048 + 0x4A] = 0x40
    },
    CDDamage("boot table: volume descriptor", .bootInformation, "volume descriptor in sector 17") {
      $0[$1.loader + 8] = 17
    },
    CDDamage("boot table: loader's place", .bootInformation, "its table has it in sector") { $0[$1.loader + 12] ^= 1 },
    CDDamage("boot table: length", .bootInformation, "length of") { $0[$1.loader + 16] ^= 1 },
    CDDamage("boot table: checksum", .bootInformation, "checksum is") { $0[$1.loader + 20] ^= 1 },
    CDDamage("boot table: reserved bytes", .bootInformation, "reserved") { $0[$1.loader + 30] = 1 },
    CDDamage("a bit of the boot loader", .bootInformation, "checksum is") { $0[$1.loader + 3000] ^= 4 },
    CDDamage("hybrid: boot signature", .hybridSector, "55 AA") { image, _ in image[511] = 0 },
    CDDamage("hybrid: first instruction", .hybridSector, "not isohybrid's") { image, _ in image[0] = 0 },
    CDDamage("hybrid: a bit of the code", .hybridSector, "its code differs") { image, _ in image[100] ^= 1 },
    CDDamage("hybrid: the loader's place", .hybridSector, "looks for the boot loader") { image, _ in image[432] ^= 4 },
    CDDamage("hybrid: the loader's signature", .hybridSector, "signature") { $0[$1.loader + 64] ^= 1 },
    CDDamage("hybrid: partition inactive", .hybridSector, "not active") { image, _ in image[446] = 0 },
    CDDamage("hybrid: partition type", .hybridSector, "type 5") { image, _ in image[450] = 5 },
    CDDamage("hybrid: partition start", .hybridSector, "begins in sector 64") { image, _ in image[454] = 64 },
    CDDamage("hybrid: partition length", .hybridSector, "sectors instead of") { image, _ in image[458] ^= 8 },
    CDDamage("hybrid: second partition", .hybridSector, "more than one") { image, _ in image[466] = 0x83 },
    CDDamage("volume: identifier", .volume, "no CD image") { image, _ in image[volume + 1] ^= 1 },
    CDDamage("volume: size in one notation", .volume, "the two notations differ of the space size") { image, _ in
      image[volume + 80] ^= 1
    },
    CDDamage("volume: block size", .volume, "blocks are of 1024") { image, _ in
      image.put(1024, 2, at: volume + 128)
      image[volume + 130] = 4
    },
    CDDamage("volume: root directory", .volume, "root directory's record") { image, _ in image[volume + 156] = 0 },
    CDDamage("volume: no end of the descriptors", .volume, "no end") { image, _ in image[volume + 2 * 2048 + 1] = 0 },
    CDDamage("the boot configuration's plain name", .volume, "/isolinux/isolinux.cfg: its plain name") { image, _ in
      if let place = image.offset(of: [UInt8]("isolinux.cfg;1".utf8)) { image[place] = UInt8(ascii: "J") }
    },
    CDDamage("the kernel's name", .presence, "/chaos/bzImage: it is missing") { image, _ in
      // Rock Ridge's NM entry (RRIP 1.12 §4.1.4): five bytes before the name.
      if let place = image.offset(of: [0x4E, 0x4D, 12, 1, 0] + "bzImage".utf8) { image[place + 5] = UInt8(ascii: "B") }
    },
    CDDamage("the last sector is missing", .volume, "cut off") { image, _ in image.removeLast(2048) },
    CDDamage("half of the image is missing", .archive, "libarchive cannot read") { image, _ in
      image.removeLast(image.count / 2)
    },
    CDDamage("something follows the image", .volume, "follow the volume's end") { image, _ in
      image += [UInt8](repeating: 0x55, count: 4096)
    },
    CDDamage("only the system area", .volume, "ends before its volume descriptor") { image, _ in
      image.removeLast(image.count - 32768)
    },
    CDDamage("nothing at all", .volume, "ends before its volume descriptor") { image, _ in image = [] },
    CDDamage("larger than its budget", .budget, "more than its budget") { image, _ in
      image += [UInt8](repeating: 0, count: 6_000_000)
    },
  ]
}

@Suite struct CDDamageTests {
  /// Where things lie, found once.
  private static let layout = Task { try layout(await Sample.shared.value) }

  private static func layout(_ sample: Sample) throws -> Layout {
    var findings: [Finding] = []
    let volume = try #require(Volume.read(sample.cd, &findings))
    let sector = try #require(volume.catalogue)
    let catalogue = try #require(BootCatalogue.read(sample.cd, sector: sector, &findings))
    return Layout(
      catalogue: sector * 2048, loader: try #require(catalogue.loaders.first).sector * 2048,
      kernel: try #require(sample.cd.offset(of: sampleKernel())),
      archive: try #require(sample.cd.offset(of: sample.archive)), archiveLength: sample.archive.count)
  }

  @Test("an undamaged image gives no finding, and a table of sizes with the total")
  func sound() async throws {
    let sample = try await Sample.shared.value
    let report = try await ImageCheck(target: .i586, bill: sample.cdBill).report(onCD: sample.cd)
    #expect(report.findings == [])
    #expect(report.total == sample.cd.count)
    #expect(Set(report.sizes.map(\.path)).isSuperset(of: ["/chaos/bzImage", "/chaos/chaos.rdz", "/isolinux/f4.txt"]))
    #expect(report.sizeTable(budget: 5_800_000).contains("% of the budget of 5800000"))
  }

  @Test("damage to a CD image is caught and named", arguments: CDDamage.all)
  func damaged(_ damage: CDDamage) async throws {
    let sample = try await Sample.shared.value
    var image = sample.cd
    damage.apply(&image, try await CDDamageTests.layout.value)
    let findings = try await ImageCheck(target: .i586, bill: sample.cdBill).report(onCD: image).findings
    #expect(
      findings.contains { $0.check == damage.check && "\($0)".contains(damage.says) }, "found instead: \(findings)")
  }

  @Test(
    "a manifest that was altered no longer fits its image",
    arguments: [
      "file", "extra", "digest", "size", "owner", "kind", "no digest", "no size", "drones", "target", "twice",
    ])
  func bill(_ alteration: String) async throws {
    let sample = try await Sample.shared.value
    var bill = sample.cdBill
    let kernel = try #require(bill.medium.firstIndex { $0.path == "/chaos/bzImage" })
    let expected: String
    switch alteration {
    case "file":
      bill.medium.remove(at: kernel)
      expected = "/chaos/bzImage: it is not in the manifest"
    case "extra":
      bill.medium[kernel].path = "/chaos/other"
      expected = "/chaos/other: it is missing"
    case "digest":
      bill.medium[kernel].sha256 = String(repeating: "0", count: 64)
      expected = "/chaos/bzImage: its content"
    case "size":
      bill.medium[kernel].size = 1
      expected = "/chaos/bzImage: it has 6656 bytes instead of 1"
    case "owner":
      bill.medium[kernel].user = 1000
      expected = "/chaos/bzImage: it belongs to 0:0 instead of 1000:0"
    case "kind":
      bill.medium[kernel].kind = .directory
      expected = "/chaos/bzImage: it is a file and should be a directory"
    case "no digest":
      bill.medium[kernel].sha256 = nil
      expected = "/chaos/bzImage: the manifest does not say what is in it"
    case "no size":
      bill.medium[kernel].size = nil
      expected = "/chaos/bzImage: the manifest does not say what is in it"
    case "drones":
      bill.drones.append(bill.drones[0])
      expected = "it tells of 2 drones instead of 1"
    case "target":
      bill.target = "m68k"
      expected = "it is for m68k and not for i586"
    default:
      bill.medium.append(bill.medium[kernel])
      expected = "it has a path twice"
    }
    let findings = try await ImageCheck(target: .i586, bill: bill).report(onCD: sample.cd).findings
    #expect(findings.contains { "\($0)".contains(expected) }, "found instead: \(findings)")
  }

  @Test("xorriso sees the same boot catalogue, boot loader and partition")
  func xorriso() async throws {
    let sample = try await Sample.shared.value
    let layout = try await CDDamageTests.layout.value
    let said = try await withFolder { folder in
      let image = folder.appending("drone.iso")
      try await write(sample.cd, to: image)
      return String(
        decoding: try await Command(
          "xorriso",
          [
            "-no_rc", "-indev", image.string, "-report_el_torito", "plain", "-report_system_area", "plain",
          ]
        ).output(), as: UTF8.self)
    }
    let lines = said.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains(["El", "Torito", "catalog", ":", "\(layout.catalogue / 2048)", "1"]))
    #expect(
      lines.contains([
        "El", "Torito", "boot", "img", ":", "1", "BIOS", "y", "none", "0x0000", "0x00", "4", "\(layout.loader / 2048)",
      ]))
    #expect(lines.contains(["El", "Torito", "img", "opts", ":", "1", "boot-info-table", "isohybrid-suitable"]))
    #expect(
      lines.contains(["MBR", "partition", ":", "1", "0x80", "0x17", "0", "\(sample.cd.count / 512)"]), "\(said)")
  }
}
