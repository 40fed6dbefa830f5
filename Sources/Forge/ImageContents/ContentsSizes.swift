/// How large something is beside what it is in.
public struct SizeRow: Sendable {
  public let entry: ImageEntry
  /// A file's bytes, or those of all files in a folder. What can be entered counts as the file that it is.
  public let bytes: Int
  /// Of its file system's bytes, from 0 to 1.
  public let share: Double
}

/// The sizes in one file system of an image.
public struct SizeTable: Sendable {
  /// What was entered; the top for the medium.
  public let path: ImagePath
  /// Bytes that it takes in the image: of a compressed archive the compressed ones.
  public let stored: Int
  /// Bytes of its files. Of an archive they are what shares are of; of anything else `stored` is.
  public let unpacked: Int
  /// Its files and folders, the largest first.
  public let rows: [SizeRow]
}

extension ImageContents {
  /// A table for each file system: the medium first, then what can be entered, sorted by path.
  public var sizes: [SizeTable] {
    var folders: [ImagePath: Int] = [:]
    var totals: [ImagePath: Int] = [:]
    var members: [ImagePath: [ImageEntry]] = [.top: []]
    for entry in entries {
      let volume = volume(of: entry.path)
      members[volume, default: []].append(entry)
      guard entry.kind == .file else { continue }
      totals[volume, default: 0] += entry.size
      for folder in entry.path.parents.dropFirst(volume.names.count) { folders[folder, default: 0] += entry.size }
    }
    return members.keys.sorted().map { path in
      let (stored, unpacked) = (self[path]?.size ?? size, totals[path] ?? 0)
      let isUnpacked = path.isTop ? form == .archive : self[path]?.inside == .archive
      let whole = isUnpacked ? unpacked : stored
      let rows = (members[path] ?? []).map { entry -> SizeRow in
        let bytes = entry.kind == .folder ? folders[entry.path] ?? 0 : entry.size
        return SizeRow(entry: entry, bytes: bytes, share: whole > 0 ? Double(bytes) / Double(whole) : 0)
      }
      return SizeTable(
        path: path, stored: stored, unpacked: unpacked,
        rows: rows.sorted { ($1.bytes, $0.entry.path) < ($0.bytes, $1.entry.path) })
    }
  }
}
