import DroneLayout

/// A file that a boot server serves: its name for clients, and its path on the medium.
public struct ServedFile: Sendable {
  public let name: StaticString
  /// Below the medium's top folder.
  public let source: StaticString

  private init(_ name: StaticString, _ source: StaticString) {
    self.name = name
    self.source = source
  }

  /// The file with this index, from 0; nil behind the last.
  public static func at(_ index: Int) -> ServedFile? {
    switch index {
    case 0: ServedFile("pxelinux.0", "pxe/pxelinux.0")
    case 1: ServedFile("ldlinux.c32", "isolinux/ldlinux.c32")
    case 2: ServedFile("pxelinux.cfg/default", "pxe/pxelinux.cfg")
    case 3: ServedFile(MediumPath.kernel, MediumPath.kernel)
    // Up to the end of its public part, followed by a credential that holds only the certificate.
    case 4: ServedFile(MediumPath.root, MediumPath.root)
    case 5: ServedFile("screens/f1.txt", "isolinux/f1.txt")
    case 6: ServedFile("screens/f2.txt", "isolinux/f2.txt")
    case 7: ServedFile("screens/f3.txt", "isolinux/f3.txt")
    case 8: ServedFile("screens/f4.txt", "isolinux/f4.txt")
    case 9: ServedFile("screens/f5.txt", "isolinux/f5.txt")
    case 10: ServedFile("screens/f6.txt", "isolinux/f6.txt")
    default: nil
    }
  }

  public static let count = 11
}
