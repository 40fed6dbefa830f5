import Workshop

/// Writes a volume of the file system that firmware reads: FAT with 16-bit entries (Microsoft, FAT: General Overview of
/// On-Disk Format, version 1.03, which UEFI 2.10 §13.3 refers to).
///
/// The same files give the same bytes: dates and serial number are fixed, and each file lies in one piece, in the order of
/// the paths. Names are short ones of capitals, digits, `_`, `-` and `~`; file systems with them do not distinguish case.
public struct FATVolume: Sendable {
  /// Bytes of a sector. A cluster is one sector.
  static let sector = 512
  /// With fewer clusters than 4085 entries would be of 12 bits; other programs err by up to 16 (version 1.03, page 15).
  static let fewestClusters = 4101
  /// The boot sector counts all sectors in 16 bits, and so does the boot catalogue of a CD.
  static let mostSectors = 0xFFFF
  static let rootEntries = 512
  static let entryLength = 32
  /// 1 January 1980, which is as early as FAT can say: year since 1980, month, day in 7, 4 and 5 bits.
  static let date: UInt16 = 1 << 5 | 1
  /// "DRON"
  static let serialNumber: UInt32 = 0x4452_4F4E
  /// End of a chain of clusters.
  static let end: UInt16 = 0xFFFF

  /// A file, or a folder, which has no content of its own.
  private struct Node: Sendable {
    let path: String
    /// Of the folder that it is in; empty for the top one.
    let parent: String
    let name: [UInt8]
    let content: [UInt8]?
  }

  /// Sorted by path, so a folder stands before what is in it.
  private let nodes: [Node]
  private let label: [UInt8]

