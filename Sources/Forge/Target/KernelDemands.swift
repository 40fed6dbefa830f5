/// What a kernel's configuration must say, for the kernel to run on the oldest machine, to unpack the root and to do what a
/// drone does.
public struct KernelDemands: Sendable {
  /// Something that is built in, or a module that the image holds and every computer loads.
  public struct Part: Sendable {
    public let option: String
    /// As /proc/modules has it.
    public let module: String
    /// Kernels without the option have it elsewhere, or a drone does without.
    public var mayLack = false
  }

  /// Processor families (arch/x86/Kconfig.cpu); one of them is set.
  public let families: [String]
  /// Options that are `y`.
  public let needed: [String]
  /// Drivers for the screen as UEFI firmware leaves it, which has no text; one of them is `y`. Empty for none.
  public var screens: [String] = []
  /// Options that are `y` or `m`, in the order in which their modules are loaded.
  public let parts = everyDrones
  /// Options that are not set, because the oldest machine cannot do what they need.
  public let refused: [String]

  public static let i586 = KernelDemands(
    families: ["CONFIG_M486SX", "CONFIG_M486", "CONFIG_M586", "CONFIG_M586TSC", "CONFIG_M586MMX"],
    needed: builtIn, refused: ["CONFIG_64BIT", "CONFIG_X86_PAE"])

  public static let x86_64 = KernelDemands(
    families: ["CONFIG_GENERIC_CPU"],
    needed: ["CONFIG_64BIT", "CONFIG_EFI_STUB", "CONFIG_EFI_MIXED", "CONFIG_FRAMEBUFFER_CONSOLE"] + builtIn,
    screens: ["CONFIG_FB_EFI", "CONFIG_DRM_SIMPLEDRM"], refused: [])

  /// Drivers of network cards that PCs and virtual machines have. A kernel without modules and without all of these reaches nobody.
  static let cards = [
    "E1000", "E1000E", "IGB", "IGC", "IXGBE", "I40E", "E100", "R8169", "8139CP", "8139TOO", "TIGON3", "BNX2", "BNXT",
    "SKY2", "SKGE", "ATL1C", "ATL1E", "ALX", "FORCEDETH", "VIA_RHINE", "VIA_VELOCITY", "PCNET32", "TULIP", "VORTEX",
    "NE2K_PCI", "NE2000", "AQTION", "VIRTIO_NET", "VMXNET3", "HYPERV_NET", "USB_RTL8152", "USB_NET_AX88179_178A",
  ].map { "CONFIG_\($0)" }

  /// What no module can be: the kernel cannot unpack the root without it, or has it built in or not at all.
  private static let builtIn = [
    "CONFIG_BLK_DEV_INITRD", "CONFIG_RD_XZ", "CONFIG_XZ_DEC_X86", "CONFIG_DEVTMPFS", "CONFIG_TMPFS", "CONFIG_PROC_FS",
    "CONFIG_SYSFS", "CONFIG_UNIX", "CONFIG_INET", "CONFIG_IP_MULTICAST", "CONFIG_BINFMT_ELF", "CONFIG_BINFMT_SCRIPT",
    "CONFIG_VT_CONSOLE", "CONFIG_CRYPTO_AES", "CONFIG_CRYPTO_SHA256", "CONFIG_NF_TABLES_IPV4",
  ]

