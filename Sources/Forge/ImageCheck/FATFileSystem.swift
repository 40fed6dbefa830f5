/// A FAT12 or FAT16 file system (Microsoft FAT Specification, August 2005; FAT: General Overview of On-Disk Format 1.03):
/// where its parts lie, and its table of clusters.
struct FATFileSystem {
  enum Width: Int { case fat12 = 12, fat16 = 16 }

  let bytes: any ByteSource
  let width: Width
  /// Bytes of a cluster.
  let cluster: Int
  /// Where the root directory and the first cluster begin, in bytes.
  let root: Int
  let rootSize: Int
  let data: Int
  /// How many clusters there are; the first is number 2.
  let clusters: Int
  /// What the table says of each cluster, from number 0 on.
  let table: [UInt16]

  /// The last number of a cluster, and one more.
  var end: Int { clusters + 2 }

  /// Reads the boot sector and the table of clusters and says what is wrong with them; nil when nothing else can be found
  /// through them.
  static func read(_ bytes: some ByteSource, at place: String, _ findings: inout [Finding]) -> FATFileSystem? {
    var wrong: [String] = []
    defer { findings += wrong.map { Finding(.fileSystem, place, $0) } }
    guard let block = BootBlock(bytes, &wrong) else { return nil }
    let sectorsOfRoot = (block.rootEntries * 32 + block.sector - 1) / block.sector
    let beforeData = block.reserved + block.tables * block.tableSectors + sectorsOfRoot
    guard block.sectors > beforeData else {
      wrong.append("it has \(block.sectors) sectors, and \(beforeData) come before its first cluster")
      return nil
    }
    let size = block.sectors * block.sector
    guard size <= bytes.count else {
      wrong.append("it is cut off: \(bytes.count) of \(size) bytes are there")
      return nil
    }
    if bytes.count - size >= block.sector {
      wrong.append("\(bytes.count - size) bytes of its partition are behind its end")
    }
    let clusters = (block.sectors - beforeData) / block.clusterSectors
    // The count alone decides (§3.5).
    guard clusters < 65525 else {
      wrong.append("it has \(clusters) clusters, so it is FAT32, and FAT12 or FAT16 is expected")
      return nil
    }
    let width: Width = clusters < 4085 ? .fat12 : .fat16
    if abs(clusters - 4085) < 16 || 65525 - clusters < 16 {
      wrong.append("it has \(clusters) clusters, so near a limit that readers take it for another kind of FAT")
    }
    if let name = block.kind, name != "FAT", name != "FAT\(width.rawValue)" {
      wrong.append("it calls itself \(name), and by its \(clusters) clusters it is FAT\(width.rawValue)")
    }
    let tableSize = block.tableSectors * block.sector
    guard tableSize * 8 >= (clusters + 2) * width.rawValue else {
      wrong.append("its table has \(tableSize) bytes, too few for \(clusters) clusters")
      return nil
    }
    guard let first = bytes.part(block.reserved * block.sector, tableSize).map({ [UInt8]($0) }) else { return nil }
    for copy in 1..<max(1, block.tables)
    where bytes.part(block.reserved * block.sector + copy * tableSize, tableSize)?.elementsEqual(first) != true {
      wrong.append("its tables of clusters differ")
    }
    let volume = FATFileSystem(
      bytes: bytes, width: width, cluster: block.clusterSectors * block.sector,
      root: (block.reserved + block.tables * block.tableSectors) * block.sector, rootSize: block.rootEntries * 32,
      data: beforeData * block.sector, clusters: clusters,
      table: (0..<clusters + 2).map { Self.entry($0, of: first, width) })
    // The first two stand for no cluster (§4.2).
    let ones: UInt16 = width == .fat12 ? 0xF00 : 0xFF00
    if volume.table[0] != ones | UInt16(block.media) { wrong.append("its table does not begin with the medium's byte") }
    if width == .fat16, volume.table[1] >> 14 != 3 { wrong.append("it is marked as not unmounted, or as damaged") }
    if volume.table[1] < (width == .fat12 ? 0xFF8 : 0x3FF8) { wrong.append("its table's second entry is wrong") }
    return volume
  }

