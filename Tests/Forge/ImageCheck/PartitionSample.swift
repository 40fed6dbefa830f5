import SystemPackage
import TestSupport
import Workshop

@testable import ImageCheck

/// A CD image with an appended EFI partition, as xorriso makes it: MBR, GPT, two boot loaders.
struct PartitionSample: Sendable {
  var image: [UInt8]
  /// The EFI partition's bytes.
  var partition: [UInt8]

  static let shared = Task {
    try await withFolder { folder in
      let partition = try await fatVolume(in: folder)
      return PartitionSample(image: try await image(with: partition, in: folder), partition: partition)
    }
  }

  /// xorriso's words for a partition that GPT and boot catalogue name.
  static let gptWords = ["-append_partition", "2", "0xef", "efi.img", "-appended_part_as_gpt"]

  static func image(
    with partition: [UInt8], _ words: [String] = gptWords, in folder: FilePath
  ) async throws -> [UInt8] {
    let tree = folder.appending("tree")
    try makeFolder(tree.appending("isolinux"))
    try await write(contents(of: "/usr/lib/ISOLINUX/isolinux.bin"), to: tree.appending("isolinux/isolinux.bin"))
    try await write(partition, to: folder.appending("efi.img"))
    _ = try await Command(
      "xorriso",
      [
        "-no_rc", "-as", "mkisofs", "-quiet", "-o", folder.appending("out.iso").string, "-c", "isolinux/boot.cat",
        "-b", "isolinux/isolinux.bin", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
        "-isohybrid-mbr", "/usr/lib/ISOLINUX/isohdpfx.bin", "-partition_cyl_align", "off", "-eltorito-alt-boot",
        "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
      ] + words.map { $0 == "efi.img" ? folder.appending("efi.img").string : $0 } + ["-no-pad", tree.string]
    ).output()
    return try contents(of: folder.appending("out.iso"))
  }
}

/// Files that a FAT volume of the tests has: short and long names, two folders, an empty file, one of many clusters.
let fatFiles: [(path: String, content: [UInt8])] = [
  ("/EFI/BOOT/BOOTX64.EFI", (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }),
  ("/EFI/BOOT/grubx64.efi", [UInt8]("second".utf8)),
  ("/EFI/debian/a name that is longer than twenty-six characters.txt", [UInt8]("long\n".utf8)),
  ("/empty", []),
]

/// A volume by mkfs.fat and mtools with `fatFiles`, the last one in clusters that do not follow each other.
func fatVolume(_ options: [String] = ["-F", "12"], kibibytes: Int = 256, in folder: FilePath) async throws -> [UInt8] {
  let volume = folder.appending("volume.img")
  let file = folder.appending("file")
  try await write([UInt8](repeating: 0, count: kibibytes << 10), to: volume)
  func run(_ tool: String, _ words: [String]) async throws { _ = try await Command(tool, words).output() }
  try await run("/sbin/mkfs.fat", options + ["-i", "1234ABCD", volume.string])
  try await run("mmd", ["-i", volume.string, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"])
  // What is removed leaves a hole, over which the next file lies in two parts.
  try await write([UInt8](repeating: 1, count: 5000), to: file)
  try await run("mcopy", ["-i", volume.string, file.string, "::/hole"])
  try await write([2], to: file)
  try await run("mcopy", ["-i", volume.string, file.string, "::/behind"])
  try await run("mdel", ["-i", volume.string, "::/hole"])
  for (path, content) in fatFiles {
    try await write(content, to: file)
    try await run("mcopy", ["-i", volume.string, file.string, "::\(path)"])
  }
  try await run("mdel", ["-i", volume.string, "::/behind"])
  return try contents(of: volume)
}
