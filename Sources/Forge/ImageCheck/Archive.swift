import CArchive

/// One thing in a CD image or a cpio archive, as libarchive reads it.
struct Member: Equatable {
  enum Kind: String {
    case file, directory, symbolicLink = "symbolic link", characterDevice = "character device"
    case other = "special file"
  }

  /// Absolute: `/bin/busybox`. The root itself is `/`.
  var path: String
  var kind: Kind
  /// Permission bits with setuid, setgid and sticky.
  var mode: UInt16
  var user: Int64
  var group: Int64
  var target: String?
  /// Major and minor number.
  var device: [UInt32]?
  var content: [UInt8]
}

/// What libarchive says when it cannot go on.
struct ArchiveError: Error { var reason: String }

/// More than this many bytes of content are refused: a damaged size must not fill the memory.
private let largestContent = 512 << 20

/// Lists a CD image's files with their bytes. Total: any bytes give members or an error.
///
/// `plain`: by the names that every reader of CDs knows, without Rock Ridge.
func readCD(_ image: [UInt8], plain: Bool = false) throws(ArchiveError) -> [Member] {
  try withReader(
    image,
    { reader in
      let status = archive_read_support_format_iso9660(reader)
      return plain ? archive_read_set_options(reader, "iso9660:!rockridge") : status
    }
  ) { reader throws(ArchiveError) in
    try members(of: reader)
  }
}

/// Decompresses one or several XZ streams. Total: any bytes give the content or an error.
func decompressed(_ bytes: [UInt8]) throws(ArchiveError) -> [UInt8] {
  try withReader(
    bytes,
    { reader in
      _ = archive_read_support_filter_xz(reader)
      return archive_read_support_format_raw(reader)
    }
  ) { reader throws(ArchiveError) in
    var entry: OpaquePointer?
    try check(archive_read_next_header(reader, &entry), reader)
    let content = try content(of: reader, limit: largestContent)
    // Without a filter libarchive passes anything through as it is.
    guard archive_filter_code(reader, 0) == ARCHIVE_FILTER_XZ else { throw ArchiveError(reason: "it is not XZ") }
    return content
  }
}

/// Lists a cpio archive, or several that follow each other with only zeros between, as the kernel does.
func readCpioArchives(_ bytes: [UInt8]) throws(ArchiveError) -> [Member] {
  var all: [Member] = []
  var rest = bytes
  repeat {
    guard rest.has("070701", at: 0) else {
      throw ArchiveError(reason: "\(rest.count) bytes before its end are no cpio archive")
    }
    let (found, trailer) = try withReader(rest, { archive_read_support_format_cpio($0) }) {
      reader throws(ArchiveError) in
      let found = try members(of: reader)
      return (found, Int(archive_read_header_position(reader)))
    }
    all += found
    // The last header is the trailer's: 110 bytes and its name with a zero byte, filled up to a multiple of four.
    guard rest.has("070701", at: trailer), rest.has("TRAILER!!!", at: trailer + 110) else {
      throw ArchiveError(reason: "the cpio archive has no trailer")
    }
    let next = trailer + 124
    rest = next < rest.count ? [UInt8](rest[next...].drop { $0 == 0 }) : []
  } while !rest.isEmpty
  return all
}

private func withReader<Result>(
  _ bytes: [UInt8], _ support: (OpaquePointer) -> Int32,
  _ body: (OpaquePointer) throws(ArchiveError) -> Result
) throws(ArchiveError) -> Result {
  guard let reader = archive_read_new() else { throw ArchiveError(reason: "libarchive has no memory") }
  defer { archive_read_free(reader) }
  _ = support(reader)
  let outcome = bytes.withUnsafeBytes { buffer -> Swift.Result<Result, ArchiveError> in
    do throws(ArchiveError) {
      try check(archive_read_open_memory(reader, buffer.baseAddress, buffer.count), reader)
      return .success(try body(reader))
    } catch {
      return .failure(error)
    }
  }
  return try outcome.get()
}

private func check(_ status: Int32, _ reader: OpaquePointer) throws(ArchiveError) {
  guard status == ARCHIVE_OK else { throw failure(reader) }
}

private func failure(_ reader: OpaquePointer) -> ArchiveError {
  ArchiveError(reason: archive_error_string(reader).map { String(cString: $0) } ?? "it ends too early")
}

private func members(of reader: OpaquePointer) throws(ArchiveError) -> [Member] {
  var all: [Member] = []
  var room = largestContent
  while true {
    var entry: OpaquePointer?
    let status = archive_read_next_header(reader, &entry)
    if status == ARCHIVE_EOF { return all }
    guard status == ARCHIVE_OK, let entry else { throw failure(reader) }
    var member = Member(
      path: absolute(archive_entry_pathname(entry).map { String(cString: $0) } ?? ""), kind: .other,
      mode: UInt16(truncatingIfNeeded: archive_entry_perm(entry)), user: archive_entry_uid(entry),
      group: archive_entry_gid(entry), content: [])
    switch archive_entry_filetype(entry) & 0o170000 {
    case 0o100000: member.kind = .file
    case 0o040000: member.kind = .directory
    case 0o120000:
      member.kind = .symbolicLink
      member.target = archive_entry_symlink(entry).map { String(cString: $0) }
    case 0o020000:
      member.kind = .characterDevice
      member.device = [archive_entry_rdevmajor(entry), archive_entry_rdevminor(entry)].map {
        UInt32(truncatingIfNeeded: $0)
      }
    default: member.kind = .other
    }
    if let other = archive_entry_hardlink(entry) {
      // Two names of one file: it has been read already.
      let path = absolute(String(cString: other))
      member.kind = .file
      member.content = all.last { $0.path == path }?.content ?? []
    } else if member.kind == .file {
      member.content = try content(of: reader, limit: room)
      room -= member.content.count
      guard Int64(member.content.count) == archive_entry_size(entry) else {
        throw ArchiveError(reason: "\(member.path) ends too early")
      }
    }
    all.append(member)
    guard all.count <= 100_000 else { throw ArchiveError(reason: "it has more than 100,000 members") }
  }
}

private func content(of reader: OpaquePointer, limit: Int) throws(ArchiveError) -> [UInt8] {
  var out: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 18)
  while true {
    let count = buffer.withUnsafeMutableBytes { archive_read_data(reader, $0.baseAddress, $0.count) }
    if count == 0 { return out }
    guard count > 0 else { throw failure(reader) }
    guard out.count + count <= limit else {
      throw ArchiveError(reason: "it unpacks to more than \(largestContent) bytes")
    }
    out.append(contentsOf: buffer[..<count])
  }
}

/// A path as the manifest writes it.
private func absolute(_ path: String) -> String {
  "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
}
