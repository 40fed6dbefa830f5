import CArchive
import Foundation
import SystemPackage
import Workshop

/// What a binary package brings (deb(5)), read without dpkg: nothing of it is installed, and none of its scripts runs.
public struct Payload: Sendable {
  /// One thing that the package puts into a system.
  public struct Entry: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      /// Of this many bytes.
      case file(size: Int)
      case directory
      case symbolicLink(target: String)
      /// A second name of the file at this path.
      case hardLink(to: String)
      /// A device, a socket or a FIFO: for no image.
      case other
    }

    /// Absolute: `/usr/bin/env`.
    public let path: String
    public let kind: Kind
    /// Permission bits with setuid, setgid and sticky.
    public let mode: UInt16
    public let user: Int64
    public let group: Int64
    /// When the file was last changed, in seconds since 1970.
    public let modified: Int
  }

  /// The package's file.
  public let file: FilePath
  /// Fields of its control file (deb-control(5)), without their continuation lines.
  public let fields: [String: String]
  /// What dpkg would run: `postinst`. Whoever takes a package's entries does without.
  public let scripts: [String]
  public let entries: [Entry]

  public var name: String { fields["Package"] ?? "" }
  public var version: String { fields["Version"] ?? "" }
  /// Where every entry comes from.
  public var origin: Origin { .package(name) }

  /// Reads a package's lists. Throws `BuildError` when it is none.
  public init(_ file: FilePath) throws {
    var entries: [Entry] = []
    let (fields, names) = try Self.control(of: file)
    try PackageReader.read(file, part: "data.tar") { entry, _ in entries.append(entry) }
    let scripts: Set = ["preinst", "postinst", "prerm", "postrm", "config"]
    self.file = file
    self.fields = fields
    self.scripts = names.filter(scripts.contains).sorted()
    self.entries = entries
  }

  /// A package's fields, and the names of the files beside them. Throws `BuildError` when it is none.
  static func control(of file: FilePath) throws -> (fields: [String: String], names: [String]) {
    var (control, names): ([UInt8], [String]) = ([], [])
    try PackageReader.read(file, part: "control.tar") { entry, content in
      let name = String(entry.path.dropFirst())
      names.append(name)
      if name == "control" { try content { control.append(contentsOf: $0) } }
    }
    var fields: [String: String] = [:]
    for line in String(decoding: control, as: UTF8.self).split(separator: "\n") where line.first != " " {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[String(line[..<colon])] = line[line.index(after: colon)...].trimmingPrefix(" ").description
    }
    guard fields["Package"] != nil, fields["Version"] != nil else {
      throw BuildError.input("\(file) is no Debian package: it names neither package nor version.")
    }
    return (fields, names)
  }

  /// The paths that a package has digests of, without a look at what it brings; none where it has no list of them
  /// (deb-md5sums(5)). Without a slash at their beginning. Throws `BuildError` when it is no package.
  public static func listedFiles(of file: FilePath) throws -> [String] {
    var text: [UInt8] = []
    try PackageReader.read(file, part: "control.tar") { entry, content in
      if entry.path == "/md5sums" { try content { text.append(contentsOf: $0) } }
    }
    // 32 digits, two blanks, the path.
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map { String($0.dropFirst(34)) }
  }

  /// Writes the wanted files of a package below `folder`, with their folders and dates; links, devices and owners are left
  /// out. Throws `BuildError`.
  ///
  /// - Parameter wanted: asked for each file's absolute path.
  public static func extract(_ file: FilePath, to folder: FilePath, _ wanted: (String) -> Bool) throws {
    try PackageReader.read(file, part: "data.tar") { entry, content in
      guard case .file = entry.kind, wanted(entry.path) else { return }
      let place = FilePath(folder.string + entry.path)
      try makeFolder(place.removingLastComponent())
      let output = try fileOperation(place, "Make room for it or choose another folder") {
        try FileDescriptor.open(
          place, .writeOnly, options: [.create, .truncate], permissions: FilePermissions(rawValue: mode_t(entry.mode)))
      }
      try output.closeAfter {
        try content { piece in
          _ = try fileOperation(place, "Make room for it or choose another folder") { try output.writeAll(piece) }
        }
        let date = timespec(tv_sec: entry.modified, tv_nsec: 0)
        futimens(output.rawValue, [date, date])
      }
    }
  }
}

