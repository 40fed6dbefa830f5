import Workshop

/// One thing in an image.
public struct ImageEntry: Sendable {
  public enum Kind: String, Sendable {
    case file, folder
    case symbolicLink = "symbolic link"
    case characterDevice = "character device"
    case other = "special file"
  }

  /// What a file is that can be entered.
  public enum Inside: String, Sendable {
    /// A drone's root: one or several cpio archives, compressed or not.
    case archive
    /// Kernel, root and boot line as one program for UEFI; the names below it are its sections'.
    case program
    /// The EFI partition behind a CD's file system, which is no file of it.
    case partition
  }

  public struct Owner: Hashable, Sendable, CustomStringConvertible {
    public var user: Int64
    public var group: Int64

    public init(user: Int64, group: Int64) { (self.user, self.group) = (user, group) }

    /// `0:0`.
    public var description: String { "\(user):\(group)" }
  }

  public var path: ImagePath
  public var kind: Kind
  /// Permission bits with setuid, setgid and sticky; nil where nothing knows them, as on FAT.
  public var mode: UInt16?
  public var owner: Owner?
  /// A file's bytes; 0 for anything else.
  public var size = 0
  /// A file's digest.
  public var digest: SHA256?
  /// Where a symbolic link points.
  public var target: [UInt8]?
  /// Major and minor number.
  public var device: [UInt32]?
  /// Nil for what cannot be entered.
  public var inside: Inside?
  /// Gives `count` bytes from an offset on; nil when they are not there. Nil for a file that was not asked for.
  public var read: (@Sendable (_ offset: Int, _ count: Int) -> ArraySlice<UInt8>?)?

  public init(_ path: ImagePath, _ kind: Kind, mode: UInt16? = nil, owner: Owner? = nil) {
    (self.path, self.kind, self.mode, self.owner) = (path, kind, mode, owner)
  }

  public var isFolder: Bool { kind == .folder || inside != nil }

  /// Passes a file's content to `body`, in pieces of up to 1 MiB. Throws a sentence when it cannot be read any more, and what
  /// `body` throws.
  public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    var offset = 0
    while offset < size {
      guard let piece = read?(offset, min(1 << 20, size - offset)) else {
        throw BuildError.input(
          "\(path) cannot be read at byte \(offset). Is the image being written, or its drive gone?")
      }
      try piece.withUnsafeBytes(body)
      offset += piece.count
    }
  }
}

/// What an image holds: its medium's files, and below each file that can be entered what is in that.
public struct ImageContents: Sendable {
  public enum Form: String, Sendable {
    case cd = "CD image"
    /// A folder for a TFTP server.
    case tree = "network boot tree"
    /// A drone's root by itself.
    case archive
    /// Kernel, root and boot line by themselves.
    case program = "program for UEFI"
  }

  public let form: Form
  /// Bytes of the whole image.
  public let size: Int
  /// Sentences on what could not be read.
  public let warnings: [String]
  /// Sorted, one for each path, with every folder that holds something. The folder that an archive's root is itself, with its
  /// mode and owner, is `.` in it.
  public let entries: [ImageEntry]
  private let places: [ImagePath: Int]

  /// Of two entries with one path the last counts, as it does for the kernel.
  public init(_ form: Form, size: Int, _ given: [ImageEntry], warnings: [String] = []) {
    self.form = form
    self.size = size
    self.warnings = warnings
    var byPath: [ImagePath: ImageEntry] = [:]
    for entry in given { byPath[entry.path] = entry }
    for entry in given {
      for folder in entry.path.parents where byPath[folder] == nil { byPath[folder] = ImageEntry(folder, .folder) }
    }
    entries = byPath.values.sorted { $0.path < $1.path }
    places = Dictionary(entries.enumerated().map { ($1.path, $0) }, uniquingKeysWith: { first, _ in first })
  }

  public subscript(path: ImagePath) -> ImageEntry? { places[path].map { entries[$0] } }

