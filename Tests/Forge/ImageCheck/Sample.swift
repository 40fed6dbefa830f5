import Foundation
import SystemPackage
import Target
import TestSupport
import Testing
import Workshop

@testable import Image
@testable import ImageCheck

/// Runs `body` with an empty folder that is gone afterwards.
func withFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
  let folder = FilePath(NSTemporaryDirectory()).appending("image-check-\(UUID())")
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  return try await body(folder)
}

/// A small but complete image: the real boot loader and boot configuration, a root with programs that the toolchain made,
/// and a kernel that has a header and no more.
struct Sample: Sendable {
  var cd: [UInt8]
  var cdBill: BillOfMaterials
  /// The archive in the image, and the manifest that it was made from.
  var archive: [UInt8]
  var root: Manifest

  /// Built once for all tests.
  static let shared = Task {
    try await withFolder { folder in
      let parts = try await sampleParts(in: folder)
      let image = try await buildImage(.cd, from: parts, in: folder)
      let bytes = try contents(of: image.path)
      let archive = try readCD(bytes, shelf: Shelf()).first { $0.path == "/chaos/chaos.rdz" }
      // Its files are bytes from here on, since the folder goes.
      let root = try Manifest(root: parts.drones[0].root).resolved().sealed().inMemory
      return Sample(
        cd: bytes, cdBill: try BillOfMaterials(json: contents(of: image.bill)), archive: archive?.content.bytes ?? [],
        root: root)
    }
  }
}

/// What the sample is made from, in `folder`.
func sampleParts(in folder: FilePath) async throws -> ImageParts {
  let files = folder.appending("rootfs")
  try makeFolder(files.appending("etc"))
  try await write("root::0:0:root:/root:/bin/sh\n".utf8, to: files.appending("etc").appending("passwd"))
  try await write(program("movl $1, %eax"), to: folder.appending("program"))
  try await write(program("movl $2, %eax"), to: folder.appending("busybox"))
  try await write(sampleKernel(), to: folder.appending("bzImage"))
  let drone = DroneParts(
    .i586,
    root: RootParts(
      programs: [
        DroneProgram(
          ProgramPlace(product: "init", path: "/sbin/init", links: ["/bin/fix_hosts"]),
          stripped: folder.appending("program"), unstripped: folder.appending("program"))
      ],
      busybox: SuppliedFile(folder.appending("busybox"), from: .given),
      applets: ["/bin/sh", "/bin/ls"], files: files),
    kernel: SuppliedFile(folder.appending("bzImage"), from: .given))
  return ImageParts(.i586, of: [drone], bootFiles: checkout.appending("isolinux"), sources: [])
}

/// A static program whose function `odd` begins with `assembly`.
func program(
  _ assembly: String, target: String = DroneTarget.i586.clangTriple, linking: [String] = ["-static"]
) async throws -> [UInt8] {
  try await withFolder { folder in
    let source = folder.appending("source.S")
    let output = folder.appending("program")
    let text = """
      .section .note.GNU-stack,"",@progbits
      .text
      .globl _start
      .type _start,@function
      _start: call odd
      int $0x80
      .globl odd
      .type odd,@function
      odd: \(assembly)
      ret

      """
    try await write(text.utf8, to: source)
    _ = try await Command(
      "clang",
      ["-target", target, "-nostdlib", "-fuse-ld=lld"] + linking + ["-o", output.string, source.string]
    ).output()
    return try contents(of: output)
  }
}

/// A file with a bzImage's header, field by field as Documentation/arch/x86/boot.rst has them, and zeros for the rest.
func sampleKernel(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 512 * 5 + 4096)
  bytes.put(4, 1, at: 0x1F1)  // setup_sects: five sectors with the first
  bytes.put(4096 / 16, 4, at: 0x1F4)  // syssize
  bytes.put(0xAA55, 2, at: 0x1FE)  // boot_flag
  bytes.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
  bytes.put(0x020F, 2, at: 0x206)  // version
  bytes.put(0x600, 2, at: 0x20E)  // kernel_version, less 0x200
  bytes.replaceSubrange(0x800..<0x80B, with: "6.1.0 small".utf8)
  bytes.put(1, 1, at: 0x211)  // loadflags: LOADED_HIGH
  bytes.put(16, 4, at: 0x248)  // payload_offset
  bytes.put(4000, 4, at: 0x24C)  // payload_length
  bytes.put(8 << 20, 4, at: 0x260)  // init_size
  bytes.replaceSubrange(2576..<2582, with: XZStream.magic)
  change(&bytes)
  return bytes
}

extension [UInt8] {
  /// Writes a number, the low byte first.
  mutating func put(_ value: UInt64, _ width: Int, at offset: Int) {
    for index in 0..<width { self[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
  }

  /// Where `other` begins.
  func offset(of other: [UInt8]) -> Int? {
    guard let first = other.first, other.count <= count else { return nil }
    var start = 0
    while let found = self[start...].firstIndex(of: first), found + other.count <= count {
      if self[found..<(found + other.count)].elementsEqual(other) { return found }
      start = found + 1
    }
    return nil
  }
}

/// Compresses as `xz` does with these options.
func xz(_ bytes: [UInt8], _ options: [String]) async throws -> [UInt8] {
  try await withFolder { folder in
    let file = folder.appending("plain")
    try await write(bytes, to: file)
    return try await Command("xz", ["--compress", "--stdout"] + options + [file.string]).output()
  }
}

/// As the image's root is compressed.
let rootOptions = ["--check=crc32", "--lzma2=preset=6,dict=1MiB"]

extension Manifest {
  /// Entries for the bill.
  var items: [BillOfMaterials.Item] { get throws { try resolved().entries.map { try .init($0) } } }

  /// With a baseline for what it is now.
  var resealed: Manifest { get throws { try changing("/etc/baseline") { _ in nil }.resolved().sealed().inMemory } }

  /// With the entry at `path` changed, or taken out when `change` gives nil.
  func changing(_ path: String, _ change: (Entry) -> Entry?) throws -> Manifest {
    try Manifest(entries.compactMap { $0.path == path ? change($0) : $0 })
  }
}

extension Member {
  init(path: String, kind: Kind, mode: UInt16, user: Int64, group: Int64, content: [UInt8]) {
    self.init(path: path, kind: kind, mode: mode, user: user, group: group, content: Content(content))
  }
}

/// All that an archive unpacks to.
func decompressed(_ archive: [UInt8]) throws(ArchiveError) -> [UInt8] {
  let unpacker = try Unpacker(archive)
  var all: [UInt8] = []
  while case let piece = try unpacker.next(), !piece.isEmpty { all += piece }
  return all
}

extension ResolvedManifest {
  /// The same with every file's content in the manifest itself.
  fileprivate var inMemory: Manifest {
    get throws {
      try Manifest(
        entries.map { resolved in
          let entry = resolved.entry
          guard let content = resolved.content else { return entry }
          return Entry(
            path: entry.path, kind: .file(.bytes(try content.bytes())), mode: entry.mode, owner: entry.owner,
            why: entry.why)
        })
    }
  }
}

extension Sample {
  /// The checks of a bill with another root.
  func check(_ items: [BillOfMaterials.Item]) throws -> ImageCheck {
    var bill = cdBill
    bill.drones[0].root = items
    return ImageCheck(target: .i586, bill: bill)
  }
}

extension ImageCheck {
  /// The check of the image's first drone.
  var drone: DroneCheck {
    get throws {
      let bill = try #require(bill.drones.first)
      return try #require(DroneCheck(of: .i586, as: bill, at: .standard, in: self))
    }
  }
}
