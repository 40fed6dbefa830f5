import DroneLayout
import SystemPackage
import Target
import Workshop

extension BootWay {
  /// What the firmware and the boot loader read from a medium. `bootFiles`: the folder with boot configurations and screens.
  func entries(on medium: Medium, for target: ImageTarget, bootFiles: FilePath) throws -> [Entry] {
    switch (self, medium) {
    case (.bios(let loader), _): try loader.entries(on: medium, for: target, bootFiles: bootFiles)
    case (.uefi, _): try GRUBConfiguration(on: medium, for: target, bootFiles: bootFiles).entries
    }
  }

  /// What firmware starts before it reads the medium's own files: in the EFI system partition behind the CD's file system, or
  /// at the top of a tree for the network. Throws a sentence when `loaders` lacks one.
  func loaderEntries(on medium: Medium, _ loaders: [String: SuppliedFile]) throws -> [Entry] {
    switch self {
    case .bios: []
    case .uefi(let loader):
      [GRUBConfiguration.beginning(on: medium)]
        + (try loader.parts(on: medium).map { part in
          guard let file = loaders[part.place] else {
            throw BuildError.input("The image's parts have no \(part.place) of \(part.package), which \(part.why).")
          }
          return .file(part.place, .file(file.path), why: part.why, origin: file.origin)
        })
    }
  }

  /// The CD's file that the boot catalogue names, and into which the CD's writer puts a boot information table.
  public var loaderOnCD: String? {
    switch self {
    case .bios: SYSLINUX.loaderOnCD
    case .uefi: nil
    }
  }

  /// What a medium's first sector begins with, so that it also boots as a disk.
  var hybridSector: FilePath? {
    switch self {
    case .bios(let loader): loader.hybridSector.path
    case .uefi: nil
    }
  }

  /// The boot loader's words for xorriso: one entry of the boot catalogue.
  ///
  /// - Parameter partition: the EFI system partition's volume.
  func writerWords(partition: FilePath) -> [String] {
    switch self {
    case .bios(let loader):
      [
        "-b", String(SYSLINUX.loaderOnCD.dropFirst()),
        "-no-emul-boot",
        "-boot-load-size", "4",
        "-boot-info-table",
        "-isohybrid-mbr", loader.hybridSector.path.string,
        "-partition_cyl_align", "off",
      ]
    case .uefi:
      [
        // The volume lies behind the file system, once, for CD and disk: firmware finds a disk's in the partition table.
        "-append_partition", "2", "0xef", partition.string,
        "-e", "--interval:appended_partition_2:all::",
        "-no-emul-boot",
        // In the MBR, whose first partition stays active for a BIOS, and in a GPT.
        "-isohybrid-gpt-basdat",
        // Otherwise it is taken from the time of day.
        "--gpt_disk_guid", "44524f4e-4546-4f52-8745-000000000001",
      ]
    }
  }

  /// The boot configuration, and the folder where the names in it begin.
  public func configuration(on medium: Medium) -> (path: String, folder: String) {
    switch (self, medium) {
    case (.bios, .cd): ("/isolinux/isolinux.cfg", "/isolinux")
    case (.bios, .network): ("/pxelinux.cfg/default", "/")
    case (.uefi, _): (GRUBConfiguration.path, "/")
    }
  }
}

extension GRUB {
  /// What firmware starts from a medium.
  public func parts(on medium: Medium) -> [Part] {
    switch medium {
    case .cd: parts
    case .network: networkParts
    }
  }
}

extension GRUBConfiguration {
  /// Made from the medium's configuration of SYSLINUX and its screens. Throws a sentence when that says what GRUB cannot do.
  fileprivate init(on medium: Medium, for target: ImageTarget, bootFiles: FilePath) throws {
    guard let drone = target.wide else { throw BuildError.input("UEFI starts none of the drones of \(target.name).") }
    let file = bootFiles.appending(SYSLINUX.configuration(on: medium))
    let text = String(decoding: try contents(of: file), as: UTF8.self)
    self.medium = medium
    labels = try BootLabels(
      SYSLINUX.moved(text, to: target.place(of: drone)), from: "\(file)", folder: medium == .network ? "/" : nil)
    screens = try SYSLINUX.keys.map { key in
      // What is typed where is another matter in a menu.
      let name = [1, 4].contains(key) ? "f\(key)-uefi.txt" : SYSLINUX.screen(key, for: drone.name)
      return try contents(of: bootFiles.appending(name))
    }
  }
}

