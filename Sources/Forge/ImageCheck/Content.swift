import Image
import Integrity
import SystemPackage
import Target
import Workshop

/// A file's content, as far as checks look at it. It is read piece by piece; its bytes are at hand afterwards while there
/// is room for them, or when a check needs them.
struct Content: Sendable, Equatable {
  /// In bytes.
  var size: Int
  var digest: SHA256
  /// By which a drone knows it.
  var sealed: [UInt8]
  /// Whether a private key is in it.
  var holdsKey: Bool
  /// Nil when nothing needs them.
  var source: (any ByteSource)?
  /// The file that holds exactly these bytes, when there is one.
  var file: FilePath?

  static let none = Content([])

  init(_ bytes: [UInt8]) {
    var reading = Reading()
    bytes.withUnsafeBytes { reading.add($0) }
    self = reading.finish(bytes)
  }

  fileprivate init(
    size: Int, digest: SHA256, sealed: [UInt8], holdsKey: Bool, source: (any ByteSource)?, file: FilePath?
  ) {
    (self.size, self.digest, self.sealed, self.holdsKey) = (size, digest, sealed, holdsKey)
    (self.source, self.file) = (source, file)
  }

  /// A file that stays where it is. Throws `BuildError` when it cannot be read.
  init(contentsOf path: FilePath) throws {
    var reading = Reading()
    try readPieces(of: path) { reading.add($0) }
    self = reading.finish(try FileBytes(path), file: path)
  }

  /// Bytes that stay where they are; those that cannot be read count as not there.
  init(of source: some ByteSource) {
    var reading = Reading()
    var offset = 0
    while offset < source.count, let piece = source.part(offset, min(1 << 20, source.count - offset)) {
      piece.withUnsafeBytes { reading.add($0) }
      offset += piece.count
    }
    self = reading.finish(source)
  }

  /// All bytes; nil when they were not kept.
  var bytes: [UInt8]? { source.flatMap { $0.part(0, size) }.map { [UInt8]($0) } }

  static func == (one: Content, other: Content) -> Bool { one.size == other.size && one.digest == other.digest }

  /// What is learned of a content while its pieces pass.
  struct Reading: ~Copyable {
    private(set) var size = 0
    private var hash = SHA256.Stream()
    private var seal = ContentDigest()
    private var keys = KeySearch()

    mutating func add(_ piece: UnsafeRawBufferPointer) {
      size += piece.count
      hash.add(piece)
      seal.add(piece.assumingMemoryBound(to: UInt8.self).span)
      keys.add(piece)
    }

    consuming func finish(_ source: (any ByteSource)?, file: FilePath? = nil) -> Content {
      let (size, found) = (size, keys.found)
      return Content(
        size: size, digest: hash.finish(), sealed: seal.finish(), holdsKey: found, source: source, file: file)
    }
  }
}

/// Where contents are kept that checks look at again: in memory while they fit there, and then in a folder those that a
/// check cannot do without.
final class Shelf {
  private var room: Int
  private let folder: FilePath?
  private let keeps: (_ path: String, _ isProgram: Bool) -> Bool
  private var files = 0

  /// - Parameters:
  ///   - room: bytes in memory.
  ///   - folder: where the others go; without one they are not kept.
  ///   - keeps: which of the others.
  init(
    room: Int = 16 << 20, folder: FilePath? = nil,
    keeps: @escaping (_ path: String, _ isProgram: Bool) -> Bool = { $1 || Shelf.needed.contains($0) }
  ) {
    self.room = room
    self.folder = folder
    self.keeps = keeps
  }

  /// What checks cannot do without, besides programs.
  private static let needed: Set<String> = droneFiles.union([
    "\(Baseline.path)", Credential.certificatePath, Credential.keyPath,
    Credential.descriptionPath, CarriedModules.tablePath,
  ])
  private static let droneFiles = Set(
    ImageTarget.all.flatMap { target in
      target.drones.map(target.place).flatMap { [$0.kernel, $0.root] }
    })

  /// Reads a content to its end: `next` gives pieces, an empty one at the end.
  func content(
    of path: String, _ next: () throws(ArchiveError) -> UnsafeRawBufferPointer
  ) throws(ArchiveError) -> Content {
    var reading = Content.Reading()
    var kept: [UInt8]? = []
    var spool: (path: FilePath, file: FileDescriptor)?
    defer { try? spool?.file.close() }
    while true {
      let piece = try next()
      if piece.isEmpty { break }
      reading.add(piece)
      if let spool {
        try store(piece, in: spool)
      } else if let bytes = kept,
        bytes.count + piece.count > room || folder != nil && Self.droneFiles.contains(path)
      {
        // Kernels and roots would leave no room for the small files behind them.
        kept = nil
        let isProgram = bytes.isEmpty ? piece.starts(with: Self.programMagic) : bytes.starts(with: Self.programMagic)
        if let folder, keeps(path, isProgram) {
          let opened = try opened(in: folder)
          spool = opened
          try store(bytes, in: opened)
          try store(piece, in: opened)
        }
      } else {
        kept?.append(contentsOf: piece)
      }
    }
    if let kept { room -= kept.count }
    guard let spool else { return reading.finish(kept) }
    do {
      return reading.finish(try FileBytes(spool.path), file: spool.path)
    } catch {
      throw ArchiveError(reason: "\(error)")
    }
  }

  private static let programMagic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]

  private func opened(in folder: FilePath) throws(ArchiveError) -> (path: FilePath, file: FileDescriptor) {
    files += 1
    let path = folder.appending("\(files)")
    do {
      return (
        path,
        try FileDescriptor.open(path, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
      )
    } catch {
      throw ArchiveError(reason: "it has no room in \(folder) to be looked at (\(error))")
    }
  }

  private func store(
    _ piece: some Sequence<UInt8>, in spool: (path: FilePath, file: FileDescriptor)
  ) throws(ArchiveError) {
    do { _ = try spool.file.writeAll(piece) } catch {
      throw ArchiveError(reason: "it has no room in \(spool.path.removingLastComponent()) to be looked at (\(error))")
    }
  }
}
