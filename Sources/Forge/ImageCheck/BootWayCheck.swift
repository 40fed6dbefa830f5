import Image
import Target

extension BootWay {
  /// The platform of its entry in the boot catalogue.
  private var platform: BootCatalogue.Platform {
    switch self {
    case .bios: .pc
    case .uefi: .efi
    }
  }

  /// The files of a network boot tree without which no computer boots.
  var networkFiles: [String] {
    switch self {
    case .bios: ["/pxelinux.0", "/ldlinux.c32"]
    case .uefi: []
    }
  }

  /// Whether a medium that boots so has an EFI system partition behind its file system.
  var hasPartition: Bool {
    switch self {
    case .bios: false
    case .uefi: true
    }
  }

  /// Checks that what its boot configuration names is there.
  func check(configuration text: [UInt8], at place: String, folder: String, files: Set<String>) -> [Finding] {
    switch self {
    case .bios: checkConfiguration(text, at: place, folder: folder, files: files)
    case .uefi: checkGRUBConfiguration(text, at: place, files: files)
    }
  }

  /// Checks the entry that should be this way's, and what it leads to.
  ///
  /// - Parameters:
  ///   - volume: the file system on the medium.
  ///   - partition: the entry for the EFI system partition, where there should be one.
  func check(
    _ entry: BootCatalogue.Loader, on image: some ByteSource, _ volume: Volume, partition: BootCatalogue.Loader?,
    _ members: [Member]?, _ bill: BillOfMaterials
  ) -> [Finding] {
    var findings: [Finding] = []
    func wrong(_ reason: String) { findings.append(Finding(.bootCatalogue, "boot catalogue", reason)) }
    if entry.platform != platform { wrong("its platform is \(entry.platform) instead of \(platform)") }
    if !entry.isBootable { wrong("the entry for platform \(platform) is not marked as bootable") }
    if entry.emulation != 0 { wrong("the boot loader is to be emulated as medium \(entry.emulation)") }
    switch self {
    case .bios:
      if entry.segment != 0, entry.segment != 0x7C0 {
        wrong("the boot loader is to be loaded at segment \(entry.segment) instead of 0x7C0")
      }
      if entry.systemType != 0 { wrong("the initial entry has system type \(entry.systemType) instead of 0") }
      if entry.count != 4 { wrong("\(entry.count) sectors of 512 bytes are to be loaded instead of 4") }
      let loader = members?.first { $0.path == loaderOnCD }?.content.bytes ?? []
      findings += checkBootInformation(image, loader: loader, sector: entry.sector)
      findings += checkHybridSector(
        image, loader: loader, sector: entry.sector, code: bill.hybridSector, partition: partition)
    case .uefi: findings += checkEFIPartition(image, entry, behind: volume)
    }
    return findings
  }
}

/// Checks that a CD offers a boot loader for each of the ways in which it should boot, in their order, and no other.
func checkBootWays(
  _ ways: [BootWay], _ catalogue: BootCatalogue, on image: some ByteSource, _ volume: Volume, _ members: [Member]?,
  _ bill: BillOfMaterials
) -> [Finding] {
  var findings: [Finding] = []
  let pairs = Array(zip(ways, catalogue.loaders))
  let partition = pairs.first { $0.0.hasPartition }?.1
  for (way, entry) in pairs { findings += way.check(entry, on: image, volume, partition: partition, members, bill) }
  let (expected, found) = (ways.count, catalogue.loaders.count)
  if found > expected {
    let others = catalogue.loaders.dropFirst(expected).map { "one for platform \($0.platform)" }
    findings.append(
      Finding(
        .bootCatalogue, "boot catalogue",
        "there is more in it than \(expected) boot loader\(expected == 1 ? "" : "s"): \(others.joined(separator: ", "))"
      ))
  } else if found < expected {
    findings.append(
      Finding(.bootCatalogue, "boot catalogue", "it has \(found) boot loaders instead of \(expected)"))
  }
  return findings
}