extension SYSLINUX {
  fileprivate static let loaderOnCD = "/isolinux/isolinux.bin"

  /// The labels' file in the folder with boot configurations.
  fileprivate static func configuration(on medium: Medium) -> String {
    switch medium {
    case .cd: "isolinux.cfg"
    case .network: "pxelinux.cfg"
    }
  }

  /// F1 to F6.
  fileprivate static let keys = 1...6

  /// A key's screen in the folder with boot configurations. Some are a target's own: what the hardware must be, and which
  /// labels there are.
  fileprivate static func screen(_ key: Int, for target: String) -> String {
    let isOwn = target != DroneTarget.i586.name && (key == 3 || key == 5 && target == ImageTarget.any.name)
    return "f\(key)\(isOwn ? "-\(target)" : "").txt"
  }

  fileprivate func entries(on medium: Medium, for target: ImageTarget, bootFiles: FilePath) throws -> [Entry] {
    func part(_ path: String, _ part: Part, why: String) -> Entry {
      .file(path, .file(part.path), why: why, origin: .package(part.package))
    }
    func text(_ path: String, _ name: String, why: String) -> Entry { .bootFile(path, name, in: bootFiles, why: why) }
    func labels(_ path: String, _ name: String, why: String = "boot labels") throws -> Entry {
      guard target.drones.count > 1, let wide = target.wide else { return text(path, name, why: why) }
      let both = Self.choosing(
        String(decoding: try contents(of: bootFiles.appending(name)), as: UTF8.self), wide: target.place(of: wide))
      return .file(path, .bytes([UInt8](both.utf8)), why: why)
    }
    let screens: String
    let modules: String
    var entries: [Entry]
    switch medium {
    case .cd:
      (screens, modules) = ("/isolinux", "/isolinux")
      entries = [
        part(Self.loaderOnCD, isolinux, why: "boots from CD and disk"),
        part("/isolinux/ldlinux.c32", core, why: "the boot prompt"),
        try labels("/isolinux/isolinux.cfg", Self.configuration(on: medium)),
        part("/pxe/pxelinux.0", pxelinux, why: "boots others from the network"),
        try labels("/pxe/pxelinux.cfg", "pxemaster.cfg", why: "the others' boot labels"),
        text("/pxe/f1.txt", "f1-served.txt", why: "the others' F1"),
        text("/pxe/f5.txt", target.drones.count > 1 ? "f5-served-any.txt" : "f5-served.txt", why: "the others' F5"),
      ]
    case .network:
      (screens, modules) = ("/screens", "")
      entries = [
        part("/\(NetworkBootFile.pxelinux)", pxelinux, why: "boots from the network"),
        part("/ldlinux.c32", core, why: "the boot prompt"),
        try labels("/pxelinux.cfg/default", Self.configuration(on: medium)),
      ]
    }
    if target.drones.count > 1 {
      entries += chooser.map {
        part("\(modules)/\($0.path.lastComponent?.string ?? "")", $0, why: "chooses by the processor")
      }
    }
    for key in Self.keys {
      entries.append(
        text("\(screens)/f\(key).txt", Self.screen(key, for: target.name), why: "the boot prompt's F\(key)"))
    }
    return entries
  }
}

extension Entry {
  /// A file of the checkout's folder with boot configurations.
  static func bootFile(_ path: String, _ name: String, in folder: FilePath, why: String) -> Entry {
    .file(path, .file(folder.appending(name)), why: why, origin: .checkout("isolinux/\(name)"))
  }
}
