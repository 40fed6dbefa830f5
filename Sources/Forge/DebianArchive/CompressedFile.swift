import CArchive
import Foundation
import SystemPackage
import Workshop

/// What a file or a part of one holds once it is unpacked, by libarchive: xz, zstd, gzip, bzip2, lz4, lzma, lzo, or as it
/// is. Throws a sentence when it cannot be unpacked, or is larger than `limit` bytes then.
///
/// - Parameter place: what the sentence calls it.
public func uncompressed(_ bytes: [UInt8], from place: String, limit: Int = 1 << 29) throws -> [UInt8] {
  guard let reader = archive_read_new() else { throw BuildError.input("libarchive has no memory to read \(place).") }
  defer { archive_read_free(reader) }
  func failure() -> BuildError {
    let reason = archive_error_string(reader).map { String(cString: $0) } ?? "it ends too early"
    return .input("\(place) cannot be unpacked: \(reason). Copy it again.")
  }
  archive_read_support_format_raw(reader)
  archive_read_support_format_empty(reader)
  archive_read_support_filter_all(reader)
  return try bytes.withUnsafeBytes { bytes in
    var entry: OpaquePointer?
    guard archive_read_open_memory(reader, bytes.baseAddress, bytes.count) == ARCHIVE_OK else { throw failure() }
    let status = archive_read_next_header(reader, &entry)
    if status == ARCHIVE_EOF { return [] }
    guard status == ARCHIVE_OK else { throw failure() }
    var out: [UInt8] = []
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { piece.deallocate() }
    while true {
      let count = archive_read_data(reader, piece.baseAddress, piece.count)
      if count == 0 { return out }
      guard count > 0 else { throw failure() }
      guard out.count + count <= limit else {
        throw BuildError.input("\(place) is larger than \(limit >> 20) MiB when it is unpacked, and nothing here is.")
      }
      out.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
  }
}

/// The endings of files that `uncompressed` is asked for: a module `igb.ko.xz`, firmware `tg3.bin.zst`.
public let compressedEndings = [".xz", ".zst", ".gz"]
