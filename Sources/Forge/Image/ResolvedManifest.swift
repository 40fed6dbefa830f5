import Integrity
import SystemPackage
import Workshop

/// A manifest whose files have been read: the archive, the baseline, the bill of materials and the medium are all made
/// from this one reading.
public struct ResolvedManifest: Sendable {
  /// Sorted by path, as the manifest's are.
  public let entries: [ResolvedEntry]

  /// With further entries, of which alone the files are read. Throws as `Manifest` does.
  public func adding(_ more: [Entry]) throws -> ResolvedManifest {
    var known: [String: ResolvedEntry] = [:]
    for entry in entries { known[entry.entry.path] = entry }
    let all = try Manifest(entries.map(\.entry) + more)
    return ResolvedManifest(
      entries: try all.entries.map { entry in
        if let known = known[entry.path] { return known }
        var room = Manifest.keptContent
        return try ResolvedEntry(entry, room: &room)
      })
  }
}

extension Manifest {
  /// How many bytes of content stay in memory.
  public static let keptContent = 16 << 20

  /// Reads every file once and takes its digest.
  ///
  /// Up to `room` bytes of content stay in memory, in the order of the entries. What has no room is read again when it is
  /// written, and must then be what it was. Throws `BuildError.file` when a file cannot be read.
  public func resolved(room: Int = keptContent) throws -> ResolvedManifest {
    var room = room
    return ResolvedManifest(entries: try entries.map { try ResolvedEntry($0, room: &room) })
  }
}

/// An entry, and a file's content.
public struct ResolvedEntry: Sendable {
  public let entry: Entry
  /// Nil for what is no file.
  public let content: ResolvedContent?

  fileprivate init(_ entry: Entry, room: inout Int) throws {
    self.entry = entry
    guard case .file(let content) = entry.kind else {
      self.content = nil
      return
    }
    self.content = try ResolvedContent(content, room: &room)
  }
}

/// A file's content as it was when the manifest was resolved.
public struct ResolvedContent: Sendable {
  /// In bytes.
  public let size: Int
  public let digest: SHA256
  /// By which a drone knows it.
  public let sealed: [UInt8]
  private let source: Entry.Content

  fileprivate init(_ content: Entry.Content, room: inout Int) throws {
    switch content {
    case .bytes(let bytes): (size, digest, sealed, source) = (bytes.count, SHA256(bytes), contentDigest(bytes), content)
    case .file(let path):
      let limit = room
      var kept: [UInt8]? = []
      var hash = SHA256.Stream()
      var seal = ContentDigest()
      var count = 0
      try readPieces(of: path) { piece in
        hash.add(piece)
        seal.add(piece.assumingMemoryBound(to: UInt8.self).span)
        count += piece.count
        if count <= limit { kept?.append(contentsOf: piece) } else { kept = nil }
      }
      if kept != nil { room -= count }
      (size, digest, sealed) = (count, hash.finish(), seal.finish())
      source = kept.map { .bytes($0) } ?? content
    }
  }

  /// Passes the content to `body`, piece by piece.
  ///
  /// Throws `BuildError.input` when the file has changed since; what `body` got must not be used then.
  public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    switch source {
    case .bytes(let bytes): try bytes.withUnsafeBytes(body)
    case .file(let path):
      let changed = BuildError.input("\(path) changed while the image was built. Build it again.")
      var hash = SHA256.Stream()
      var count = 0
      try readPieces(of: path) { piece in
        count += piece.count
        guard count <= size else { throw changed }
        hash.add(piece)
        try body(piece)
      }
      guard count == size, hash.finish() == digest else { throw changed }
    }
  }

  /// The whole content. Throws as `forEachPiece` does.
  public func bytes() throws -> [UInt8] {
    if case .bytes(let bytes) = source { return bytes }
    var all: [UInt8] = []
    all.reserveCapacity(size)
    try forEachPiece { all.append(contentsOf: $0) }
    return all
  }
}
