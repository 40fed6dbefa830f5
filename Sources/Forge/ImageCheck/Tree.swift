import Foundation
import SystemPackage
import Workshop

/// Reads a folder as an image's members. Symbolic links are not followed.
///
/// Throws `BuildError` when something in it cannot be read.
func readTree(_ folder: FilePath) throws -> [Member] {
  guard let walk = FileManager.default.enumerator(atPath: folder.string) else {
    throw BuildError.file(path: folder.string, reason: "it cannot be listed", remedy: "Check its permissions.")
  }
  var members: [Member] = []
  while let name = walk.nextObject() as? String {
    let path = FilePath(folder.string).appending(name)
    var look = stat()
    guard lstat(path.string, &look) == 0 else {
      throw BuildError.file(path: path.string, reason: "\(Errno(rawValue: errno))", remedy: "Check its permissions.")
    }
    var member = Member(
      path: "/" + name, kind: .other, mode: UInt16(truncatingIfNeeded: look.st_mode & 0o7777),
      user: Int64(look.st_uid), group: Int64(look.st_gid), content: .none)
    switch look.st_mode & S_IFMT {
    case S_IFREG:
      member.kind = .file
      member.content = try Content(contentsOf: path)
    case S_IFDIR: member.kind = .directory
    case S_IFLNK:
      member.kind = .symbolicLink
      member.target = try? FileManager.default.destinationOfSymbolicLink(atPath: path.string)
    default: break
    }
    members.append(member)
  }
  return members
}
