import CArchive
import Foundation

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
  var content: Content
  /// The bytes of the path and of the link's target where they are no UTF-8; nil otherwise.
  var rawPath: [UInt8]?
  var rawTarget: [UInt8]?
}

/// What libarchive says when it cannot go on.
struct ArchiveError: Error { var reason: String }

/// More than this many bytes of content are refused: reading has to end some time, and a cpio archive's file can have no
/// more.
private let largestContent = 4 << 30

/// Lists a CD image's files. Total: any bytes give members or an error.
///
/// `plain`: by the names that every reader of CDs knows, without Rock Ridge.
func readCD(_ image: some ByteSource, plain: Bool = false, shelf: Shelf) throws(ArchiveError) -> [Member] {
  let reader = try ArchiveReader(reading: image) { reader in
    let status = archive_read_support_format_iso9660(reader)
    return plain ? archive_read_set_options(reader, "iso9660:!rockridge") : status
  }
  return try reader.members(shelf)
}

/// Lists a compressed root: one or several XZ streams, in them a cpio archive, or several that follow each other with only
/// zeros between, as the kernel does. Also returns how many bytes it unpacks to.
func readRoot(_ archive: some ByteSource, shelf: Shelf) throws(ArchiveError) -> (members: [Member], unpacked: Int) {
  let unpacker = try Unpacker(archive)
  let blocks = BlockQueue { () throws(ArchiveError) -> [UInt8] in try unpacker.next() }
  let members = try readCpioArchives(blocks, shelf: shelf)
  return (members, blocks.position)
}

/// Lists cpio archives that are not compressed.
func readCpioArchives(_ bytes: some ByteSource, shelf: Shelf) throws(ArchiveError) -> [Member] {
  var offset = 0
  let blocks = BlockQueue { () throws(ArchiveError) -> [UInt8] in
    let piece = bytes.part(offset, min(ArchiveReader.block, bytes.count - offset)) ?? []
    offset += piece.count
    return [UInt8](piece)
  }
  return try readCpioArchives(blocks, shelf: shelf)
}

private func readCpioArchives(_ blocks: BlockQueue, shelf: Shelf) throws(ArchiveError) -> [Member] {
  var all: [Member] = []
  repeat {
    let start = blocks.position
    guard try blocks.begins(with: "070701") else {
      throw ArchiveError(reason: "what begins at byte \(start) is no cpio archive")
    }
    let reader = try ArchiveReader(reading: blocks) { archive_read_support_format_cpio($0) }
    all += try reader.members(shelf)
    // The last header is the trailer's: 110 bytes and its name with a zero byte, filled up to 124.
    guard let trailer = blocks.given(start + reader.headerPosition, 121), trailer.starts(with: "070701".utf8),
      trailer.dropFirst(110).starts(with: "TRAILER!!!".utf8)
    else { throw ArchiveError(reason: "the cpio archive has no trailer") }
    blocks.goBack(to: start + reader.headerPosition + 124)
  } while try blocks.skipZeros()
  return all
}

/// Unpacks one or several XZ streams block by block. Total: any bytes give the content or an error.
final class Unpacker {
  private let reader: ArchiveReader
  private var count = 0

  init(_ archive: some ByteSource) throws(ArchiveError) {
    reader = try ArchiveReader(reading: archive) { reader in
      _ = archive_read_support_filter_xz(reader)
      return archive_read_support_format_raw(reader)
    }
    guard try reader.nextHeader() != nil else { throw ArchiveError(reason: "it ends too early") }
  }

  /// The next bytes; none at the end.
  func next() throws(ArchiveError) -> [UInt8] {
    let piece = try reader.nextPiece()
    // Without a filter libarchive passes anything through as it is.
    guard reader.isXZ else { throw ArchiveError(reason: "it is not XZ") }
    count += piece.count
    guard count <= largestContent else {
      throw ArchiveError(reason: "it unpacks to more than \(largestContent) bytes")
    }
    return [UInt8](piece)
  }
}

extension ArchiveReader {
  /// Every member to the archive's end.
  fileprivate func members(_ shelf: Shelf) throws(ArchiveError) -> [Member] {
    var all: [Member] = []
    // Of each file with several names, where those are in `all`.
    var names: [String: [Int]] = [:]
    var room = largestContent
    func content(of path: String) throws(ArchiveError) -> Content {
      try shelf.content(of: path) { () throws(ArchiveError) -> UnsafeRawBufferPointer in
        let piece = try nextPiece()
        room -= piece.count
        guard room >= 0 else { throw ArchiveError(reason: "it unpacks to more than \(largestContent) bytes") }
        return piece
      }
    }
    while let entry = try nextHeader() {
      let name = archive_entry_pathname(entry)
      var member = Member(
        path: absolute(name.map { String(cString: $0) } ?? ""), kind: .other,
        mode: UInt16(truncatingIfNeeded: archive_entry_perm(entry)), user: archive_entry_uid(entry),
        group: archive_entry_gid(entry), content: .none, rawPath: bytesOfNoText(name))
      switch archive_entry_filetype(entry) & 0o170000 {
      case 0o100000: member.kind = .file
      case 0o040000: member.kind = .directory
      case 0o120000:
        member.kind = .symbolicLink
        member.target = archive_entry_symlink(entry).map { String(cString: $0) }
        member.rawTarget = bytesOfNoText(archive_entry_symlink(entry))
      case 0o020000:
        member.kind = .characterDevice
        member.device = [archive_entry_rdevmajor(entry), archive_entry_rdevminor(entry)].map {
          UInt32(truncatingIfNeeded: $0)
        }
      default: member.kind = .other
      }
      if let other = archive_entry_hardlink(entry) {
        // Two names of one file: it has been read already, or comes with its last name, as GNU cpio writes it.
        let path = absolute(String(cString: other))
        let others = names[path] ?? all.lastIndex { $0.path == path }.map { [$0] } ?? []
        member.kind = .file
        member.content = others.first.map { all[$0].content } ?? .none
        if archive_entry_size(entry) > 0 {
          member.content = try content(of: member.path)
          for index in others { all[index].content = member.content }
        }
        names[path] = others + [all.count]
      } else if member.kind == .file {
        member.content = try content(of: member.path)
        guard Int64(member.content.size) == archive_entry_size(entry) else {
          throw ArchiveError(reason: "\(member.path) ends too early")
        }
      }
      all.append(member)
      guard all.count <= 100_000 else { throw ArchiveError(reason: "it has more than 100,000 members") }
    }
    return all
  }
}

/// The bytes of what is no UTF-8; nil for text.
private func bytesOfNoText(_ text: UnsafePointer<CChar>?) -> [UInt8]? {
  guard let text, String(validatingCString: text) == nil else { return nil }
  return UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
}

/// A path as the manifest writes it.
private func absolute(_ path: String) -> String {
  "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
}
