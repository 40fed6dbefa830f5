import SystemPackage
import Target
import Workshop

/// Compresses a root archive for the kernel's unpacker, which knows no check sum but CRC32, and appends it to a file that
/// is open. Throws `BuildError` when xz is missing or fails.
func compress(_ archive: FilePath, _ compression: RootCompression, to file: FileDescriptor) async throws {
  try await Command(
    "xz",
    [
      "--compress",
      "--stdout",
      "--format=xz",
      "--check=crc32",
    ] + compression.filters.map(\.option) + [
      "--lzma2=preset=9e,dict=\(compression.dictionary)",
      "--threads=1",
      "--no-warn",
      archive.string,
    ], environment: plainEnvironment
  ).output(to: file)
}

/// Removes from a program's environment what would change its output from one computer to another.
let plainEnvironment: [String: String?] = [
  "LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": "\(imageDate)", "XZ_OPT": nil, "XZ_DEFAULTS": nil,
]
