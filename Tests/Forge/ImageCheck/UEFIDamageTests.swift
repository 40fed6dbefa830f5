import SystemPackage
import Target
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

/// An image that BIOS and UEFI boot, as `buildImage` makes it, with programs of the tests in place of Debian's: a shim
/// that trusts `Test authority`, which signed what shim starts, and the kernel.
struct UEFIImage: Sendable {
  var bytes: [UInt8]
  var bill: BillOfMaterials
  /// Where the EFI partition begins, and where things lie in it.
  var start: Int
  var layout: FATTests.Layout

  static let shared = Task { try await make() }

  /// - Parameter ownKey: whether a key `mine` signs kernel, root and boot line as one program.
  static func make(
    kernel: [UInt8]? = nil, ownKey: Bool = false, _ change: @Sendable (inout [String: [UInt8]]) -> Void = { _ in }
  ) async throws -> UEFIImage {
    let sample = try await EFISample.shared.value
    return try await withFolder { folder in
      var loaders = [
        "/EFI/BOOT/BOOTX64.EFI": sample.shim, "/EFI/BOOT/GRUBX64.EFI": sample.signed,
        "/EFI/BOOT/MMX64.EFI": sample.twice,
        "/EFI/BOOT/BOOTIA32.EFI": HandWrittenProgram.narrow, GRUB.debian.stub.place: sample.stub,
      ]
      change(&loaders)
      var parts = try await wideParts(in: folder, kernel: kernel ?? sample.kernel, loaders)
      if ownKey { parts.signer = try await signer(in: folder) }
      let image = try await buildImage(.cd, from: parts, in: folder)
      let bytes = try contents(of: image.path)
      var findings: [Finding] = []
      let partition = SystemPartition.read(bytes, &findings)
      let volume = try #require(partition.bytes(of: bytes))
      return UEFIImage(
        bytes: bytes, bill: try BillOfMaterials(json: contents(of: image.bill)), start: volume.start,
        layout: FATTests.Layout(volume.part(0, volume.count).map { [UInt8]($0) } ?? []))
    }
  }

  private static func signer(in folder: FilePath) async throws -> ProgramSigner {
    let (key, certificate) = (folder.appending("mine.key"), folder.appending("mine.pem"))
    _ = try await Command(
      "openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key.string, "-out", certificate.string,
        "-subj", "/CN=mine", "-days", "3650",
      ]
    ).output()
    let der = try await Command("openssl", ["x509", "-in", certificate.string, "-outform", "DER"]).output()
    return ProgramSigner(name: "mine", key: key, certificateFile: certificate, certificate: der)
  }

  func report(on image: [UInt8]) async throws -> CheckReport {
    try await ImageCheck(target: .x86_64, bill: bill).report(onCD: image)
  }

  /// Where the content of a file of the EFI partition begins; it lies in one piece.
  func place(_ short: String, _ image: [UInt8]) -> Int {
    let partition = [UInt8](image[start...])
    return start + layout.data + (layout.cluster(short, partition) - 2) * layout.cluster
  }

  /// Where a file's entry in its directory is.
  func entry(_ short: String, _ image: [UInt8]) -> Int { start + layout.entry(short, [UInt8](image[start...])) }
}

/// What an image for x86_64 is made from, in `folder`.
///
/// - Parameter loaders: by their paths on the medium.
func wideParts(in folder: FilePath, kernel: [UInt8], _ loaders: [String: [UInt8]]) async throws -> ImageParts {
  var parts = try await sampleParts(in: folder)
  for name in ["program", "busybox"] {
    try await write(program("movl $1, %eax", target: DroneTarget.x86_64.clangTriple), to: folder.appending(name))
  }
  try await write(kernel, to: folder.appending("bzImage"))
  parts.target = .x86_64
  parts.drones[0].target = .x86_64
  for (path, bytes) in loaders {
    let file = folder.appending(path.split(separator: "/").last.map(String.init) ?? "")
    try await write(bytes, to: file)
    parts.loaders[path] = SuppliedFile(file, from: .given)
  }
  return parts
}

extension [UInt8] {
  /// Writes another text of the same length over the first of these.
  mutating func replace(_ text: String, by other: String) {
    if let place = offset(of: [UInt8](text.utf8)) { replaceSubrange(place..<place + text.utf8.count, with: other.utf8) }
  }
}

