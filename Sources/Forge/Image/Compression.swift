import SystemPackage
import Workshop

/// Compresses a root archive for the kernel's unpacker (lib/xz; Documentation/staging/xz.rst).
///
/// The unpacker knows no check sum but CRC32, and takes the dictionary's size from memory beside the archive and what
/// is unpacked from it: a large dictionary makes a small computer find no init. The filter for x86 programs (the kernel's
/// CONFIG_XZ_DEC_X86) makes the root 6 % smaller; gzip or zstd makes it no smaller. A dictionary of 1 MiB
/// makes the archive 4 % smaller than one of 512 KiB, and with it a computer of 16 MB runs out of memory while it
/// unpacks.
///
/// Throws `BuildError` when xz is missing or fails.
func compressed(_ archive: FilePath) async throws -> [UInt8] {
  try await Command(
    "xz",
    [
      "--compress",
      "--stdout",
      "--format=xz",
      "--check=crc32",
      "--x86",
      "--lzma2=preset=9e,dict=\(rootDictionary)",
      "--threads=1",
      "--no-warn",
      archive.string,
    ], environment: plainEnvironment
  ).output()
}

/// Bytes that unpacking looks back over.
public let rootDictionary = 1 << 19

/// Takes out of a program's environment what would change its output from one computer to another.
let plainEnvironment: [String: String?] = [
  "LC_ALL": "C", "TZ": "UTC", "SOURCE_DATE_EPOCH": "\(imageDate)", "XZ_OPT": nil, "XZ_DEFAULTS": nil,
]
