import SystemPackage
import Target
import Workshop

extension BootWay {
  /// What the firmware and the boot loader read from a medium. `bootFiles`: the folder with boot configurations and screens.
  func entries(on medium: Medium, for target: DroneTarget, bootFiles: FilePath) -> [Entry] {
    switch self {
    case .bios(let loader): loader.entries(on: medium, for: target, bootFiles: bootFiles)
    }
  }

  /// The CD's file that the boot catalogue names, and into which the CD's writer puts a boot information table.
  public var loaderOnCD: String {
    switch self {
    case .bios: "/isolinux/isolinux.bin"
    }
  }

  /// What a medium's first sector begins with, so that it also boots as a disk.
  var hybridSector: FilePath? {
    switch self {
    case .bios(let loader): loader.hybridSector.path
    }
  }

  /// The boot loader's words for xorriso: one entry of the boot catalogue.
  var writerWords: [String] {
    switch self {
    case .bios(let loader):
      [
        "-b", String(loaderOnCD.dropFirst()),
        "-no-emul-boot",
        "-boot-load-size", "4",
        "-boot-info-table",
        "-isohybrid-mbr", loader.hybridSector.path.string,
        "-partition_cyl_align", "off",
      ]
    }
  }

  /// The boot configuration, and the folder where the names in it begin.
  public func configuration(on medium: Medium) -> (path: String, folder: String) {
    switch (self, medium) {
    case (.bios, .cd): ("/isolinux/isolinux.cfg", "/isolinux")
    case (.bios, .network): ("/pxelinux.cfg/default", "/")
    }
  }
}

extension SYSLINUX {
  fileprivate func entries(on medium: Medium, for target: DroneTarget, bootFiles: FilePath) -> [Entry] {
    func part(_ path: String, _ part: Part, why: String) -> Entry {
      .file(path, .file(part.path), why: why, origin: .package(part.package))
    }
    func text(_ path: String, _ name: String, why: String) -> Entry { .bootFile(path, name, in: bootFiles, why: why) }
    let way = BootWay.bios(self)
    let screens: String
    var entries: [Entry]
    switch medium {
    case .cd:
      screens = "/isolinux"
      entries = [
        part(way.loaderOnCD, isolinux, why: "boots from CD and disk"),
        part("/isolinux/ldlinux.c32", core, why: "the boot prompt"),
        text("/isolinux/isolinux.cfg", "isolinux.cfg", why: "boot labels"),
        part("/pxe/pxelinux.0", pxelinux, why: "boots others from the network"),
        text("/pxe/pxelinux.cfg", "pxemaster.cfg", why: "the others' boot labels"),
      ]
    case .network:
      screens = "/screens"
      entries = [
        part("/pxelinux.0", pxelinux, why: "boots from the network"),
        part("/ldlinux.c32", core, why: "the boot prompt"),
        text("/pxelinux.cfg/default", "pxelinux.cfg", why: "boot labels"),
      ]
    }
    for key in 1...6 {
      // What the hardware must be.
      let ofTarget = key == 3 && target.name != DroneTarget.standard.name ? "-\(target.name)" : ""
      entries.append(text("\(screens)/f\(key).txt", "f\(key)\(ofTarget).txt", why: "the boot prompt's F\(key)"))
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
