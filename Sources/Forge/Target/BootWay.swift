import DroneLayout
import SystemPackage

/// A way in which a computer's firmware starts a drone from a medium.
///
/// What it needs there stands in Image, what must be true of it in ImageCheck, each as an extension.
public enum BootWay: Sendable {
  /// A PC's BIOS, by SYSLINUX.
  case bios(SYSLINUX)
  /// A PC's UEFI firmware of 64 or 32 bits, by GRUB.
  case uefi(GRUB)
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
  /// Starts one label or another by the processor, and what it loads for that.
  public let chooser: [Part]

  public static let debian = SYSLINUX(
    isolinux: Part(path: "/usr/lib/ISOLINUX/isolinux.bin", package: "isolinux"),
    pxelinux: Part(path: "/usr/lib/PXELINUX/pxelinux.0", package: "pxelinux"),
    core: Part(path: "/usr/lib/syslinux/modules/bios/ldlinux.c32", package: "syslinux-common"),
    hybridSector: Part(path: "/usr/lib/ISOLINUX/isohdpfx.bin", package: "isolinux"),
    chooser: [
      Part(path: "/usr/lib/syslinux/modules/bios/ifcpu64.c32", package: "syslinux-common"),
      Part(path: "/usr/lib/syslinux/modules/bios/libcom32.c32", package: "syslinux-common"),
    ])
}

/// GRUB and what stands before it where Secure Boot is on: files of Debian packages that are never installed on the
/// builder's machine, since their scripts change how that boots.
public struct GRUB: Sendable {
  /// A file that firmware or another one starts.
  public struct Part: Sendable {
    public let package: String
    /// Where the package has it, or the folder of the modules that it is made of.
    public let file: String
    /// GRUB's modules in it, where it is to be made (grub-mkimage); empty for a file of the package's.
    public var modules: [String] = []
    /// Where firmware or the loader before it looks for it: in an EFI system partition (UEFI 2.10, §3.5.1.1), in upper case
    /// as FAT has it, or in a tree for the network.
    public let place: String
    public let why: String
  }

  /// What lies in an EFI system partition.
  public let parts: [Part]
  /// What lies in a tree for the network.
  public let networkParts: [Part]
  /// systemd's boot stub, which makes one program of a kernel and its root. Its place is on the medium.
  public let stub: Part

  /// The packages' names, each once.
  public var packages: [String] { Set((parts + networkParts + [stub]).map(\.package)).sorted() }

  /// What firmware starts, and what that starts by itself when it is shim (shim, DEFAULT_LOADER).
  public static let first = "/EFI/BOOT/BOOTX64.EFI"
  public static let second = "/EFI/BOOT/GRUBX64.EFI"
  /// What firmware of 32 bits starts.
  public static let narrowFirst = "/EFI/BOOT/BOOTIA32.EFI"

  /// Firmware that knows Microsoft's keys starts shim, which knows Debian's key and starts GRUB, the images that Debian makes
  /// for CDs and for the network: all modules are in them, since a signed one loads no others. Firmware of 32 bits has no Secure
  /// Boot that lets it in, so GRUB for that has the modules alone that the menu uses, a fifth of Debian's own image.
  public static let debian = GRUB(
    parts: [
      Part(package: "shim-signed", file: shim, place: first, why: "started by firmware of 64 bits"),
      Part(
        package: "grub-efi-amd64-signed", file: "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", place: second,
        why: "boot menu and prompt"),
      Part(
        package: "shim-helpers-amd64-signed", file: mokManager, place: "/EFI/BOOT/MMX64.EFI",
        why: "lets the owner of a computer enrol keys"),
      narrowLoader,
    ],
    networkParts: fetched, stub: linuxStub)

  /// Where nobody signed the kernel: GRUB alone, made for both kinds of firmware. A tree, which may be as large as it likes, has
  /// the signed one all the same.
  public static let unsigned = GRUB(
    parts: [
      Part(
        package: "grub-efi-amd64-bin", file: "/usr/lib/grub/x86_64-efi", modules: menuModules + mediumModules,
        place: first,
        why: "boot menu and prompt of firmware of 64 bits"),
      narrowLoader,
    ],
    networkParts: fetched, stub: linuxStub)

  private static let narrowLoader = Part(
    package: "grub-efi-ia32-bin", file: narrow, modules: menuModules + mediumModules, place: narrowFirst,
    why: "boot menu and prompt of firmware of 32 bits")

  private static let fetched = [
    Part(
      package: "shim-signed", file: shim, place: "/\(NetworkBootFile.shim)", why: "fetched by firmware of 64 bits"),
    Part(
      package: "grub-efi-amd64-signed", file: "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
      place: "/\(NetworkBootFile.grub)", why: "boot menu and prompt"),
    Part(
      package: "shim-helpers-amd64-signed", file: mokManager, place: "/\(NetworkBootFile.mokManager)",
      why: "lets the owner of a computer enrol keys"),
    Part(
      package: "grub-efi-ia32-bin", file: narrow, modules: menuModules + ["efinet", "tftp", "http"],
      place: "/\(NetworkBootFile.narrowGRUB)", why: "boot menu and prompt of firmware of 32 bits"),
  ]

  private static let linuxStub = Part(
    package: "systemd-boot-efi", file: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub", place: "/\(MediumPath.bootStub)",
    why: "makes one program of kernel and root")

  /// The modules of the menu, where GRUB is made of them.
  private static let menuModules = [
    "normal", "boot", "linux", "regexp", "echo", "test", "true", "sleep", "cat", "configfile", "serial", "terminal",
    "font", "gfxterm", "efi_gop", "efi_uga", "all_video", "minicmd", "reboot", "halt", "ls", "help", "efifwsetup",
  ]
  /// Those that find the menu on a CD, a stick or a disk.
  private static let mediumModules = ["iso9660", "fat", "part_gpt", "part_msdos", "search", "search_fs_file"]

  private static let shim = "/usr/lib/shim/shimx64.efi.signed"
  private static let mokManager = "/usr/lib/shim/mmx64.efi.signed"
  /// The folder of the modules for firmware of 32 bits.
  private static let narrow = "/usr/lib/grub/i386-efi"
}
