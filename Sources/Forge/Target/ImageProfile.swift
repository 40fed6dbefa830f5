/// What a target's kernel and root are like on a medium.
public struct ImageProfile: Sendable {
  public let kernel: KernelForm
  public let compression: RootCompression
  /// The package whose dependency is Debian's newest kernel for such images; nil where Debian has none.
  public let kernelPackage: String?
  /// Memory in MiB that the image must boot in.
  public let smallestMemory: Int

  public static let i586 = ImageProfile(
    kernel: .i386, compression: .x86, kernelPackage: nil, smallestMemory: 32)

  /// With Debian's kernel, whose drivers are modules and which firmware with Secure Boot lets in.
  public static let x86_64 = ImageProfile(
    kernel: .x86_64, compression: .x86WithModules, kernelPackage: "linux-image-amd64", smallestMemory: 256)
}

/// How a root archive is compressed, so that the kernel's unpacker can read it (lib/xz; Documentation/staging/xz.rst).
public struct RootCompression: Sendable {
  /// A filter before LZMA2: its option of `xz`, and its number in the format (The .xz File Format, §5.3.2).
  public struct Filter: Sendable {
    public let option: String
    public let identifier: UInt64
  }

  /// The kernel needs an option for each.
  public let filters: [Filter]
  /// Bytes that unpacking looks back over. The unpacker takes them from the memory beside the archive and what is unpacked
  /// from it: a large dictionary makes a small computer find no init.
  public let dictionary: Int

  /// The filter for x86 programs (CONFIG_XZ_DEC_X86) makes the root 6 % smaller; gzip or zstd makes it no smaller. With a
  /// dictionary of 512 KiB a computer of 16 MB ran out of memory now and then while it unpacked.
  public static let x86 = RootCompression(filters: [Filter(option: "--x86", identifier: 4)], dictionary: 1 << 18)
  /// Modules resemble each other; a larger dictionary than this gains little.
  public static let x86WithModules = RootCompression(filters: x86.filters, dictionary: 1 << 20)
}

/// A kernel for the boot loaders of PCs: a bzImage (Documentation/arch/x86/boot.rst).
public struct KernelForm: Sendable {
  /// Whether it runs on 64-bit processors only; otherwise on those of 32 bits, too.
  public let is64Bit: Bool
  /// What `make` is asked for, and where that lies in the kernel's tree afterwards.
  public let makeTarget: String
  public let path: String

  public static let i386 = KernelForm(is64Bit: false, makeTarget: "bzImage", path: "arch/x86/boot/bzImage")
  public static let x86_64 = KernelForm(is64Bit: true, makeTarget: "bzImage", path: "arch/x86/boot/bzImage")
}
