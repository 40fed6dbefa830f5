/// Where things lie on a boot medium, below its top folder: on a CD and in a tree to boot from the network alike.
public enum MediumPath {
  /// The folder that tells a drone's medium from another.
  public static let folder: StaticString = "chaos"
  public static let kernel: StaticString = "chaos/bzImage"
  /// The root archive, with what follows it: the credential of a cluster.
  public static let root: StaticString = "chaos/chaos.rdz"
  /// How much of `root` is public. On a CD alone.
  public static let publicPart: StaticString = "chaos/public"
  /// systemd's boot stub: with a kernel and its root it is one program for UEFI of 64 bits. On a CD alone.
  public static let bootStub: StaticString = "boot/linuxx64.efi.stub"
  /// That program (UAPI.5, Unified Kernel Image). In a tree to boot from the network, and served by a drone.
  public static let unifiedKernel: StaticString = "drone-x64.efi"

  // On a medium for all processors: the drone of 64 bits beside the first one.

  public static let wideKernel: StaticString = "chaos/x86_64/bzImage"
  public static let wideRoot: StaticString = "chaos/x86_64/chaos.rdz"
  /// On a CD alone.
  public static let widePublicPart: StaticString = "chaos/x86_64/public"
}

/// What boot ROMs and firmware fetch first, at the top of a tree to boot from the network, or of what a drone serves; for UEFI of 64 bits by HTTP (16), beside
/// another DHCP server, and for its iPXE it is `MediumPath.unifiedKernel`.
public enum NetworkBootFile {
  /// A BIOS (client architecture 0).
  public static let pxelinux: StaticString = "pxelinux.0"
  /// UEFI of 64 bits (7, 9): signed by Microsoft; it fetches `grub` from beside it.
  public static let shim: StaticString = "shimx64.efi"
  /// Signed by Debian. shim looks for this name.
  public static let grub: StaticString = "grubx64.efi"
  /// What shim starts instead when keys are to be enrolled.
  public static let mokManager: StaticString = "mmx64.efi"
  /// UEFI of 32 bits (6).
  public static let narrowGRUB: StaticString = "grubia32.efi"
  /// iPXE before a BIOS.
  public static let iPXE: StaticString = "boot.ipxe"
}

/// What a build leaves in its folder.
public enum BuiltFile {
  /// The folder in the checkout where outputs go unless another is named.
  public static let folder: StaticString = "build"
  /// The image for CD, USB stick and disk.
  public static let image: StaticString = "drone.iso"
  /// The folder to boot from the network.
  public static let networkTree: StaticString = "pxe"
  /// The folder for the image of 64 bits with the project's own kernel, which has the name of the one with Debian's.
  public static let own: StaticString = "own"
}
