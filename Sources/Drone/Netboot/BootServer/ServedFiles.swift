import Bytes
import DroneLayout

/// A file of the medium that a boot server serves as it is: its name for clients, and its path on the medium.
public struct ServedFile: Sendable {
  /// For which computers it is.
  public enum Group: Sendable {
    /// Every PC with a BIOS. Each medium has these.
    case standard
    /// PCs of 64 bits with a BIOS, on a medium that has a drone of 64 bits beside the first one.
    case wide
  }

  public let name: StaticString
  /// Below the medium's top folder.
  public let source: StaticString
  public let group: Group

  private init(_ name: StaticString, _ source: StaticString, _ group: Group = .standard) {
    self.name = name
    self.source = source
    self.group = group
  }

  /// The file with this index, from 0; nil behind the last.
  public static func at(_ index: Int) -> ServedFile? {
    switch index {
    case 0: ServedFile(NetworkBootFile.pxelinux, "pxe/pxelinux.0")
    case 1: ServedFile("ldlinux.c32", "isolinux/ldlinux.c32")
    case 2: ServedFile("pxelinux.cfg/default", "pxe/pxelinux.cfg")
    case 3: ServedFile(MediumPath.kernel, MediumPath.kernel)
    // Up to the end of its public part, followed by a credential that holds only the certificate.
    case 4: ServedFile(MediumPath.root, MediumPath.root)
    // Those of the keys F1 and F5 are the served prompt's own: its labels are others, and it waits for less.
    case 5: ServedFile("screens/f1.txt", "pxe/f1.txt")
    case 6: ServedFile("screens/f2.txt", "isolinux/f2.txt")
    case 7: ServedFile("screens/f3.txt", "isolinux/f3.txt")
    case 8: ServedFile("screens/f4.txt", "isolinux/f4.txt")
    case 9: ServedFile("screens/f5.txt", "pxe/f5.txt")
    case 10: ServedFile("screens/f6.txt", "isolinux/f6.txt")
    case 11: ServedFile("ifcpu64.c32", "isolinux/ifcpu64.c32", .wide)
    case 12: ServedFile("libcom32.c32", "isolinux/libcom32.c32", .wide)
    case 13: ServedFile(MediumPath.wideKernel, MediumPath.wideKernel, .wide)
    case 14: ServedFile(MediumPath.wideRoot, MediumPath.wideRoot, .wide)
    default: nil
    }
  }

  public static let count = 15

  /// Whether who has this file has a drone's root: it comes last.
  static func isLast(_ name: [UInt8]) -> Bool {
    name.spells(MediumPath.root) || name.spells(MediumPath.wideRoot) || name.spells(MediumPath.unifiedKernel)
  }
}

/// A root archive of a medium, of which a part is public.
public struct ServedRoot: Sendable {
  /// The archive, below the medium's top folder.
  public let path: StaticString
  /// What says how much of it is public.
  public let publicPart: StaticString

  public static let standard = ServedRoot(path: MediumPath.root, publicPart: MediumPath.publicPart)
  public static let wide = ServedRoot(path: MediumPath.wideRoot, publicPart: MediumPath.widePublicPart)

  /// The root that a file of the medium is; nil for any other file.
  public init?(at source: StaticString) {
    if ServedRoot.standard.isAt(source) {
      self = .standard
    } else if ServedRoot.wide.isAt(source) {
      self = .wide
    } else {
      return nil
    }
  }

  private init(path: StaticString, publicPart: StaticString) {
    self.path = path
    self.publicPart = publicPart
  }

  private func isAt(_ source: StaticString) -> Bool {
    source.withUTF8Buffer { $0.elementsEqual([UInt8](path)) }
  }
}

/// How many tenths of a file have gone; 0 for an empty one. A product of Ints would trap on a drone of 32 bits from 214 MB on.
func tenths(_ sent: UInt64, of size: Int) -> Int { size > 0 ? Int(clamping: sent &* 10 / UInt64(size)) : 0 }
