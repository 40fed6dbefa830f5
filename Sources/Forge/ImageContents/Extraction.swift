import Foundation
import SystemPackage
import Workshop

/// Files of an image on their way into a folder of the builder's machine.
///
/// Nothing is ever written outside that folder: a path with `..`, and one that leads through a link or a file, are refused
/// before anything is written; links come last, so that nothing is written through one.
public struct Extraction: Sendable {
  private struct Item {
    let path: ImagePath
    let entry: ImageEntry
  }

  /// What is written where, counted from the folder; folders come before what is in them.
  private let items: [Item]

  /// Where things go, counted from the folder, sorted.
  public var paths: [ImagePath] { items.map(\.path) }

  /// Everything at and below these paths of the image, each by its path within the file system that it is in; all of the
  /// medium for none. What can be entered is written as the file that it is, but for one that is named: of that its content is
  /// written.
  ///
  /// Throws a sentence for a path that leads out of the folder, and for two files in one place.
  public init(_ wanted: [ImagePath], of contents: ImageContents) throws(BuildError) {
    var found: [ImagePath: ImageEntry] = [:]
    for path in wanted.isEmpty ? [.top] : wanted {
      let entry = contents[path]
      let volume = entry?.inside == nil ? contents.volume(of: path) : path
      let named = entry.map { $0.inside == nil ? [$0] : [] } ?? []
      let folders = path.parents.dropFirst(volume.names.count).compactMap { contents[$0] }
      for entry in folders + named + contents.entries(below: path) where entry.path.names.last != [UInt8(ascii: ".")] {
        let place = ImagePath([[UInt8]](entry.path.names.dropFirst(volume.names.count)))
        if let name = place.names.first(where: { $0 == [UInt8]("..".utf8) || $0.contains(0) }) {
          throw BuildError.input(
            "\(entry.path) is not written: its name \(escaped(name)) leads out of the folder. Nothing is.")
        }
        if let other = found.updateValue(entry, forKey: place), other.path != entry.path {
          throw BuildError.input("\(other.path) and \(entry.path) would be one file. Write them to two folders.")
        }
      }
    }
    for (place, entry) in found {
      for parent in place.parents {
        guard let holder = found[parent], holder.kind != .folder else { continue }
        throw BuildError.input(
          "\(entry.path) is not written: it lies below \(holder.path), which is a \(holder.kind.rawValue). Nothing is.")
      }
    }
    items = found.map { Item(path: $0, entry: $1) }.sorted { $0.path < $1.path }
  }

  /// Writes everything to a folder that is not there yet, or is empty; it is there with all or not at all. Modes are the
  /// image's without setuid and setgid; owners as well for root, and the caller for everybody else. Blocks of zeros take no
  /// room.
  ///
  /// Throws a sentence when the folder holds something or cannot be written, and `CancellationError` in a task that was
  /// cancelled.
  ///
  /// - Returns: a sentence for each thing that was left out, as a device is when the caller may make none.
  public func write(to folder: FilePath) async throws -> [String] {
    let target = absolute(folder).lexicallyNormalized()
    let above = target.removingLastComponent()
    guard isFolder(above) else {
      throw BuildError.file(path: above.string, reason: "there is no such folder", remedy: "Make it, or name another.")
    }
    var look = stat()
    let isThere = lstat(target.string, &look) == 0
    if isThere {
      let names = try? FileManager.default.contentsOfDirectory(atPath: target.string)
      guard look.st_mode & S_IFMT == S_IFDIR, names?.isEmpty == true else {
        throw BuildError.file(
          path: target.string, reason: "it is there, and no empty folder", remedy: "Name one that is not there.")
      }
      guard target.string != FileManager.default.currentDirectoryPath else {
        throw BuildError.file(
          path: target.string, reason: "it is the folder that you are in, and another would come in its place",
          remedy: "Name one below it.")
      }
    }
    return try await withTemporaryFolder(in: above) { work in
      let tree = work.appending("tree")
      try makeFolder(tree)
      var leftOut: [String] = []
      for item in items where item.entry.target == nil {
        try Task.checkCancellation()
        if let reason = try make(item.entry, at: item.path.file(in: tree)) { leftOut.append(reason) }
      }
      for item in items where item.entry.target != nil { _ = try make(item.entry, at: item.path.file(in: tree)) }
      for item in items.reversed() where item.entry.kind == .folder {
        try settle(item.entry, at: item.path.file(in: tree))
      }
      try Task.checkCancellation()
      try fileOperation(target, "Name another folder") {
        // Whoever made it has said who may look.
        if isThere, chmod(tree.string, look.st_mode & 0o7777) != 0 { throw Errno(rawValue: errno) }
        guard rename(tree.string, target.string) == 0 else { throw Errno(rawValue: errno) }
      }
      return leftOut
    }
  }