  /// Throws one sentence for a path or label that FAT cannot have, for a path that is there twice or below a file, and for
  /// a top folder with too many names.
  ///
  /// - Parameters:
  ///   - label: at most 11 characters.
  ///   - files: absolute paths, `/EFI/BOOT/BOOTX64.EFI`, with contents. Folders come from them.
  public init(label: String, files: [(path: String, content: [UInt8])]) throws {
    guard (1...11).contains(label.utf8.count), label.utf8.allSatisfy(Self.isAllowed) else {
      throw BuildError.input("\(label.debugDescription) cannot name a FAT volume: give at most 11 capitals and digits.")
    }
    self.label = Self.padded(label.utf8, 11)
    var byPath: [String: Node] = [:]
    for (path, content) in files {
      let names = path.split(separator: "/", omittingEmptySubsequences: false)
      guard names.count > 1, names[0].isEmpty else {
        throw BuildError.input("\(path.debugDescription) is not an absolute path of a FAT volume.")
      }
      var parent = ""
      for (position, name) in names.enumerated().dropFirst() {
        let isFile = position == names.count - 1
        let node = Node(
          path: "\(parent)/\(name)", parent: parent, name: try Self.shortName(name, of: path),
          content: isFile ? content : nil)
        if let known = byPath[node.path], isFile || known.content != nil {
          throw BuildError.input("\(path) cannot be on a FAT volume: \(known.path) is there already.")
        }
        byPath[node.path] = node
        parent = node.path
      }
    }
    nodes = byPath.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    guard nodes.count(where: { $0.parent.isEmpty }) < Self.rootEntries else {
      throw BuildError.input("The top folder of a FAT volume has room for \(Self.rootEntries - 1) names.")
    }
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "~"): true
    default: false
    }
  }

  private static func padded(_ bytes: some Sequence<UInt8>, _ count: Int) -> [UInt8] {
    let bytes = [UInt8](bytes)
    return bytes + [UInt8](repeating: 0x20, count: max(0, count - bytes.count))
  }

  /// The eleven bytes of a name: eight before the dot, three behind it.
  private static func shortName(_ name: Substring, of path: String) throws -> [UInt8] {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { [UInt8]($0.utf8) }
    let sizes = parts.map(\.count)
    guard (1...8).contains(sizes[0]), sizes.count == 1 || sizes.count == 2 && (1...3).contains(sizes[1]),
      parts.joined().allSatisfy(isAllowed)
    else {
      throw BuildError.input(
        "\(path.debugDescription) cannot be on a FAT volume: a name has up to 8 capitals or digits, and up to 3 behind a dot."
      )
    }
    return padded(parts[0], 8) + padded(parts.count > 1 ? parts[1] : [], 3)
  }

  // MARK: - Bytes

  /// The whole volume. Throws one sentence when the files are too large for one.
  public func bytes() throws -> [UInt8] {
    let used = nodes.reduce(0) { $0 + clusters(of: $1) }
    let count = max(used, Self.fewestClusters)
    // Two bytes for each cluster, up to three that are left over, and the two numbers that no cluster has.
    let tableSectors = ((count + 3 + 2) * 2 + Self.sector - 1) / Self.sector
    let rootSectors = Self.rootEntries * Self.entryLength / Self.sector
    // A CD has sectors of four times the size. What is left over belongs to no file.
    let sectors = (1 + 2 * tableSectors + rootSectors + count + 3) / 4 * 4
    guard sectors <= Self.mostSectors else {
      throw BuildError.input(
        "The files need a FAT volume of \(sectors) sectors, and it has at most \(Self.mostSectors) (32 MB). Leave some out."
      )
    }
    let places = self.places()
    var bytes = bootSector(sectors: UInt16(sectors), tableSectors: UInt16(tableSectors))
    let table = Self.padded(table(places), zeros: tableSectors * Self.sector)
    bytes += table + table
    bytes += Self.padded(
      entry(label, attributes: 0x08, cluster: 0, size: 0) + entries(of: "", places), zeros: rootSectors * Self.sector)
    for node in nodes {
      bytes += Self.padded(content(of: node, places), zeros: clusters(of: node) * Self.sector)
    }
    return Self.padded(bytes, zeros: sectors * Self.sector)
  }

  private func clusters(of node: Node) -> Int {
    // A folder has entries for itself and its parent first.
    let length = node.content?.count ?? (nodes.count { $0.parent == node.path } + 2) * Self.entryLength
    return (length + Self.sector - 1) / Self.sector
  }

  /// Where each node's clusters begin; 0 for the top folder and for empty files.
  private func places() -> [String: UInt16] {
    var places: [String: UInt16] = [:]
    var next = 2
    for node in nodes {
      let count = clusters(of: node)
      places[node.path] = count > 0 ? UInt16(truncatingIfNeeded: next) : 0
      next += count
    }
    return places
  }

  private static func padded(_ bytes: [UInt8], zeros count: Int) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: max(0, count - bytes.count))
  }

  private func bootSector(sectors: UInt16, tableSectors: UInt16) -> [UInt8] {
    var bytes: [UInt8] = [0xEB, 0x3C, 0x90]  // A jump over the fields.
    bytes += Self.padded("MSDOS5.0".utf8, 8)  // What every reader knows.
    bytes += little(UInt16(Self.sector))
    bytes += [1]  // Sectors of a cluster.
    bytes += little(UInt16(1))  // Sectors before the first table.
    bytes += [2]  // Tables.
    bytes += little(UInt16(Self.rootEntries))
    bytes += little(sectors)
    bytes += [0xF8]  // A medium that stays.
    bytes += little(tableSectors)
    bytes += little(UInt16(32)) + little(UInt16(64))  // Sectors of a track, heads.
    bytes += little(UInt32(0))  // Sectors before the volume.
    bytes += little(UInt32(0))  // Sectors where 16 bits do not hold them.
    bytes += [0x80, 0, 0x29]  // Drive; reserved; the next three fields are there.
    bytes += little(Self.serialNumber)
    bytes += label
    bytes += Self.padded("FAT16".utf8, 8)
    // Nobody boots from the volume itself: INT 18h tells the BIOS to go on.
    bytes += [0xCD, 0x18, 0xEB, 0xFE]
    return Self.padded(bytes, zeros: 510) + [0x55, 0xAA]
  }

  private func table(_ places: [String: UInt16]) -> [UInt8] {
    // The medium's byte; that the volume is in order.
    var bytes = little(UInt16(0xFFF8)) + little(Self.end)
    for node in nodes {
      let (first, count) = (places[node.path] ?? 0, clusters(of: node))
      for position in 1..<max(1, count) { bytes += little(first + UInt16(position)) }
      if count > 0 { bytes += little(Self.end) }
    }
    return bytes
  }

  private func content(of node: Node, _ places: [String: UInt16]) -> [UInt8] {
    node.content
      ?? entry(Self.padded(".".utf8, 11), attributes: 0x10, cluster: places[node.path] ?? 0, size: 0)
      + entry(Self.padded("..".utf8, 11), attributes: 0x10, cluster: places[node.parent] ?? 0, size: 0)
      + entries(of: node.path, places)
  }

  private func entries(of folder: String, _ places: [String: UInt16]) -> [UInt8] {
    nodes.filter { $0.parent == folder }.flatMap { node in
      entry(
        node.name, attributes: node.content == nil ? 0x10 : 0x21, cluster: places[node.path] ?? 0,
        size: UInt32(node.content?.count ?? 0))
    }
  }

  /// - Parameter attributes: 0x08 the volume's label, 0x10 a folder, 0x21 a file that may only be read.
  private func entry(_ name: [UInt8], attributes: UInt8, cluster: UInt16, size: UInt32) -> [UInt8] {
    var bytes = name
    bytes += [attributes, 0, 0]  // No case, no tenths of a second.
    bytes += little(UInt16(0)) + little(Self.date)  // When it was made: midnight.
    bytes += little(Self.date)  // When it was last read.
    bytes += little(UInt16(0))  // The cluster's upper half.
    bytes += little(UInt16(0)) + little(Self.date)  // When it was last written.
    bytes += little(cluster) + little(size)
    return bytes
  }

  private func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number(8 * $0)) }
  }
}
