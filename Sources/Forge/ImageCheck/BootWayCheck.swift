import DroneLayout
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
    case .bios: ["/\(NetworkBootFile.pxelinux)", "/ldlinux.c32"]
    case .uefi(let loader):
      loader.parts(on: .network).map(\.place) + [grubBeginning(on: .network)]
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
  ///
  /// - Parameters:
  ///   - files: the medium's, by path.
  ///   - partition: those of the EFI partition.
  func checkBootConfiguration(on medium: Medium, _ files: [String: Content], partition: [Member]) -> [Finding] {
    let (path, folder) = configuration(on: medium)
    guard let text = files[path]?.bytes else {
      return [Finding(.configuration, path, "there is no boot configuration")]
    }
    switch self {
    case .bios: return checkConfiguration(text, at: path, folder: folder, files: Set(files.keys))
    case .uefi:
      let first = grubBeginning(on: medium)
      let content = medium == .cd ? partition.first { $0.path == first }?.content : files[first]
      guard let beginning = content?.bytes else {
        let place = medium == .cd ? "in the EFI partition" : "at \(first)"
        return [Finding(.configuration, path, "nothing \(place) leads GRUB to it")]
      }
      let place = medium == .cd ? "\(partitionName):\(first)" : first
      return checkGRUBConfiguration(at: path, after: (place, beginning), in: files)
    }
  }

  /// Checks what firmware starts before the medium's own files are read; gives sentences for who boots it.
  ///
  /// - Parameters:
  ///   - members: those of the EFI partition, or the files of a tree for the network.
  ///   - kernel: what UEFI starts in the end, where it is there.
  ///   - place: where that should be.
  ///   - own: the user's key, for a medium that is signed by it.
  func checkPrograms(
    on medium: Medium, _ members: [Member], kernel: (any ByteSource)?, at place: String, is64Bit: Bool, own: OwnKey?,
    _ findings: inout [Finding]
  ) -> [String] {
    switch self {
    case .bios: return []
    case .uefi(let loader):
      let note = checkFirmwarePrograms(
        members, FirmwarePlaces(of: loader, on: medium), kernel: kernel, at: place, is64Bit: is64Bit, own: own,
        &findings)
      return note.map { [$0] } ?? []
    }
  }

  /// Checks the entry that should be this way's, and what it leads to.
  ///
  /// - Parameter partition: where the EFI partition is, where there should be one.
  func check(
    _ entry: BootCatalogue.Loader, on image: some ByteSource, _ partition: SystemPartition?, _ members: [Member]?,
    _ bill: BillOfMaterials
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
    case .uefi: findings += checkSystemPartition(partition ?? .missing, entry)
    }
    return findings
  }
}

/// Checks that a CD offers a boot loader for each of the ways in which it should boot, in their order, and no other.
func checkBootWays(
  _ ways: [BootWay], _ catalogue: BootCatalogue, on image: some ByteSource, _ partition: SystemPartition?,
  _ members: [Member]?, _ bill: BillOfMaterials
) -> [Finding] {
  var findings: [Finding] = []
  for (way, entry) in zip(ways, catalogue.loaders) {
    findings += way.check(entry, on: image, partition, members, bill)
  }
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

/// What GRUB reads first, in the EFI partition that it was started from or in the tree.
private func grubBeginning(on medium: Medium) -> String {
  switch medium {
  case .cd: "/BOOT/GRUB/GRUB.CFG"
  case .network: "/grub/grub.cfg"
  }
}
