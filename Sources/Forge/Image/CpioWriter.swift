import SystemPackage
import Workshop

/// The date of everything in an image, so that no clock leaks in: the first second of 1980 in UTC, in seconds since
/// 1970. It is the earliest that every file system a person might copy an image to can hold (FAT's epoch).
public let imageDate: UInt32 = 315_532_800

/// Writes the manifest as a cpio archive in the "newc" format that the kernel unpacks
/// (Documentation/driver-api/early-userspace/buffer-format.rst), and hands it to `write` piece by piece.
///
/// The same manifest gives the same bytes: inode numbers count up from 1, every date is `imageDate`, and names have no
/// leading slash; the root itself is `.`. Throws when a file is no longer what was resolved, or too large.
func writeCpio(_ manifest: ResolvedManifest, _ write: (UnsafeRawBufferPointer) throws -> Void) throws {
  for (index, resolved) in manifest.entries.enumerated() {
    let entry = resolved.entry
    let type: UInt32
    var target: [UInt8] = []
    var device: (major: UInt32, minor: UInt32) = (0, 0)
    switch entry.kind {
    case .file: type = 0o100000
    case .directory: type = 0o040000
    case .symbolicLink(let path):
      type = 0o120000
      target = [UInt8](path.utf8)
    case .characterDevice(let major, let minor):
      type = 0o020000
      device = (major, minor)
    }
    let count = resolved.content?.size ?? target.count
    guard let size = UInt32(exactly: count) else {
      throw BuildError.input("\(entry.path) has \(count) bytes, more than a cpio archive can hold (4 GiB).")
    }
    let header = CpioHeader(
      inode: UInt32(index + 1), mode: type | UInt32(entry.mode), user: entry.owner.user, group: entry.owner.group,
      links: entry.kind == .directory ? 2 : 1, date: imageDate, size: size, device: device)
    let name = entry.path == "/" ? [0x2E] : [UInt8](entry.path.utf8.dropFirst())
    try (header.bytes(name: name) + target).withUnsafeBytes(write)
    try resolved.content?.forEachPiece(write)
    try padding(count).withUnsafeBytes(write)
  }
  let last = CpioHeader(inode: 0, mode: 0, user: 0, group: 0, links: 1, date: 0, size: 0, device: (0, 0))
  try last.bytes(name: [UInt8]("TRAILER!!!".utf8)).withUnsafeBytes(write)
}

/// A manifest's archive in memory: for small ones.
public func cpioArchive(of manifest: Manifest) throws -> [UInt8] {
  var archive: [UInt8] = []
  try writeCpio(manifest.resolved()) { archive.append(contentsOf: $0) }
  return archive
}

private struct CpioHeader {
  var inode, mode, user, group, links, date, size: UInt32
  var device: (major: UInt32, minor: UInt32)

  /// The record up to its content.
  func bytes(name: [UInt8]) -> [UInt8] {
    var out = [UInt8]("070701".utf8)
    let fields = [
      inode, mode, user, group, links, date, size,
      0, 0,  // The device that the file was on.
      device.major, device.minor,
      UInt32(name.count + 1),
      0,  // A check sum, which only the format 070702 has.
    ]
    for field in fields {
      let digits = String(field, radix: 16)
      out += String(repeating: "0", count: 8 - digits.utf8.count).utf8
      out += digits.utf8
    }
    out += name
    out.append(0)
    return out + padding(out.count)
  }
}

/// What fills `count` bytes up to a multiple of four: names and contents each end on one.
private func padding(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: (4 - count % 4) % 4) }
