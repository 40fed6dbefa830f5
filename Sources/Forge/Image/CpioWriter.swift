import Workshop

/// The date of everything in an image, so that no clock leaks in: the first second of 1980 in UTC, in seconds since
/// 1970. It is the earliest that every file system a person might copy an image to can hold (FAT's epoch).
public let imageDate: UInt32 = 315_532_800

/// Writes the manifest as a cpio archive in the "newc" format that the kernel unpacks
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
///
/// The same manifest gives the same bytes: inode numbers count up from 1, every date is `imageDate`, and names have no
/// leading slash; the root itself is `.`. Throws when a file cannot be read.
public func cpioArchive(of manifest: Manifest) throws -> [UInt8] {
  var archive: [UInt8] = []
  for (index, entry) in manifest.entries.enumerated() {
    let type: UInt32
    var content: [UInt8] = []
    var device: (major: UInt32, minor: UInt32) = (0, 0)
    switch entry.kind {
    case .file(let source):
      type = 0o100000
      content = try source.read()
    case .directory: type = 0o040000
    case .symbolicLink(let target):
      type = 0o120000
      content = [UInt8](target.utf8)
    case .characterDevice(let major, let minor):
      type = 0o020000
      device = (major, minor)
    }
    guard let size = UInt32(exactly: content.count) else {
      throw BuildError.input("\(entry.path) has \(content.count) bytes, more than a cpio archive can hold (4 GiB).")
    }
    append(
      header: CpioFields(
        inode: UInt32(index + 1), mode: type | UInt32(entry.mode), user: entry.owner.user, group: entry.owner.group,
        links: entry.kind == .directory ? 2 : 1, date: imageDate, size: size, device: device),
      name: entry.path == "/" ? [0x2E] : [UInt8](entry.path.utf8.dropFirst()), content: content, to: &archive)
  }
  append(
    header: CpioFields(inode: 0, mode: 0, user: 0, group: 0, links: 1, date: 0, size: 0, device: (0, 0)),
    name: cpioTrailer, content: [], to: &archive)
  return archive
}

/// The name of the last record.
let cpioTrailer = [UInt8]("TRAILER!!!".utf8)

struct CpioFields {
  var inode, mode, user, group, links, date, size: UInt32
  var device: (major: UInt32, minor: UInt32)
}

private func append(header: CpioFields, name: [UInt8], content: [UInt8], to archive: inout [UInt8]) {
  archive += "070701".utf8
  let fields = [
    header.inode, header.mode, header.user, header.group, header.links, header.date, header.size,
    0, 0,  // The device that the file was on.
    header.device.major, header.device.minor,
    UInt32(name.count + 1),
    0,  // A check sum, which only the format 070702 has.
  ]
  for field in fields {
    let digits = String(field, radix: 16)
    archive += String(repeating: "0", count: 8 - digits.utf8.count).utf8
    archive += digits.utf8
  }
  archive += name
  archive.append(0)
  pad(&archive)
  archive += content
  pad(&archive)
}

/// Names and contents each end on a multiple of four bytes.
private func pad(_ archive: inout [UInt8]) {
  while archive.count % 4 != 0 { archive.append(0) }
}

extension Entry.Content {
  /// The whole content. Throws `BuildError.file` when it cannot be read.
  public func read() throws -> [UInt8] {
    switch self {
    case .bytes(let bytes): bytes
    case .file(let path): try contents(of: path)
    }
  }
}
