/// What a kernel's configuration must say, for the kernel to run on the oldest machine and to unpack the root.
public struct KernelDemands: Sendable {
  /// Processor families (arch/x86/Kconfig.cpu); one of them is set.
  public let families: [String]
  /// Options that are `y`.
  public let needed: [String]
  /// Options that are not set, because the oldest machine cannot do what they need.
  public let refused: [String]

  public static let i586 = KernelDemands(
    families: ["CONFIG_M486SX", "CONFIG_M486", "CONFIG_M586", "CONFIG_M586TSC", "CONFIG_M586MMX"],
    needed: ["CONFIG_BLK_DEV_INITRD", "CONFIG_RD_XZ", "CONFIG_XZ_DEC_X86"],
    refused: ["CONFIG_64BIT", "CONFIG_X86_PAE"])

  public static let x86_64 = KernelDemands(
    families: ["CONFIG_GENERIC_CPU"],
    needed: ["CONFIG_64BIT", "CONFIG_BLK_DEV_INITRD", "CONFIG_RD_XZ", "CONFIG_XZ_DEC_X86"],
    refused: [])
}