/// What a package says of itself, without a look at what it brings.
public struct PackageDescription: Sendable {
  /// As `Payload.fields`.
  public let fields: [String: String]

  public var name: String { fields["Package"] ?? "" }
  public var version: String { fields["Version"] ?? "" }

  /// Throws `BuildError` when the file is no package.
  public init(_ file: FilePath) throws { fields = try Payload.control(of: file).fields }
}

/// Reads one of the archives in a package by libarchive, in pieces: a package can be larger than the memory.
private enum PackageReader {
  /// Hands a file's bytes to the function that it is given.
  typealias Content = ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

  static func read(_ file: FilePath, part: String, _ body: (Payload.Entry, Content) throws -> Void) throws {
    guard let outer = archive_read_new(), let inner = archive_read_new() else {
      throw BuildError.input("libarchive has no memory to read \(file).")
    }
    defer {
      archive_read_free(inner)
      archive_read_free(outer)
    }
    func failure(_ reader: OpaquePointer) -> BuildError {
      let reason = archive_error_string(reader).map { String(cString: $0) } ?? "it ends too early"
      return .input("\(file) cannot be read as a Debian package: \(reason).")
    }
    archive_read_support_format_ar(outer)
    guard archive_read_open_filename(outer, file.string, 1 << 16) == ARCHIVE_OK else { throw failure(outer) }
    var entry: OpaquePointer?
    repeat {
      guard archive_read_next_header(outer, &entry) == ARCHIVE_OK, let entry else { throw failure(outer) }
      if archive_entry_pathname(entry).map({ String(cString: $0) })?.hasPrefix(part) == true { break }
    } while true

    archive_read_support_format_tar(inner)
    archive_read_support_filter_all(inner)
    // The inner archive is what the outer one has under that name.
    let piece = Piece(of: outer)
    defer { withExtendedLifetime(piece) {} }
    let opened = archive_read_open(
      inner, Unmanaged.passUnretained(piece).toOpaque(), nil,
      { _, data, buffer in
        guard let data, let buffer else { return -1 }
        return Unmanaged<Piece>.fromOpaque(data).takeUnretainedValue().next(buffer)
      }, nil)
    guard opened == ARCHIVE_OK else { throw failure(inner) }
    while true {
      var entry: OpaquePointer?
      let status = archive_read_next_header(inner, &entry)
      if status == ARCHIVE_EOF { return }
      guard status == ARCHIVE_OK, let entry else { throw failure(inner) }
      try body(described(entry)) { receive in
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
          let count = buffer.withUnsafeMutableBytes { archive_read_data(inner, $0.baseAddress, $0.count) }
          if count == 0 { return }
          guard count > 0 else { throw failure(inner) }
          try buffer.withUnsafeBytes { try receive(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
      }
    }
  }

  private static func described(_ entry: OpaquePointer) -> Payload.Entry {
    let kind: Payload.Entry.Kind
    if let target = archive_entry_hardlink(entry) {
      kind = .hardLink(to: absolute(String(cString: target)))
    } else {
      switch archive_entry_filetype(entry) & 0o170000 {
      case 0o100000: kind = .file(size: Int(archive_entry_size(entry)))
      case 0o040000: kind = .directory
      case 0o120000: kind = .symbolicLink(target: archive_entry_symlink(entry).map { String(cString: $0) } ?? "")
      default: kind = .other
      }
    }
    return Payload.Entry(
      path: absolute(archive_entry_pathname(entry).map { String(cString: $0) } ?? ""), kind: kind,
      mode: UInt16(truncatingIfNeeded: archive_entry_perm(entry)), user: archive_entry_uid(entry),
      group: archive_entry_gid(entry), modified: archive_entry_mtime(entry))
  }

  /// A path as it will be in a root: nothing in it leads out of that.
  private static func absolute(_ path: String) -> String {
    "/" + path.split(separator: "/").filter { $0 != "." && $0 != ".." }.joined(separator: "/")
  }

  /// What the outer archive gives next, kept until it is asked again.
  private final class Piece {
    private let outer: OpaquePointer
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    init(of outer: OpaquePointer) { self.outer = outer }
    deinit { bytes.deallocate() }

    func next(_ buffer: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
      buffer.pointee = UnsafeRawPointer(bytes.baseAddress)
      return archive_read_data(outer, bytes.baseAddress, bytes.count)
    }
  }
}
