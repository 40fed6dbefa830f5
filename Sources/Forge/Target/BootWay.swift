import SystemPackage

/// A way in which a computer's firmware starts a drone from a medium.
///
/// What it needs there stands in Image, what must be true of it in ImageCheck, each as an extension. Another firmware is
/// another case: `uefi` with its loader.
public enum BootWay: Sendable {
  /// A PC's BIOS, by SYSLINUX.
  case bios(SYSLINUX)
}

/// SYSLINUX's parts on the builder's machine.
public struct SYSLINUX: Sendable {
  /// A file of a Debian package.
  public struct Part: Sendable {
    public let path: FilePath
    public let package: String
  }

  /// Boots from CD; holds a boot information table.
  public let isolinux: Part
  /// Boots from the network.
  public let pxelinux: Part
  /// What both load next.
  public let core: Part
  /// The first sector of a disk: finds isolinux on a CD image that was written to a disk.
  public let hybridSector: Part

  public static let debian = SYSLINUX(
    isolinux: Part(path: "/usr/lib/ISOLINUX/isolinux.bin", package: "isolinux"),
    pxelinux: Part(path: "/usr/lib/PXELINUX/pxelinux.0", package: "pxelinux"),
    core: Part(path: "/usr/lib/syslinux/modules/bios/ldlinux.c32", package: "syslinux-common"),
    hybridSector: Part(path: "/usr/lib/ISOLINUX/isohdpfx.bin", package: "isolinux"))
}
