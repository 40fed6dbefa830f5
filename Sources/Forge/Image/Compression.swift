import SystemPackage
import Target
import Workshop

/// Compresses a root archive for the kernel's unpacker, which knows no check sum but CRC32, and appends it to a file that
/// is open. Throws `BuildError` when xz is missing or fails.
func compress(_ archive: FilePath, _ compression: RootCompression, to file: FileDescriptor) async throws {
  try await tool("xz", compression.options + [archive.string]).output(to: file)
}

extension RootCompression {
  /// What xz(1) is told.
  var options: [String] {
    ["--compress", "--stdout", "--format=xz", "--check=crc32"] + filters.map(\.option)
      + ["--lzma2=preset=9e,dict=\(dictionary)", "--threads=1", "--no-warn"]
  }
}
