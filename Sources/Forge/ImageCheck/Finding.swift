/// Something that is wrong with an image: one line.
public struct Finding: Sendable, Hashable, CustomStringConvertible {
  /// Which check it is that failed.
  public enum Check: String, Sendable, CaseIterable {
    /// The CD's volume descriptors (ECMA-119).
    case volume
    /// The boot catalogue (El Torito).
    case bootCatalogue = "boot catalogue"
    /// The boot information table in the boot loader.
    case bootInformation = "boot information table"
    /// The first sector, by which the CD image boots as a disk.
    case hybridSector = "hybrid sector"
    /// The tables of partitions (MBR, GPT), and what the boot catalogue says of the same place.
    case partitions
    /// The EFI partition's FAT file system.
    case fileSystem = "FAT file system"
    /// The form of a program that UEFI firmware starts, or its signatures.
    case firmwareProgram = "EFI program"
    case signature
    /// An archive cannot be read to its end.
    case archive
    /// Something is missing, or there and should not be.
    case presence
    /// A size, digest, owner, mode or target is not the manifest's.
    case manifest
    /// A mode that no image may have, whatever its manifest says.
    case permissions
    /// The boot configuration.
    case configuration
    case kernel
    /// How the root is compressed.
    case compression
    /// The form of a program.
    case program
    /// An instruction that the target's first processor does not have.
    case instruction
    /// What certaintyd compares the root with is not the root.
    case baseline
    /// The kernel's modules and their table do not belong together, or not to the kernel.
    case modules
    /// What the image carries of a cluster is not what was meant.
    case credential
    case secret
    case budget
  }

  public let check: Check
  /// A path in the image, or a part of it.
  public let place: String
  public let reason: String

  init(_ check: Check, _ place: String, _ reason: String) {
    self.check = check
    self.place = place
    self.reason = reason
  }

  public var description: String { "\(place): \(reason) (\(check.rawValue))" }
}

/// What checking an image gave.
public struct CheckReport: Sendable {
  /// Empty when the image is sound.
  public var findings: [Finding]
  /// Each file of the medium with its bytes.
  public var sizes: [Size]
  /// Bytes of the whole image.
  public var total: Int
  /// Those of them that are there a second time, in the program of kernel and root; no budget counts them.
  public var copied = 0
  /// Sentences on what is no fault and yet good to know: what becomes of the image under Secure Boot.
  public var notes: [String] = []

  public struct Size: Sendable, Equatable {
    public let path: String
    public let bytes: Int
  }

  /// What is said of a sound image: the table of sizes, and what is good to know.
  public func summary(budget: Int) -> String { ([sizeTable(budget: budget)] + notes).joined(separator: "\n") }

  /// The table of sizes, one line per file, largest first, and the total against the budget.
  public func sizeTable(budget: Int) -> String {
    func line(_ bytes: Int, _ text: String) -> String {
      let number = String(bytes)
      return String(repeating: " ", count: max(0, 9 - number.count)) + number + "  " + text
    }
    let files = sizes.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }.map { line($0.bytes, $0.path) }
    let percent = budget > 0 ? (total - copied) * 100 / budget : 0
    let besides = copied > 0 ? "; without \(copied) that are there twice" : ""
    return (files + [line(total, "bytes in all\(besides), \(percent) % of the budget of \(budget)")])
      .joined(separator: "\n")
  }
}
