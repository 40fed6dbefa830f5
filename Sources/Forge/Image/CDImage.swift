import SystemPackage
import Target
import Workshop

/// The CD's boot catalogue, which its writer makes.
public let bootCataloguePath = "/isolinux/boot.cat"

/// Writes the files below `tree` as a CD image that boots in these ways, from a CD and as a disk.
///
/// El Torito without emulation, Rock Ridge for the names as they are written, and a first sector that finds the boot loader
/// when the image lies on a disk. The same tree and partition give the same bytes. Throws `BuildError` when xorriso is missing or fails.
///
/// - Parameter partition: the EFI system partition's volume, for the ways that have one.
func writeCD(_ tree: FilePath, partition: FilePath, bootWays: [BootWay], to image: FilePath) async throws {
  let date = "1980010100000000"  // imageDate, as ECMA-119 writes it.
  _ = try await tool(
    "xorriso",
    [
      "-no_rc",  // First: the user's own configuration stays out.
      "-as", "mkisofs",
      "-quiet",
      "-o", image.string,
      "-V", "DRONE",
      "--modification-date=\(date)",
      "--set_all_file_dates", "set_to_mtime",
      "-uid", "0",
      "-gid", "0",
      "-dir-mode", "0755",
      "-file-mode", "0644",
      "-c", String(bootCataloguePath.dropFirst()),
    ] + bootWays.map { $0.writerWords(partition: partition) }.joined(separator: ["-eltorito-alt-boot"]) + [
      "-no-pad",
      tree.string,
    ], environment: ["SOURCE_DATE_EPOCH": "\(imageDate)"]
  ).output()
}
