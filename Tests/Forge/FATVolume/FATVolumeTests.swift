import Foundation
import SystemPackage
import Testing
import Workshop

@testable import FATVolume

@Suite struct FATVolumeTests {
  private func withVolume<Result>(
    _ files: [(path: String, content: [UInt8])], _ body: (FilePath) async throws -> Result
  ) async throws -> Result {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let file = folder.appending("volume")
      try await write(FATVolume(label: "DRONE", files: files).bytes(), to: file)
      return try await body(file)
    }
  }

  private static let sample: [(path: String, content: [UInt8])] = [
    ("/EFI/BOOT/B.EFI", [UInt8](repeating: 0x42, count: 513)), ("/C.CFG", [UInt8]("menu\n".utf8)), ("/EMPTY", []),
  ]

  /// Sectors of the sample: 1 of boot, 2 × 17 of tables, 32 of the top folder, 4101 clusters, filled up to 4168.
  private static let bootSector: [UInt8] =
    [
      0xEB, 0x3C, 0x90,  // BS_jmpBoot: over the fields
    ] + [UInt8]("MSDOS5.0".utf8) + [  // BS_OEMName
      0x00, 0x02,  // BPB_BytsPerSec: 512
      0x01,  // BPB_SecPerClus
      0x01, 0x00,  // BPB_RsvdSecCnt
      0x02,  // BPB_NumFATs
      0x00, 0x02,  // BPB_RootEntCnt: 512
      0x48, 0x10,  // BPB_TotSec16: 4168
      0xF8,  // BPB_Media: fixed
      0x11, 0x00,  // BPB_FATSz16: 17
      0x20, 0x00,  // BPB_SecPerTrk: 32
      0x40, 0x00,  // BPB_NumHeads: 64
      0x00, 0x00, 0x00, 0x00,  // BPB_HiddSec
      0x00, 0x00, 0x00, 0x00,  // BPB_TotSec32: it fits into 16 bits
      0x80,  // BS_DrvNum
      0x00,  // BS_Reserved1
      0x29,  // BS_BootSig: the next three are there
      0x4E, 0x4F, 0x52, 0x44,  // BS_VolID
    ] + [UInt8]("DRONE      ".utf8)  // BS_VolLab
    + [UInt8]("FAT16   ".utf8)  // BS_FilSysType
    + [0xCD, 0x18, 0xEB, 0xFE]  // INT 18h, and a loop

  private static let table: [UInt8] = [
    0xF8, 0xFF,  // the medium's byte
    0xFF, 0xFF,  // in order
    0xFF, 0xFF,  // 2: /C.CFG
    0xFF, 0xFF,  // 3: /EFI; the empty file has none
    0xFF, 0xFF,  // 4: /EFI/BOOT
    0x06, 0x00,  // 5: /EFI/BOOT/B.EFI
    0xFF, 0xFF,  // 6: its end
    0x00, 0x00,  // free
  ]

  private static func entry(_ name: String, _ attributes: UInt8, cluster: UInt8, size: UInt16) -> [UInt8] {
    [UInt8](name.utf8) + [
      attributes,  // DIR_Attr
      0x00,  // DIR_NTRes
      0x00,  // DIR_CrtTimeTenth
      0x00, 0x00, 0x21, 0x00,  // DIR_CrtTime, DIR_CrtDate: midnight of 1 January 1980
      0x21, 0x00,  // DIR_LstAccDate
      0x00, 0x00,  // DIR_FstClusHI
      0x00, 0x00, 0x21, 0x00,  // DIR_WrtTime, DIR_WrtDate
      cluster, 0x00,  // DIR_FstClusLO
      UInt8(size & 0xFF), UInt8(size >> 8), 0x00, 0x00,  // DIR_FileSize
    ]
  }

  @Test("each field stands where the specification has it")
  func golden() throws {
    let bytes = try FATVolume(label: "DRONE", files: Self.sample).bytes()
    func begins(_ sector: Int, _ expected: [UInt8]) -> Bool {
      bytes[(sector * 512)...].prefix(expected.count).elementsEqual(expected)
    }
    #expect(bytes.count == 4168 * 512)
    #expect(begins(0, Self.bootSector))
    #expect(Array(bytes[510..<512]) == [0x55, 0xAA])
    #expect(begins(1, Self.table))
    #expect(bytes[512..<(18 * 512)] == bytes[(18 * 512)..<(35 * 512)])
    let top =
      Self.entry("DRONE      ", 0x08, cluster: 0, size: 0) + Self.entry("C       CFG", 0x21, cluster: 2, size: 5)
      + Self.entry("EFI        ", 0x10, cluster: 3, size: 0) + Self.entry("EMPTY      ", 0x21, cluster: 0, size: 0)
    #expect(begins(35, top + [0]))
    // Cluster 2 is sector 67.
    #expect(begins(67, [UInt8]("menu\n".utf8) + [0]))
    #expect(
      begins(
        68,
        Self.entry(".          ", 0x10, cluster: 3, size: 0) + Self.entry("..         ", 0x10, cluster: 0, size: 0)
          + Self.entry("BOOT       ", 0x10, cluster: 4, size: 0) + [0]))
    #expect(
      begins(
        69,
        Self.entry(".          ", 0x10, cluster: 4, size: 0) + Self.entry("..         ", 0x10, cluster: 3, size: 0)
          + Self.entry("B       EFI", 0x21, cluster: 5, size: 513) + [0]))
    #expect(begins(70, [UInt8](repeating: 0x42, count: 513) + [0]))
    #expect(bytes[(72 * 512)...].allSatisfy { $0 == 0 })
  }

  @Test("the order in which files are named makes no difference")
  func order() throws {
    let one = try FATVolume(label: "DRONE", files: Self.sample).bytes()
    #expect(try FATVolume(label: "DRONE", files: Self.sample.reversed()).bytes() == one)
  }

  /// Some files fill several clusters, and one folder more than one.
  private static let many: [(path: String, content: [UInt8])] =
    sample
    + (0..<40).map { number in
      ("/MANY/N\(number).\(number % 10)", (0..<(number * 700)).map { UInt8(truncatingIfNeeded: $0 &* 7 + number) })
    }

  @Test("fsck.fat finds nothing to repair", arguments: [0, 1, 2])
  func fsck(_ kind: Int) async throws {
    let files = [[], Self.sample, Self.many][kind]
    try await withVolume(files) { volume in
      let said = try await tool("/usr/sbin/fsck.fat", ["-n", "-v", volume.string]).output()
      let text = String(decoding: said, as: UTF8.self)
      // It counts folders and the label as well.
      let count = files.count + [0, 2, 3][kind] + 1
      #expect(text.contains("16 bit") && text.contains("volume: \(count) files"), "\(text)")
    }
  }

  @Test("mtools reads every file back, and finds no other")
  func mtools() async throws {
    try await withVolume(Self.many) { volume in
      let listing = try await tool("mdir", ["-/", "-b", "-i", volume.string, "::"]).output()
      let names = String(decoding: listing, as: UTF8.self).split(separator: "\n").map { $0.dropFirst(2) }
      #expect(Set(names.filter { !$0.hasSuffix("/") }.map(String.init)) == Set(Self.many.map(\.path)))
      for (path, content) in Self.many {
        #expect(try await tool("mtype", ["-i", volume.string, "::\(path)"]).output() == content, "\(path)")
      }
    }
  }

  static let refused: [(String, [(path: String, content: [UInt8])], String)] = [
    ("DRONE", [("/grub.cfg", [])], "up to 8 capitals or digits"),
    ("DRONE", [("/LONGNAME9", [])], "up to 8 capitals or digits"),
    ("DRONE", [("/A.LONG", [])], "up to 3 behind a dot"),
    ("DRONE", [("/A.B.C", [])], "up to 3 behind a dot"),
    ("DRONE", [("/A.", [])], "cannot be on a FAT volume"),
    ("DRONE", [("/.A", [])], "cannot be on a FAT volume"),
    ("DRONE", [("/A/../B", [])], "cannot be on a FAT volume"),
    ("DRONE", [("/A//B", [])], "cannot be on a FAT volume"),
    ("DRONE", [("/", [])], "cannot be on a FAT volume"),
    ("DRONE", [("/É", [])], "cannot be on a FAT volume"),
    ("DRONE", [("A", [])], "is not an absolute path"),
    ("DRONE", [("", [])], "is not an absolute path"),
    ("DRONE", [("/A", []), ("/A", [])], "/A is there already"),
    ("DRONE", [("/A", []), ("/A/B", [])], "/A is there already"),
    ("DRONE", [("/A/B", []), ("/A", [])], "/A is there already"),
    ("DRONE", (0..<512).map { ("/N\($0)", []) }, "room for 511 names"),
    ("DRONE", [("/A", [UInt8](repeating: 0, count: 33 << 20))], "at most 65535"),
    ("", [], "cannot name a FAT volume"),
    ("TWELVELETTER", [], "cannot name a FAT volume"),
    ("drone", [], "cannot name a FAT volume"),
  ]

  @Test("what FAT cannot have is one sentence", arguments: refused.indices)
  func refusals(_ number: Int) {
    let (label, files, says) = Self.refused[number]
    let error = #expect(throws: BuildError.self) { try FATVolume(label: label, files: files).bytes() }
    #expect(error.map { "\($0)".contains(says) } == true, "it says: \(error.map { "\($0)" } ?? "")")
  }

  /// 256 entries fill a sector of the table: around such a number of clusters the sectors that are left over count.
  @Test("the table has an entry for every cluster, those that are left over too", arguments: [18, 177, 253])
  func everyCluster(_ sectors: Int) throws {
    for clusters in (256 * sectors - 8)...(256 * sectors + 2) {
      let content = [UInt8](repeating: 1, count: clusters * 512)
      let bytes = try FATVolume(label: "D", files: [("/A", content)]).bytes()
      let table = Int(bytes[22]) | Int(bytes[23]) << 8
      let data = bytes.count / 512 - 1 - 2 * table - 32
      #expect(data >= clusters && (data + 2) * 2 <= table * 512, "\(clusters)")
    }
  }

  @Test("a volume can be as large as its boot sector can say")
  func largest() throws {
    // 65532 sectors, of which 1 + 2 × 254 + 32 hold no content.
    let content = [UInt8](repeating: 1, count: (65532 - 541) * 512)
    #expect(try FATVolume(label: "D", files: [("/A", content)]).bytes().count == 65532 * 512)
  }
}