  private static func entry(_ number: Int, of table: [UInt8], _ width: Width) -> UInt16 {
    switch width {
    case .fat16: return table.word(2 * number) ?? 0
    case .fat12:
      let pair = table.word(number + number / 2) ?? 0
      return number & 1 == 0 ? pair & 0xFFF : pair >> 4
    }
  }

  /// What follows a cluster in its chain.
  enum Next: Equatable { case cluster(Int), end, free, bad, outside(Int) }

  func next(_ number: Int) -> Next {
    guard table.indices.contains(number) else { return .outside(number) }
    let top: UInt16 = width == .fat12 ? 0xF000 : 0
    switch table[number] | top {
    case top: return .free
    case 0xFFF7: return .bad
    case 0xFFF8...: return .end
    default:
      let next = Int(table[number])
      return (2..<end).contains(next) ? .cluster(next) : .outside(next)
    }
  }

  /// Where a cluster's bytes begin.
  func offset(_ number: Int) -> Int { data + (number - 2) * cluster }
}

/// The boot sector (§3.1 to §3.3).
private struct BootBlock {
  var sector, clusterSectors, reserved, tables, rootEntries, sectors, tableSectors: Int
  var media: UInt8
  /// `FAT12   `, without the spaces.
  var kind: String?

  init?(_ bytes: some ByteSource, _ wrong: inout [String]) {
    guard bytes.word(510) == 0xAA55, let sector = bytes.word(11), let clusterSectors = bytes.byte(13),
      let reserved = bytes.word(14), let tables = bytes.byte(16), let rootEntries = bytes.word(17),
      let small = bytes.word(19), let media = bytes.byte(21), let tableSectors = bytes.word(22),
      let large = bytes.long(32)
    else {
      wrong.append("its first sector is no boot sector: it does not end in 55 AA")
      return nil
    }
    func refuse(_ reason: String) { wrong.append(reason) }
    guard [512, 1024, 2048, 4096].contains(sector) else {
      refuse("its sectors are of \(sector) bytes")
      return nil
    }
    guard clusterSectors.nonzeroBitCount == 1, Int(clusterSectors) * Int(sector) <= 32768 else {
      refuse("its clusters are of \(clusterSectors) sectors")
      return nil
    }
    guard reserved > 0, tables > 0, tables <= 2 else {
      refuse("it has \(reserved) reserved sectors and \(tables) tables of clusters")
      return nil
    }
    guard tableSectors > 0, rootEntries > 0 else {
      refuse("it has no table of clusters or no root directory where FAT12 and FAT16 have them: it may be FAT32")
      return nil
    }
    if Int(rootEntries) * 32 % Int(sector) != 0 { refuse("its root directory does not fill its sectors") }
    if tables != 2 { refuse("it has one table of clusters, and some firmware wants two") }
    let jump = (bytes.byte(0) ?? 0, bytes.byte(2) ?? 0)
    if !(jump.0 == 0xEB && jump.1 == 0x90) && jump.0 != 0xE9 { refuse("its first sector begins with no jump") }
    if media != 0xF0, media < 0xF8 { refuse("it is on a medium of the unknown kind \(media)") }
    if (small == 0) == (large == 0) { refuse("how many sectors it has is not said in one place") }
    self.sector = Int(sector)
    self.clusterSectors = Int(clusterSectors)
    self.reserved = Int(reserved)
    self.tables = Int(tables)
    self.rootEntries = Int(rootEntries)
    sectors = small == 0 ? Int(large) : Int(small)
    self.tableSectors = Int(tableSectors)
    self.media = media
    // The extended boot signature says that serial number, label and kind are there.
    if bytes.byte(38) == 0x29, let name = bytes.part(54, 8) {
      kind = String(decoding: name.prefix { $0 != 0x20 && $0 != 0 }, as: UTF8.self)
    }
  }
}
