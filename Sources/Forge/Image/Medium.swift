import BootServer
import SystemPackage
import Workshop

/// What an image is made from.
public struct ImageParts: Sendable {
  public var root: RootParts
  /// A bzImage.
  public var kernel: FilePath
  /// The folder with the boot configuration and the screens: the checkout's `isolinux`.
  public var bootFiles: FilePath
  public var bootLoader: BootLoader
  /// `DroneTarget.name`.
  public var target: String
  /// Where the programs come from, for the bill of materials.
  public var sources: [SourceRecord]
  /// What the image carries of a cluster.
  public var credential: Credential?

  public init(
    root: RootParts, kernel: FilePath, bootFiles: FilePath, bootLoader: BootLoader = .debian, target: String,
    sources: [SourceRecord], credential: Credential? = nil
  ) {
    self.root = root
    self.kernel = kernel
    self.bootFiles = bootFiles
    self.bootLoader = bootLoader
    self.target = target
    self.sources = sources
    self.credential = credential
  }
}

/// SYSLINUX's parts on the builder's machine.
public struct BootLoader: Sendable {
  /// Boots from CD; holds a boot information table.
  public var isolinux: FilePath
  /// Boots from the network.
  public var pxelinux: FilePath
  /// What both load next.
  public var core: FilePath
  /// The first sector of a disk: finds isolinux on a CD image that was written to a disk.
  public var hybridSector: FilePath

  public init(isolinux: FilePath, pxelinux: FilePath, core: FilePath, hybridSector: FilePath) {
    self.isolinux = isolinux
    self.pxelinux = pxelinux
    self.core = core
    self.hybridSector = hybridSector
  }

  /// Where Debian's packages isolinux, pxelinux and syslinux-common put them.
  public static let debian = BootLoader(
    isolinux: "/usr/lib/ISOLINUX/isolinux.bin",
    pxelinux: "/usr/lib/PXELINUX/pxelinux.0",
    core: "/usr/lib/syslinux/modules/bios/ldlinux.c32",
    hybridSector: "/usr/lib/ISOLINUX/isohdpfx.bin")
}

/// How a drone is booted.
public enum Medium: String, Sendable, CaseIterable {
  /// A CD image that also boots from a disk.
  case cd
  /// A folder for a TFTP server.
  case network

  /// The output's name.
  public var outputName: String {
    switch self {
    case .cd: "drone.iso"
    case .network: "pxe"
    }
  }

  /// The name of its bill of materials, beside the output.
  public var billName: String {
    switch self {
    case .cd: "drone.manifest.json"
    case .network: "pxe.manifest.json"
    }
  }
}

extension Medium {
  /// What is on the medium, around the compressed root `archive`.
  ///
  /// `publicPart`: how much of it everybody may have. A CD says so to the drone that boots others from it.
  func manifest(_ parts: ImageParts, archive: Entry.Content, publicPart: PublicPart) throws -> Manifest {
    var entries: [Entry] = [
      .file("/chaos/bzImage", .file(parts.kernel), why: "the kernel"),
      .file("/chaos/chaos.rdz", archive, why: "the drone's root"),
    ]
    let folder: String
    switch self {
    case .cd:
      folder = "/isolinux"
      entries += [
        .file(bootLoaderPath, .file(parts.bootLoader.isolinux), why: "boots from CD and disk"),
        .file("/isolinux/ldlinux.c32", .file(parts.bootLoader.core), why: "the boot prompt"),
        .file("/isolinux/isolinux.cfg", .file(parts.bootFiles.appending("isolinux.cfg")), why: "boot labels"),
        .file("/pxe/pxelinux.0", .file(parts.bootLoader.pxelinux), why: "boots others from the network"),
        .file("/pxe/pxelinux.cfg", .file(parts.bootFiles.appending("pxemaster.cfg")), why: "the others' boot labels"),
        .file(publicPartPath, .bytes(publicPart.text), why: "where the root ends and the credential begins"),
      ]
    case .network:
      folder = "/screens"
      entries += [
        .file("/pxelinux.0", .file(parts.bootLoader.pxelinux), why: "boots from the network"),
        .file("/ldlinux.c32", .file(parts.bootLoader.core), why: "the boot prompt"),
        .file("/pxelinux.cfg/default", .file(parts.bootFiles.appending("pxelinux.cfg")), why: "boot labels"),
        .file("/boot.ipxe", .file(parts.bootFiles.appending("boot.ipxe")), why: "the same for iPXE"),
        .file("/dnsmasq.conf", .file(parts.bootFiles.appending("dnsmasq.conf")), why: "sample for dnsmasq"),
        .file("/dhcpd.conf", .file(parts.bootFiles.appending("dhcpd.conf")), why: "sample for ISC dhcpd"),
      ]
    }
    for key in 1...6 {
      entries.append(
        .file(
          "\(folder)/f\(key).txt", .file(parts.bootFiles.appending("f\(key).txt")), why: "the boot prompt's F\(key)"))
    }
    return try Manifest(entries)
  }
}

/// Where a CD says how much of its archive is public.
public let publicPartPath = "/\(PublicPart.path)"

/// The CD's boot loader.
let bootLoaderPath = "/isolinux/isolinux.bin"
/// The CD's boot catalogue, which its writer makes.
let bootCataloguePath = "/isolinux/boot.cat"