  /// Makes one thing; gives a sentence when it is left out.
  private func make(_ entry: ImageEntry, at place: FilePath) throws -> String? {
    func must(_ status: Int32) throws { if status != 0 { throw Errno(rawValue: errno) } }
    return try fileOperation(FilePath("\(entry.path)"), "Make room for it or choose another folder") {
      switch entry.kind {
      case .folder: try must(place.withPlatformString { mkdir($0, 0o700) })
      case .file:
        let file = try FileDescriptor.open(
          place, .writeOnly, options: [.create, .exclusiveCreate, .noFollow], permissions: .ownerReadWrite)
        try file.closeAfter {
          var offset = 0
          try entry.forEachPiece { piece in
            defer { offset += piece.count }
            if piece.contains(where: { $0 != 0 }) { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), piece) }
          }
          try must(ftruncate(file.rawValue, off_t(entry.size)))
        }
        try settle(entry, at: place)
      case .symbolicLink:
        try must(
          place.withPlatformString { symlink((entry.target ?? []).map { CChar(bitPattern: $0) } + [0], $0) })
        try place.withPlatformString { try must(own(entry, $0)) }
      case .characterDevice:
        let number = deviceNumber(entry.device?.first ?? 0, entry.device?.last ?? 0)
        let status = place.withPlatformString { mknod($0, S_IFCHR | 0o600, number) }
        if status != 0, errno == EPERM { return "\(entry.path) is left out: only root can make a device." }
        // It is root's alone, whatever the image says: the memory of the builder's machine may be behind it.
        try must(status)
      case .other: return "\(entry.path) is left out: it is a special file."
      }
      return nil
    }
  }

  /// Gives a file or folder its owner and mode.
  private func settle(_ entry: ImageEntry, at place: FilePath) throws {
    try fileOperation(FilePath("\(entry.path)"), "Choose another folder") {
      let mode = entry.mode ?? (entry.kind == .folder ? 0o755 : 0o644)
      let status = place.withPlatformString { own(entry, $0) == 0 ? chmod($0, mode_t(mode & 0o1777)) : -1 }
      if status != 0 { throw Errno(rawValue: errno) }
    }
  }

  /// What root alone may do.
  private func own(_ entry: ImageEntry, _ place: UnsafePointer<CChar>) -> Int32 {
    guard geteuid() == 0, let owner = entry.owner else { return 0 }
    return lchown(place, uid_t(truncatingIfNeeded: owner.user), gid_t(truncatingIfNeeded: owner.group))
  }
}

/// As makedev(3) puts it together.
private func deviceNumber(_ major: UInt32, _ minor: UInt32) -> dev_t {
  let (major, minor) = (dev_t(major), dev_t(minor))
  return (major & 0xFFFF_F000) << 32 | (major & 0xFFF) << 8 | (minor & 0xFFFF_FF00) << 12 | minor & 0xFF
}

extension ImagePath {
  /// The same path below a folder of the builder's machine.
  fileprivate func file(in folder: FilePath) -> FilePath {
    names.reduce(folder) { $0.pushing(FilePath(bytes: $1)) }
  }
}

extension FilePath {
  /// Bytes up to the first zero; FilePath takes them as they are.
  fileprivate init(bytes: [UInt8]) {
    self.init(platformString: bytes.map { CChar(bitPattern: $0) } + [0])
  }
}
