import TestSupport
import Testing
import Workshop

@testable import ImageCheck

@Suite("FAT file systems")
struct FATTests {
  private static func read(_ bytes: [UInt8]) -> (members: [Member], wrong: [String]) {
    var findings: [Finding] = []
    let members = FATFileSystem.read(bytes, at: "efi", &findings)?.members(at: "efi", &findings)
    return (members ?? [], findings.map(\.reason))
  }

  @Test(
    "volumes of mkfs.fat give the files that mtools put in, whatever the sectors, clusters and tables",
    arguments: [
      (["-F", "12"], 256), (["-F", "12", "-s", "8"], 1440), (["-F", "12", "-S", "2048", "-r", "128"], 2880),
      (["-F", "16", "-s", "1"], 8192), (["-F", "16", "-s", "4", "-S", "1024", "-a"], 33_000),
      (["-F", "12", "-r", "16", "-R", "8"], 512), (["-F", "12", "-a"], 720),
    ])
  func volumes(_ options: [String], _ kibibytes: Int) async throws {
    try await withFolder { folder in
      let (members, wrong) = Self.read(try await fatVolume(options, kibibytes: kibibytes, in: folder))
      #expect(wrong == [])
      let files = members.filter { $0.kind == .file }
      #expect(Set(files.map(\.path)) == Set(fatFiles.map(\.path)))
      for (path, content) in fatFiles {
        let file = files.first { $0.path == path }
        #expect(file?.content == Content(content) && file?.content.bytes == content, "\(path)")
      }
      #expect(
        Set(members.filter { $0.kind == .directory }.map(\.path)) == ["/EFI", "/EFI/BOOT", "/EFI/debian"])
      // mtools' own reading of the same.
      for (path, content) in fatFiles {
        let volume = folder.appending("volume.img").string
        #expect(try await Command("mtype", ["-i", volume, "::\(path)"]).output() == content)
      }
      _ = try await Command("/sbin/fsck.fat", ["-n", folder.appending("volume.img").string]).output()
    }
  }

  @Test("a volume of FAT32 is told from others")
  func wide() async throws {
    try await withFolder { folder in
      let volume = folder.appending("wide.img")
      try await write([UInt8](repeating: 0, count: 34 << 20), to: volume)
      _ = try await Command("/sbin/mkfs.fat", ["-F", "32", "-s", "1", volume.string]).output()
      #expect(Self.read(try contents(of: volume)).wrong.last?.contains("it may be FAT32") == true)
    }
  }

  /// Where things lie in the volume of the damages, by its own fields.
  struct Layout: Sendable {
    var tables, root, data: Int
    /// Bytes of a cluster, of one table.
    var cluster = 0
    var table = 0

    init(_ bytes: [UInt8]) {
      let sector = Int(bytes.word(11) ?? 0)
      cluster = sector * Int(bytes[13])
      table = Int(bytes.word(22) ?? 0) * sector
      tables = Int(bytes.word(14) ?? 0) * sector
      root = tables + Int(bytes[16]) * table
      data = root + Int(bytes.word(17) ?? 0) * 32
    }

    /// Writes an entry of both tables (FAT12).
    func put(_ value: UInt16, _ number: Int, _ bytes: inout [UInt8]) {
      for copy in 0..<2 {
        let place = tables + copy * table + number + number / 2
        let old = bytes.word(place) ?? 0
        bytes.put(UInt64(number & 1 == 0 ? old & 0xF000 | value : old & 0xF | value << 4), 2, at: place)
      }
    }

    /// The place of the entry with this short name, wherever it is.
    func entry(_ name: String, _ bytes: [UInt8]) -> Int {
      stride(from: root, to: bytes.count - 32, by: 32).first { bytes[$0..<$0 + 11].elementsEqual(name.utf8) } ?? 0
    }

    func cluster(_ name: String, _ bytes: [UInt8]) -> Int { Int(bytes.word(entry(name, bytes) + 26) ?? 0) }
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var says: String
    var apply: @Sendable (inout [UInt8], Layout) -> Void

    init(_ name: String, _ says: String, _ apply: @escaping @Sendable (inout [UInt8], Layout) -> Void) {
      (testDescription, self.says, self.apply) = (name, says, apply)
    }
  }

  private static let loader = "BOOTX64 EFI"
  private static let long = "ANAMET~1TXT"

  static let damages: [Damage] = [
    Damage("nothing", "no boot sector") { bytes, _ in bytes = [] },
    Damage("boot signature", "no boot sector") { bytes, _ in bytes[511] = 0 },
    Damage("sector size", "sectors are of 513 bytes") { bytes, _ in bytes[11] = 1 },
    Damage("cluster size", "clusters are of 3 sectors") { bytes, _ in bytes[13] = 3 },
    Damage("no cluster", "clusters are of 0 sectors") { bytes, _ in bytes[13] = 0 },
    Damage("no reserved sector", "0 reserved sectors") { bytes, _ in bytes[14] = 0 },
    Damage("three tables", "3 tables of clusters") { bytes, _ in bytes[16] = 3 },
    Damage("no root directory", "it may be FAT32") { bytes, _ in bytes.put(0, 2, at: 17) },
    Damage("no table", "it may be FAT32") { bytes, _ in bytes.put(0, 2, at: 22) },
    Damage("root directory of half a sector", "does not fill its sectors") { bytes, _ in bytes[17] &+= 1 },
    Damage("jump", "begins with no jump") { bytes, _ in bytes[0] = 0 },
    Damage("medium", "unknown kind 0") { bytes, _ in bytes[21] = 0 },
    Damage("sectors twice", "is not said in one place") { bytes, _ in bytes[32] = 1 },
    Damage("more sectors than there are", "it is cut off: 262144 of") { bytes, _ in bytes[20] = 0x10 },
    Damage("cut off", "it is cut off: 130000 of 262144") { bytes, _ in bytes.removeLast(132_144) },
    Damage("fewer sectors than its partition", "behind its end") { bytes, _ in bytes.put(504, 2, at: 19) },
    Damage("hardly any sector", "come before its first cluster") { bytes, _ in bytes.put(3, 2, at: 19) },
    Damage("another kind", "it calls itself FAT16") { bytes, _ in bytes[58] = 0x36 },
    Damage("short table", "too few for") { bytes, _ in
      bytes.put(1, 2, at: 22)
      bytes[13] = 1
    },
    Damage("the tables differ", "tables of clusters differ") { $0[$1.tables + $1.table + 9] ^= 1 },
    Damage("the first entry", "medium's byte") { $1.put(0xFF0, 0, &$0) },
    Damage("the second entry", "second entry") { $1.put(0, 1, &$0) },
    Damage("a chain that runs in a circle", "BOOTX64.EFI runs into cluster") {
      let first = $1.cluster(loader, $0)
      $1.put(UInt16(first), first, &$0)
    },
    Damage("a chain too short", "clusters, and its 70000 bytes take") { $1.put(0xFFF, $1.cluster(loader, $0), &$0) },
    Damage("lost clusters", "clusters are taken and belong to no file") { $1.put(0xFFF, $1.cluster(loader, $0), &$0) },
    Damage("one lost cluster", "1 clusters are taken") { bytes, layout in
      layout.put(0xFFF, (bytes.count - layout.data) / layout.cluster, &bytes)
    },
    Damage("a bad cluster", "1 clusters are marked as bad") { bytes, layout in
      layout.put(0xFF7, (bytes.count - layout.data) / layout.cluster, &bytes)
    },
    Damage("a chain into a free cluster", "runs into a free cluster") { $1.put(0, $1.cluster(loader, $0), &$0) },
    Damage("a chain into a bad cluster", "marked as bad") { $1.put(0xFF7, $1.cluster(loader, $0), &$0) },
    Damage("a chain out of the volume", "which does not exist") { $1.put(0xFE0, $1.cluster(loader, $0), &$0) },
    Damage("a chain into the reserved entries", "leads to cluster 1") { $1.put(1, $1.cluster(loader, $0), &$0) },
    Damage("two files in one cluster", "is taken already") {
      $0.put(UInt64($1.cluster(loader, $0)), 2, at: $1.entry("GRUBX64 EFI", $0) + 26)
    },
    Damage("a file of 64 KiB more", "has 1 clusters, and its 65542 bytes take") {
      $0[$1.entry("GRUBX64 EFI", $0) + 30] = 1
    },
    Damage("a size of zero", "and its 0 bytes take 0") { $0.put(0, 4, at: $1.entry("GRUBX64 EFI", $0) + 28) },
    Damage("a first cluster as in FAT32", "as in FAT32") { $0[$1.entry(loader, $0) + 20] = 1 },
    Damage("a directory with a size", "a directory with a size") { $0[$1.entry("EFI        ", $0) + 28] = 1 },
    Damage("a directory in the root's place", "which it cannot have") {
      $0.put(0, 2, at: $1.entry("BOOT       ", $0) + 26)
    },
    Damage("a directory that is its own parent", "/EFI/BOOT does not begin with itself and its parent") {
      let cluster = $1.cluster("BOOT       ", $0)
      $0.put(UInt64(cluster), 2, at: $1.data + (cluster - 2) * $1.cluster + 32 + 26)
    },
    Damage("a directory that holds itself", "it cannot have") {
      let cluster = $1.cluster("BOOT       ", $0)
      let place = $1.entry(loader, $0)
      $0[place + 11] = 0x10
      $0.put(UInt64(cluster), 2, at: place + 26)
    },
    Damage("a name twice", "/EFI/BOOT/BOOTX64.EFI is there twice") {
      let place = $1.entry("GRUBX64 EFI", $0)
      $0.replaceSubrange(place..<place + 11, with: loader.utf8)
      $0[place + 12] = 0
    },
    Damage("a character that no name has", "a short name is none") { $0[$1.entry(loader, $0) + 2] = 0x2A },
    Damage("small letters", "a short name is none") { $0[$1.entry(loader, $0)] = 0x62 },
    Damage("unknown attributes", "unknown attributes") { $0[$1.entry(loader, $0) + 11] = 0x40 },
    Damage("a label in a folder", "a volume's label outside") { $0[$1.entry(loader, $0) + 11] = 0x08 },
    Damage("a label that is a folder", "a label and a directory") { $0[$1.entry(loader, $0) + 11] = 0x18 },
    Damage("a long name's check sum", "a part of a long name is without") { $0[$1.entry(long, $0) - 32 + 13] ^= 1 },
    Damage("a long name of another file", "a long name belongs to no file") { $0[$1.entry(long, $0)] = 0x42 },
    Damage("a long name's first part is missing", "a long name belongs to no file") {
      $0[$1.entry(long, $0) - 32] = 0xE5
    },
    Damage("a long name's last part is missing", "a part of a long name is without") {
      let place = $1.entry(long, $0)
      let first = stride(from: place - 32, to: 0, by: -32).first { [bytes = $0] in bytes[$0] & 0x40 != 0 } ?? 0
      $0[first] = 0xE5
    },
    Damage("a long name with a slash", "a long name is none") { $0[$1.entry(long, $0) - 32 + 1] = 0x2F },
    Damage("a long name of another kind", "of an unknown kind") { $0[$1.entry(long, $0) - 32 + 12] = 1 },
    Damage("a long name with a zero in it", "a long name does not end as one") {
      $0.put(0, 2, at: $1.entry(long, $0) - 32 + 5)
    },
  ]

  @Test("damage to a volume is named", arguments: damages)
  func damaged(_ damage: Damage) async throws {
    var bytes = try await PartitionSample.shared.value.partition
    damage.apply(&bytes, Layout(bytes))
    let wrong = Self.read(bytes).wrong
    #expect(wrong.contains { $0.contains(damage.says) }, "found instead: \(wrong)")
  }
}