  /// What every drone does. As modules nothing asks for these by a device: the packet filter's expressions, ESP and its
  /// ciphers, which the kernel would request by modprobe.
  private static let everyDrones = [
    Part(option: "CONFIG_PACKET", module: "af_packet"),
    Part(option: "CONFIG_CRYPTO_MANAGER", module: "cryptomgr"),
    Part(option: "CONFIG_NF_CONNTRACK", module: "nf_conntrack"),
    Part(option: "CONFIG_NF_CONNTRACK_TFTP", module: "nf_conntrack_tftp"),
    Part(option: "CONFIG_NF_LOG_SYSLOG", module: "nf_log_syslog"),
    Part(option: "CONFIG_NF_TABLES", module: "nf_tables"),
    Part(option: "CONFIG_NFT_CT", module: "nft_ct"),
    Part(option: "CONFIG_NFT_LIMIT", module: "nft_limit"),
    Part(option: "CONFIG_NFT_LOG", module: "nft_log"),
    // What other nodes' jobs say is filtered by it; without it they have no network.
    Part(option: "CONFIG_NFT_SOCKET", module: "nft_socket", mayLack: true),
    Part(option: "CONFIG_NFT_REJECT_IPV4", module: "nft_reject_ipv4", mayLack: true),
    // A part of nf_tables itself since Linux 6.2.
    Part(option: "CONFIG_NFT_OBJREF", module: "nft_objref", mayLack: true),
    Part(option: "CONFIG_CRYPTO_CTR", module: "ctr"),
    Part(option: "CONFIG_CRYPTO_GHASH", module: "ghash_generic"),
    Part(option: "CONFIG_CRYPTO_GCM", module: "gcm"),
    Part(option: "CONFIG_CRYPTO_CHACHA20", module: "chacha_generic"),
    Part(option: "CONFIG_CRYPTO_POLY1305", module: "poly1305_generic", mayLack: true),
    Part(option: "CONFIG_CRYPTO_CHACHA20_X86_64", module: "chacha_x86_64", mayLack: true),
    Part(option: "CONFIG_CRYPTO_POLY1305_X86_64", module: "poly1305_x86_64", mayLack: true),
    Part(option: "CONFIG_CRYPTO_CHACHA20POLY1305", module: "chacha20poly1305"),
    // The numbers that begin a cipher's are random, and without this generator the kernel takes no association (crypto/geniv.c,
    // aead_init_geniv); it asks for HMAC with SHA-512 by its name.
    Part(option: "CONFIG_CRYPTO_SHA512", module: "sha512_generic"),
    Part(option: "CONFIG_CRYPTO_JITTERENTROPY", module: "jitterentropy_rng"),
    Part(option: "CONFIG_CRYPTO_DRBG", module: "drbg"),
    Part(option: "CONFIG_CRYPTO_SEQIV", module: "seqiv"),
    Part(option: "CONFIG_CRYPTO_ECHAINIV", module: "echainiv"),
    Part(option: "CONFIG_XFRM_USER", module: "xfrm_user"),
    Part(option: "CONFIG_INET_ESP", module: "esp4"),
    // The files of whoever has work here; without it a node takes none.
    Part(option: "CONFIG_NFS_V3", module: "nfsv3", mayLack: true),
    // Where there is no hardware of its own.
    Part(option: "CONFIG_SOFT_WATCHDOG", module: "softdog", mayLack: true),
    // File systems of boot media.
    Part(option: "CONFIG_ISO9660_FS", module: "isofs"),
    Part(option: "CONFIG_NLS_CODEPAGE_437", module: "nls_cp437"),
    Part(option: "CONFIG_NLS_ISO8859_1", module: "nls_iso8859_1"),
    Part(option: "CONFIG_NLS_ASCII", module: "nls_ascii", mayLack: true),
    Part(option: "CONFIG_NLS_UTF8", module: "nls_utf8", mayLack: true),
    Part(option: "CONFIG_VFAT_FS", module: "vfat"),
  ]
}

/// A kernel's configuration as its package or its build has it.
public struct KernelConfiguration: Sendable {
  private let values: [Substring: Substring]

  /// Any text is one; what is no `CONFIG_NAME=value` says nothing.
  public init(_ text: String) {
    var values: [Substring: Substring] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("CONFIG_") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      values[line[..<equals]] = line[line.index(after: equals)...]
    }
    self.values = values
  }

  public subscript(option: String) -> String? { values[option[...]].map(String.init) }

  /// What it lacks as one that comes without modules, as the rest of a sentence that begins with the kernel; nil when it has the
  /// driver of a network card.
  public var shortcomingOfCards: String? {
    if KernelDemands.cards.contains(where: { self[$0] == "y" }) { return nil }
    let modules = KernelDemands.cards.filter { self[$0] == "m" }
    return modules.isEmpty
      ? "its configuration has no driver of a usual network card (such as \(KernelDemands.cards[1]))"
      : "its network cards' drivers are modules (\(modules.prefix(3).joined(separator: ", "))), and the image would hold none: give "
        + "MODULES the path of its lib/modules"
  }

  /// What it lacks of these demands, each as the rest of a sentence that begins with the kernel.
  ///
  /// - Parameter modules: names of those that the image holds.
  public func shortcomings(of demands: KernelDemands, modules: Set<String>) -> [String] {
    var found: [String] = []
    if !demands.families.contains(where: { self[$0] == "y" }) {
      found.append(
        "its configuration has none of \(demands.families.joined(separator: ", ")): it needs a newer processor")
    }
    for option in demands.needed where self[option] != "y" {
      found.append("its configuration lacks \(option), without which it cannot unpack the root or run a drone")
    }
    if !demands.screens.isEmpty, !demands.screens.contains(where: { self[$0] == "y" }) {
      found.append(
        "its configuration has none of \(demands.screens.joined(separator: ", ")): with UEFI the screen stays dark")
    }
    for part in demands.parts where !part.mayLack {
      switch self[part.option] {
      case "y": break
      case "m" where modules.contains(part.module): break
      case "m": found.append("it has \(part.module) as a module (\(part.option)), and the image does not hold that")
      default: found.append("its configuration lacks \(part.option), without which it is no drone's")
      }
    }
    for option in demands.refused where self[option] == "y" {
      found.append("its configuration has \(option), which the oldest machine cannot do")
    }
    return found
  }
}
