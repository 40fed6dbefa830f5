import Foundation
import Workshop

/// What an image consists of, written beside it as JSON: every file of the medium and of the drone's root with its size
/// and digest, and the source packages that the programs were built from.
public struct BillOfMaterials: Codable, Sendable, Equatable {
  /// Counts up when a reader of older bills would misunderstand a new one.
  public var format = Self.newestFormat
  private static let newestFormat = 2
  /// What computers it is for: `ImageTarget.name`.
  public var target: String
  /// The digest of the code in a CD image's first sector, by which it boots as a disk.
  public var hybridSector: String?
  /// What is on the CD or in the network boot tree.
  public var medium: [Item]
  /// What is in the EFI system partition behind the CD's file system: its folders and files with sizes and digests, by
  /// paths in capitals as FAT has them (`/EFI/BOOT/BOOTX64.EFI`), sorted. Owners and modes mean nothing there. Nil for a
  /// medium without one.
  public var efiPartition: [Item]?
  /// The drones on the medium, as its target has them.
  public var drones: [Drone]
  /// The program of the drone of 64 bits that UEFI starts as a whole; nil for a medium without one.
  public var unified: UnifiedKernel?
  public var sources: [SourceRecord]
  /// Nil for an image without a credential.
  public var cluster: Cluster?

  public struct Drone: Codable, Sendable, Equatable {
    /// The kind of computer: `DroneTarget.name`.
    public var target: String
    /// The version in the kernel's header.
    public var kernel: String
    /// What is in the drone's root.
    public var root: [Item]
    /// Nil for a kernel without modules.
    public var modules: Modules?
  }

  /// A kernel, its root and its boot line in one program.
  public struct UnifiedKernel: Codable, Sendable, Equatable {
    /// Boot words behind those of the standard label.
    public var words: [String]
    /// The name of the user's key that signed it, and the digest of its certificate in DER, in hexadecimal; nil for one that
    /// nobody signed.
    public var key: String?
    public var certificate: String?
  }

  public struct Item: Codable, Sendable, Equatable {
    public var path: String
    public var kind: Kind
    /// Permission bits in octal: `0755`.
    public var mode: String
    public var user: UInt32
    public var group: UInt32
    /// A file's bytes.
    public var size: Int?
    /// A file's digest in hexadecimal. A boot loader with a boot information table is digested with that table
    /// (bytes 8 to 63) as zeros, since the CD's writer fills it. Nil for a file that the CD's writer makes itself.
    public var sha256: String?
    public var bootInformationTable: Bool?
    /// A symbolic link's target.
    public var target: String?
    /// A device's major and minor number.
    public var device: [UInt32]?
    public var why: String
    /// Where it comes from: a kind, and what it names (`source musl_1.2.3-1.dsc`). Nil in bills that were made before this
    /// was in them.
    public var origin: String?
  }

  public enum Kind: String, Codable, Sendable { case file, directory, symbolicLink, characterDevice }

  /// Reads a bill back. Throws a sentence for one of another format.
  public init(json: [UInt8]) throws {
    struct Head: Decodable { let format: Int }
    if let head = try? JSONDecoder().decode(Head.self, from: Data(json)), head.format != Self.newestFormat {
      throw BuildError.input(
        "The image's manifest has the format \(head.format), and this program reads \(Self.newestFormat): take the program that made it, or build the image again."
      )
    }
    do {
      self = try JSONDecoder().decode(BillOfMaterials.self, from: Data(json))
    } catch {
      throw BuildError.input("The image's manifest cannot be read (\(Self.reason(error))). Build the image again.")
    }
  }

  /// What JSON lacks, and where: `drones.0.archive: a string is expected`.
  private static func reason(_ error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".") + ": "
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context): return "\(place(context.codingPath))\"\(key.stringValue)\" is missing"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      return "\(place(context.codingPath))it is no \(type)"
    case .dataCorrupted(let context): return "\(place(context.codingPath))it is no JSON, or not one of a manifest"
    default: return "\(error)"
    }
  }

  init(
    target: String, hybridSector: String? = nil, medium: [Item], efiPartition: [Item]? = nil, drones: [Drone],
    unified: UnifiedKernel? = nil, sources: [SourceRecord], cluster: Cluster? = nil
  ) {
    self.target = target
    self.hybridSector = hybridSector
    self.medium = medium
    self.efiPartition = efiPartition
    self.drones = drones
    self.unified = unified
    self.sources = sources
    self.cluster = cluster
  }

  /// The same bill gives the same bytes.
  public var json: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try [UInt8](encoder.encode(self)) + [0x0A]
    }
  }
}

extension BillOfMaterials.Item {
  /// Describes an entry. `bootLoader`: the entry holds a boot information table.
  init(_ resolved: ResolvedEntry, bootLoader: Bool = false) throws {
    let entry = resolved.entry
    self.init(
      path: entry.path, kind: .directory, mode: octal(entry.mode),
      user: entry.owner.user, group: entry.owner.group, why: entry.why, origin: "\(entry.origin)")
    switch entry.kind {
    case .directory: break
    case .file:
      kind = .file
      size = resolved.content?.size
      sha256 = resolved.content.map { "\($0.digest)" }
      if bootLoader, var bytes = try resolved.content?.bytes() {
        for offset in 8..<max(8, min(64, bytes.count)) { bytes[offset] = 0 }
        bootInformationTable = true
        sha256 = "\(SHA256(bytes))"
      }
    case .symbolicLink(let to):
      kind = .symbolicLink
      target = to
    case .characterDevice(let major, let minor):
      kind = .characterDevice
      device = [major, minor]
    }
  }
}