@Suite struct FATFuzzTests {
  @Test("any volume gives files that lie within it, or findings")
  func volumes() async throws {
    let sample = try await PartitionSample.shared.value.partition
    let layout = FATTests.Layout(sample)
    let directories = ["BOOT       ", "DEBIAN     ", "EFI        "].map { layout.cluster($0, sample) }
    let places =
      [11..<64, layout.tables..<layout.tables + 300, layout.root..<layout.root + 128]
      + directories.map { layout.data + ($0 - 2) * layout.cluster..<layout.data + ($0 - 2) * layout.cluster + 256 }
    let fault = Fuzzing.one(in: 4).firstFault { generator in
      var bytes = sample
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        guard let place = places.randomElement(using: &generator), place.upperBound <= bytes.count else { continue }
        bytes.replaceSubrange(place, with: [UInt8](bytes[place]).damaged(&generator))
      }
      var findings: [Finding] = []
      let volume = FATFileSystem.read(bytes, at: "efi", &findings)
      guard let members = volume?.members(at: "efi", &findings) else {
        return findings.isEmpty ? "no finding" : nil
      }
      for member in members where member.kind == .file && member.content.bytes?.count != member.content.size {
        return "\(member.path) lies outside"
      }
      return members.reduce(0) { $0 + $1.content.size } > bytes.count ? "more files than bytes" : nil
    }
    #expect(fault == nil)
  }
}
