import Workshop

/// Which of a kernel's modules an image holds, besides those that every computer loads.
public enum ModuleSelection: Sendable, Equatable {
  /// Every Ethernet card, USB, keyboards, drives of boot media, watchdogs.
  case all
  /// The same with the network cards that most PCs and virtual machines have.
  case common
  /// These, and nothing for devices else; those of them that no device asks for are loaded on every computer.
  case named([String])

  /// `all`, `pc`, or names with commas between them. Throws a sentence for words that cannot be names.
  public init(_ text: String) throws {
    switch text {
    case "all": self = .all
    case "pc": self = .common
    default:
      let names = text.split(separator: ",", omittingEmptySubsequences: false).map { plainName($0) }
      guard names.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) }) else {
        throw BuildError.input(
          "\"\(text)\" is no selection of modules: say all, pc, or names with commas between them (e1000e,igb).")
      }
      self = .named(names)
    }
  }

  /// What a recipe's hash takes for it.
  var identity: String {
    switch self {
    case .all: (["all"] + everyPC + everyCard).joined(separator: " ")
    case .common: (["pc"] + everyPC + commonCards).joined(separator: " ")
    case .named(let names): (["named"] + names).joined(separator: " ")
    }
  }

  /// The names of the chosen modules, in alphabetical order. Throws a sentence for a name that the kernel does not know.
  func names(in index: ModuleIndex) throws -> [String] {
    switch self {
    case .all: return index.names(matching: everyPC + everyCard)
    case .common: return index.names(matching: everyPC + commonCards)
    case .named(let names):
      try requireNames(names, known: Set(index.modules.keys), builtIn: index.builtIn)
      return Set(names).filter { index.modules[$0] != nil }.sorted()
    }
  }
}

/// Throws a sentence for a name that is neither a module's nor of something that the kernel has built in.
func requireNames(_ names: [String], known: Set<String>, builtIn: Set<String>) throws {
  guard let name = names.first(where: { !known.contains($0) && !builtIn.contains($0) }) else { return }
  let near = namesNear(name, among: known)
  throw BuildError.input(
    "This kernel has no module \(name). "
      + (near.isEmpty ? "Its names are those of `modinfo`." : "It has \(near.joined(separator: ", ")).")
      + " MODULES also takes all and pc.")
}

extension ModuleIndex {
  /// The modules below folders (with `/` at the end) and at paths of `kernel` without `.ko`; `-` and `_` are one.
  fileprivate func names(matching patterns: [String]) -> [String] {
    let folders = patterns.filter { $0.hasSuffix("/") }.map { plainName($0[...]) }
    let paths = Set(patterns.filter { !$0.hasSuffix("/") }.map { plainName($0[...]) })
    return modules.values.filter { module in
      let path = plainName(module.path.trimmingPrefix("kernel/"))
      return folders.contains { path.hasPrefix($0) } || paths.contains(String(path.prefix { $0 != "." }))
    }.map(\.name).sorted()
  }
}

private func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
    true
  default: false
  }
}

/// What PCs have beside network cards, below `lib/modules/RELEASE/kernel`.
private let everyPC = [
  // Buses of virtual machines.
  "drivers/virtio/", "drivers/hv/hv_vmbus",
  // USB: the four kinds of controllers.
  "drivers/usb/host/xhci-pci", "drivers/usb/host/xhci-hcd", "drivers/usb/host/ehci-pci", "drivers/usb/host/ehci-hcd",
  "drivers/usb/host/ohci-pci", "drivers/usb/host/ohci-hcd", "drivers/usb/host/uhci-hcd",
  // Keyboards.
  "drivers/hid/hid", "drivers/hid/hid-generic", "drivers/hid/usbhid/usbhid", "drivers/hid/hid-hyperv",
  "drivers/input/keyboard/atkbd", "drivers/input/serio/i8042", "drivers/input/serio/hyperv-keyboard",
  // Drives of boot media: SATA and IDE, sticks, CD drives, disks of virtual machines.
  "drivers/ata/", "drivers/usb/storage/usb-storage", "drivers/usb/storage/uas", "drivers/cdrom/cdrom",
  "drivers/scsi/scsi_mod", "drivers/scsi/sd_mod", "drivers/scsi/sr_mod", "drivers/scsi/virtio_scsi",
  "drivers/scsi/hv_storvsc", "drivers/scsi/vmw_pvscsi", "drivers/block/virtio_blk", "drivers/block/xen-blkfront",
  // Watchdogs, and the bridges that two of them hide behind.
  "drivers/watchdog/", "drivers/mfd/lpc_ich", "drivers/i2c/busses/i2c-i801",
  // Random numbers, and ciphers of processors that have instructions for them.
  "drivers/char/hw_random/", "arch/x86/crypto/aesni-intel", "arch/x86/crypto/ghash-clmulni-intel",
  "arch/x86/crypto/sha256-ssse3", "arch/x86/crypto/crc32c-intel",
]

/// Network cards of virtual machines.
private let virtualCards = [
  "drivers/net/virtio_net", "drivers/net/vmxnet3/vmxnet3", "drivers/net/hyperv/hv_netvsc", "drivers/net/xen-netfront",
]

/// Every driver of an Ethernet card, by PCI or USB, with what its chips need.
private let everyCard =
  virtualCards + [
    "drivers/net/ethernet/", "drivers/net/phy/", "drivers/net/mdio/", "drivers/net/pcs/",
  ] + usbCards

private let usbCards = [
  "aqc111", "asix", "ax88179_178a", "catc", "cdc_ether", "cdc_ncm", "ch9200", "cx82310_eth", "dm9601", "int51x1",
  "kaweth",
  "lan78xx", "mcs7830", "pegasus", "r8152", "r8153_ecm", "rndis_host", "rtl8150", "smsc75xx", "smsc95xx", "sr9700",
  "sr9800", "usbnet",
].map { "drivers/net/usb/\($0)" }

/// What most boards and adapters of the last twenty years have.
private let commonCards =
  virtualCards
  + [
    "intel/e100", "intel/e1000/", "intel/e1000e/", "intel/igb/", "intel/igc/", "intel/ixgbe/", "intel/i40e/",
    "realtek/8139cp", "realtek/8139too", "realtek/r8169", "broadcom/tg3", "broadcom/bnx2", "atheros/", "marvell/skge",
    "marvell/sky2", "nvidia/forcedeth", "amd/pcnet32", "via/via-rhine", "via/via-velocity", "dec/tulip/tulip",
    "8390/ne2k-pci", "aquantia/",
  ].map { "drivers/net/ethernet/\($0)" } + [
    "drivers/net/phy/realtek", "drivers/net/phy/broadcom", "drivers/net/phy/bcm-phy-lib", "drivers/net/phy/ax88796b",
  ] + ["r8152", "asix", "ax88179_178a", "cdc_ether", "cdc_ncm"].map { "drivers/net/usb/\($0)" }