@Suite struct UEFIDamageTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var check: Finding.Check
    var says: String
    var apply: @Sendable (inout [UInt8], UEFIImage) -> Void

    init(
      _ name: String, _ check: Finding.Check, _ says: String,
      _ apply: @escaping @Sendable (inout [UInt8], UEFIImage) -> Void
    ) {
      (testDescription, self.check, self.says, self.apply) = (name, check, says, apply)
    }
  }

  private static let shim = "BOOTX64 EFI"
  private static let grub = "GRUBX64 EFI"

  static let damages: [Damage] = [
    Damage("MBR: the file system is not active", .hybridSector, "not active") { image, _ in image[446] = 0 },
    Damage("MBR: the file system is short", .hybridSector, "sectors instead of") { image, _ in image[458] ^= 4 },
    Damage("MBR: a third partition", .hybridSector, "more than two") { image, _ in image[482] = 0x83 },
    Damage("MBR: no EFI partition", .partitions, "no EFI system partition") { image, _ in image[466] = 0x0C },
    Damage("MBR: the EFI partition elsewhere", .partitions, "the GPT has no such") { image, _ in image[470] ^= 4 },
    Damage("MBR: boot signature", .partitions, "no table of partitions") { image, _ in image[510] = 0 },
    Damage("GPT: its signature", .partitions, "there is none") { image, _ in image[512] ^= 1 },
    Damage("GPT: a bit of the header", .partitions, "CRC32 is wrong") { image, _ in image[512 + 57] ^= 1 },
    Damage("GPT: a bit of the table", .partitions, "the table's CRC32 is wrong") { image, _ in image[1024 + 40] ^= 1 },
    Damage("GPT: a bit of the copy", .partitions, "the copy's header's CRC32") { image, _ in
      image[image.count - 450] ^= 1
    },
    Damage("something follows the image", .partitions, "its copy should lie in the last sector") { image, _ in
      image += [UInt8](repeating: 0, count: 2048)
    },
    Damage("catalogue: the EFI partition elsewhere", .partitions, "its entry for UEFI begins in") { image, _ in
      if let place = catalogueEntry(image) { image[place + 8] ^= 1 }
    },
    Damage("catalogue: the EFI partition is short", .partitions, "its entry for UEFI has") { image, _ in
      if let place = catalogueEntry(image) { image[place + 6] ^= 1 }
    },
    Damage("catalogue: the EFI partition is for a BIOS", .bootCatalogue, "its platform is 0 (BIOS)") { image, _ in
      if let place = catalogueEntry(image) { image[place - 31] = 0 }
    },
    Damage("catalogue: the EFI partition is not bootable", .bootCatalogue, "not marked as bootable") { image, _ in
      if let place = catalogueEntry(image) { image[place] = 0 }
    },
    Damage("volume: it reaches into the EFI partition", .volume, "bytes before the volume's end") { image, _ in
      let sectors = UInt32(image.long(16 * 2048 + 80) ?? 0) + 1
      image.put(UInt64(sectors), 4, at: 16 * 2048 + 80)
      image.put(UInt64(sectors.byteSwapped), 4, at: 16 * 2048 + 84)
    },
    Damage("volume: it ends before the EFI partition", .volume, "follow the volume's end") { image, _ in
      let sectors = UInt32(image.long(16 * 2048 + 80) ?? 0) - 1
      image.put(UInt64(sectors), 4, at: 16 * 2048 + 80)
      image.put(UInt64(sectors.byteSwapped), 4, at: 16 * 2048 + 84)
    },
    Damage("FAT: boot sector", .fileSystem, "no boot sector") { $0[$1.start + 510] = 0 },
    Damage("FAT: tables differ", .fileSystem, "tables of clusters differ") {
      $0[$1.start + $1.layout.tables + 50] ^= 1
    },
    Damage("FAT: a shorter file", .manifest, "GRUBX64.EFI: it has") { $0[$1.entry(grub, $0) + 28] ^= 1 },
    Damage("FAT: a file renamed", .presence, "EFI partition:/EFI/BOOT/GRUBX64.EFI: it is missing") {
      $0[$1.entry(grub, $0)] = 0x48
    },
    Damage("FAT: no first loader", .presence, "/EFI/BOOT/BOOTX64.EFI: firmware that looks for it starts nothing") {
      $0[$1.entry(shim, $0)] = 0x48
    },
    Damage("a bit of shim", .manifest, "/EFI/BOOT/BOOTX64.EFI: its content is not") {
      $0[$1.place(shim, $0) + 5000] ^= 1
    },
    Damage(
      "a bit of shim that its signature covers", .signature, "BOOTX64.EFI: signature 1 of Second signer does not fit"
    ) {
      $0[$1.place(shim, $0) + 5000] ^= 1
    },
    Damage("a bit of GRUB", .signature, "GRUBX64.EFI: signature 1 of Test signer does not fit") {
      $0[$1.place(grub, $0) + 9000] ^= 1
    },
    Damage("a bit of MokManager", .signature, "MMX64.EFI: signature 2 of Second signer does not fit") {
      $0[$1.place("MMX64   EFI", $0) + 9000] ^= 1
    },
    Damage("GRUB's machine", .firmwareProgram, "GRUBX64.EFI: it is for i386 and should be for x86_64") {
      image, sample in
      let place = sample.place(grub, image)
      image.put(0x14C, 2, at: place + Int(image.long(place + 0x3C) ?? 0) + 4)
    },
    Damage("the machine of GRUB for 32 bits", .firmwareProgram, "BOOTIA32.EFI: it is for x86_64") { image, sample in
      let place = sample.place("BOOTIA32EFI", image)
      image.put(0x8664, 2, at: place + Int(image.long(place + 0x3C) ?? 0) + 4)
    },
    Damage("GRUB is no program", .firmwareProgram, "GRUBX64.EFI: it is no program for UEFI") {
      $0[$1.place(grub, $0)] = 0
    },
    Damage("shim trusts nobody", .signature, "GRUBX64.EFI: it is signed by Test authority, and BOOTX64.EFI starts only")
    {
      $0[$1.place(shim, $0) + 1040] = 0
    },
    Damage("GRUB finds no medium", .configuration, "GRUB.CFG: its search names /chaos/chaos.rdy, which is not there") {
      image, _ in image.replace("$drive\" /chaos/chaos.rdz", by: "$drive\" /chaos/chaos.rdy")
    },
    Damage("GRUB goes elsewhere", .configuration, "GRUB.CFG: its source names /boot/grub/grub.cfh") { image, _ in
      image.replace("source /boot/grub/grub.cfg", by: "source /boot/grub/grub.cfh")
    },
    Damage("nothing leads to the configuration", .configuration, "/boot/grub/grub.cfg: nothing reads it") { image, _ in
      image.replace("source /boot/grub/grub.cfg", by: "sourse /boot/grub/grub.cfg")
    },
    Damage("GRUB's configuration names another kernel", .configuration, "its linux names /chaos/bzImagf") { image, _ in
      image.replace("linux /chaos/bzImage", by: "linux /chaos/bzImagf")
    },
    Damage("GRUB's configuration names another root", .configuration, "its initrd names /chaos/chaos.rdy") { image, _ in
      image.replace("initrd /chaos/chaos.rdz", by: "initrd /chaos/chaos.rdy")
    },
    Damage("GRUB's configuration shows another text", .configuration, "its cat names /boot/grub/f9.txt") { image, _ in
      image.replace("cat /boot/grub/f4.txt", by: "cat /boot/grub/f9.txt")
    },
    Damage("a bit of the kernel", .signature, "/chaos/bzImage: signature 1 of Test signer does not fit") { image, _ in
      if let place = kernel(image) { image[place + 5000] ^= 1 }
    },
    Damage("the kernel has no stub", .kernel, "/chaos/bzImage: it has no EFI stub") { image, _ in
      if let place = kernel(image) { image[place] = 0 }
    },
    Damage("the kernel is not for firmware of 32 bits", .kernel, "built without CONFIG_EFI_MIXED") { image, _ in
      if let place = kernel(image) { image[place + 0x236] = 9 }
    },
  ]

  /// Where the section entry of the EFI partition is in the boot catalogue.
  private static func catalogueEntry(_ image: [UInt8]) -> Int? {
    var findings: [Finding] = []
    return Volume.read(image, &findings)?.catalogue.map { $0 * 2048 + 96 }
  }

  private static func kernel(_ image: [UInt8]) -> Int? {
    image.offset(of: [UInt8](HandWrittenProgram.headers[..<0x98]))
  }

  @Test("an undamaged image gives no finding, and says what becomes of it under Secure Boot")
  func sound() async throws {
    let image = try await UEFIImage.shared.value
    let report = try await image.report(on: image.bytes)
    #expect(report.findings == [])
    #expect(
      report.notes == [
        "Under Secure Boot it starts: BOOTX64.EFI is signed by Second signer, the kernel by Test authority."
      ])
    #expect(report.sizes.contains { $0.path == "EFI partition:/EFI/BOOT/GRUBX64.EFI" && $0.bytes > 80_000 })
    #expect(report.summary(budget: 1).hasSuffix("the kernel by Test authority."))
  }

  @Test("damage to what UEFI boots is caught and named", arguments: damages)
  func damaged(_ damage: Damage) async throws {
    let image = try await UEFIImage.shared.value
    var bytes = image.bytes
    damage.apply(&bytes, image)
    #expect(bytes != image.bytes)
    let findings = try await image.report(on: bytes).findings
    #expect(
      findings.contains { $0.check == damage.check && "\($0)".contains(damage.says) }, "found instead: \(findings)")
  }

  @Test("an image whose end a copy lost is told in one sentence", arguments: [512, 40_000, 1_500_000])
  func cutOff(_ missing: Int) async throws {
    let image = try await UEFIImage.shared.value
    let count = image.bytes.count - missing
    let findings = try await image.report(on: [UInt8](image.bytes[..<count])).findings.map(\.description)
    #expect(findings.count == 1, "\(findings)")
    #expect(findings.first?.hasPrefix("image: it is cut off: \(count) of \(image.bytes.count) bytes are there") == true)
    #expect(findings.first?.contains("the EFI partition, from which UEFI boots, is not whole") == (missing > 512))
  }

  @Test("a kernel that nobody signed is no fault, and the report says that Secure Boot refuses it")
  func unsignedKernel() async throws {
    let image = try await UEFIImage.make(kernel: HandWrittenProgram.kernel)
    let report = try await image.report(on: image.bytes)
    #expect(report.findings == [])
    #expect(report.notes == ["Under Secure Boot it does not start: the kernel is not signed."])
  }

  @Test("an image that one's own key signed is sound, and so is none whose signed program or certificate was changed")
  func ownKey() async throws {
    let image = try await UEFIImage.make(ownKey: true)
    let report = try await image.report(on: image.bytes)
    #expect(report.findings == [])
    #expect(
      report.notes == [
        "Under Secure Boot BOOTX64.EFI starts where the certificate of the key mine is enrolled; it holds kernel, root and boot line, and all three are verified."
      ])
    for (file, offset, says) in [
      ("GRUBX64 EFI", 0x1000, "GRUBX64.EFI: signature 1 of mine does not fit"),
      ("BOOTX64 EFI", 3000, "BOOTX64.EFI: signature 1 of Second signer does not fit"),
      ("MINE    CER", 100, "GRUBX64.EFI: the certificate of the key mine, by which it is signed, is not beside it"),
    ] {
      var changed = image.bytes
      changed[image.place(file, changed) + offset] ^= 1
      let findings = try await image.report(on: changed).findings.map(\.description)
      #expect(findings.contains { $0.contains(says) }, "\(file): \(findings)")
    }
  }

  @Test("loaders in each other's places are named by their machines, and one that shim would not start by its signer")
  func exchanged() async throws {
    let image = try await UEFIImage.make {
      let first = $0["/EFI/BOOT/BOOTX64.EFI"]
      $0["/EFI/BOOT/BOOTX64.EFI"] = $0["/EFI/BOOT/BOOTIA32.EFI"]
      $0["/EFI/BOOT/BOOTIA32.EFI"] = first
    }
    let findings = try await image.report(on: image.bytes).findings.map(\.description)
    #expect(
      findings == [
        "EFI partition:/EFI/BOOT/BOOTIA32.EFI: it is for x86_64 and should be for i386 (EFI program)",
        "EFI partition:/EFI/BOOT/BOOTX64.EFI: it is for i386 and should be for x86_64 (EFI program)",
      ])
    let stranger = try await UEFIImage.make { $0["/EFI/BOOT/GRUBX64.EFI"] = $0["/EFI/BOOT/BOOTX64.EFI"] }
    #expect(
      try await stranger.report(on: stranger.bytes).findings.map(\.description) == [
        "EFI partition:/EFI/BOOT/GRUBX64.EFI: it is signed by Second signer, and BOOTX64.EFI starts only what its own "
          + "authority signed (signature)"
      ])
  }
}