  /// What a folder holds, and what is below that, without what is in files that can be entered.
  public func entries(below folder: ImagePath) -> [ImageEntry] {
    let start = folder.isTop ? 0 : places[folder].map { $0 + 1 } ?? entries.count
    var found: [ImageEntry] = []
    var closed: ImagePath?
    for entry in entries[start...] {
      guard entry.path.isAt(orBelow: folder) else { break }
      if let closed, entry.path.isAt(orBelow: closed) { continue }
      closed = entry.inside == nil ? nil : entry.path
      found.append(entry)
    }
    return found
  }

  /// What a folder holds itself.
  public func children(of folder: ImagePath) -> [ImageEntry] {
    entries(below: folder).filter { $0.path.names.count == folder.names.count + 1 }
  }

  /// The file system that a path is in: what was entered to reach it, or the top.
  public func volume(of path: ImagePath) -> ImagePath {
    path.parents.last { self[$0]?.inside != nil } ?? .top
  }

  /// The path of what a person means: the path itself, or, when the medium has none, the one place within a root or the EFI
  /// partition that has it. Throws a sentence with the nearest names.
  public func place(of path: ImagePath) throws(BuildError) -> ImagePath {
    if path.isTop || self[path] != nil { return path }
    let inner = entries.filter { $0.inside != nil }.map { $0.path.appending(path) }
    let within = inner.filter { self[$0] != nil }
    if let only = within.first, within.count == 1 { return only }
    // Through folders that are links.
    let linked = within.isEmpty ? ([path] + inner).compactMap { (try? followed($0))?.path } : []
    if let only = linked.first, linked.count == 1 { return only }
    throw BuildError.input(
      "There is no \(path) in the image\(hint(within.isEmpty ? near(path) : Array(within.prefix(5))))")
  }

  private func hint(_ paths: [ImagePath]) -> String {
    guard let last = paths.last else { return ". `droneforge tree` lists what there is." }
    let others = paths.dropLast().map { "\($0), " }.joined()
    return paths.count == 1 ? "; the nearest is \(last)." : "; there are: \(others)\(last)."
  }

  /// At most five paths that may be meant: those with the same last name, else those in the same place whose last name is
  /// nearly that.
  private func near(_ path: ImagePath) -> [ImagePath] {
    guard let name = path.names.last else { return [] }
    let same = entries.filter { $0.path.names.last == name }.map(\.path)
    if !same.isEmpty { return Array(same.prefix(5)) }
    let folder = ([.top] + path.parents).last { $0.isTop || self[$0] != nil } ?? .top
    let wanted = path.names[folder.names.count]
    return Array(
      children(of: folder).map { (editDistance($0.path.names.last ?? [], wanted), $0.path) }
        .filter { $0.0 <= max(2, wanted.count / 3) && $0.0 < wanted.count }.sorted { $0 < $1 }.map(\.1).prefix(5))
  }

  /// What a path leads to through symbolic links, which do not leave the file system that they are in. Throws a sentence when
  /// that is nothing.
  public func followed(_ path: ImagePath) throws(BuildError) -> ImageEntry? {
    let volume = volume(of: path)
    var place = volume
    var ahead = path.names.dropFirst(volume.names.count)
    var links = 0
    while let name = ahead.popFirst() {
      if name == [UInt8](".".utf8) { continue }
      if name == [UInt8]("..".utf8) {
        if place != volume { place = place.parent }
        continue
      }
      place = place.appending(name)
      guard let entry = self[place] else {
        throw BuildError.input("\(path) leads to \(place), which is not in the image.")
      }
      guard let target = entry.target, entry.kind == .symbolicLink else { continue }
      links += 1
      // MAXSYMLINKS of Linux.
      guard links <= 40 else { throw BuildError.input("\(path) is a link that leads in a circle.") }
      place = target.first == UInt8(ascii: "/") ? volume : place.parent
      ahead = target.split(separator: UInt8(ascii: "/")).map { [UInt8]($0) } + ahead
    }
    // A file system's top is no file of it.
    return place == volume ? nil : self[place]
  }
}
