import BootServer
import BuildCache
import Integrity
import SystemPackage
import Target
import Workshop

/// Packs a root as it lies on a medium: several archives, each compressed for itself. The kernel unpacks one after the other
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
///
/// Compressing takes most of the time in which an image is made. A large file is an archive of its own, so that a change
/// elsewhere in the root leaves it as it is.
struct RootPacking {
  private let compression: RootCompression
  private let work: FilePath
  private let cache: BuildCache

  /// Bytes from which a file is an archive of its own: the dictionary's, beyond which compression finds nothing again.
  private var large: Int { compression.dictionary }

  /// - Parameters:
  ///   - work: a folder for what is thrown away.
  ///   - cache: keeps the root's compressed archives.
  init(_ compression: RootCompression, in work: FilePath, keeping cache: BuildCache) {
    (self.compression, self.work, self.cache) = (compression, work, cache)
  }

  /// Packs the root, behind it the kernel's modules, and behind those what the image carries of a cluster. Gives how much of
  /// it everybody may have.
  func pack(
    _ root: ResolvedManifest, _ modules: ResolvedManifest?, _ credential: Credential?, to archive: FilePath
  ) async throws -> PublicPart {
    let file = try fileOperation(archive, "Choose another folder") {
      try FileDescriptor.open(archive, .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    }
    defer { try? file.close() }
    let named = archives(of: root).enumerated().map { ("archive-\($0.offset)", $0.element) }
    for packed in try await compressed(named + (modules.map { [("modules", $0)] } ?? [])) {
      try readPieces(of: packed) { piece in
        _ = try fileOperation(archive, "Make room for it or choose another folder") { try file.writeAll(piece) }
      }
    }
    var digest = ContentDigest()
    try readPieces(of: archive) { digest.add($0.assumingMemoryBound(to: UInt8.self).span) }
    let size = try fileOperation(archive, "Choose another folder") { try file.seek(offset: 0, from: .end) }
    let publicPart = PublicPart(size: Int(size), digest: digest.finish())
    if let credential {
      // It may hold a key: nothing keeps it.
      let plain = try await written(credential.manifest.resolved(), as: "credential")
      try await compress(plain.path, compression, to: file)
      try removeTree(plain.path)
    }
    return publicPart
  }

  /// The root's archives: first all folders with most of the files, then each large file.
  private func archives(of root: ResolvedManifest) -> [ResolvedManifest] {
    func isLarge(_ entry: ResolvedEntry) -> Bool { (entry.content?.size ?? 0) >= large }
    return [ResolvedManifest(entries: root.entries.filter { !isLarge($0) })]
      + root.entries.filter(isLarge).map { ResolvedManifest(entries: [$0]) }
  }

  /// The archives' compressed files, in their order; each has the name under which the cache keeps it.
  private func compressed(_ archives: [(name: String, ResolvedManifest)]) async throws -> [FilePath] {
    let compressor = try await firstLine(of: tool("xz", ["--version"]))
    return try await withThrowingTaskGroup(of: (Int, FilePath).self) { group in
      for (index, (name, archive)) in archives.enumerated() {
        let plain = try await written(archive, as: "\(name).cpio")
        group.addTask { [cache, compression] in
          let recipe = CompressedArchive(
            name: name, plain: plain.path, digest: plain.digest, compression: compression,
            compressor: compressor)
          let part = try await cache.part(recipe)
          try removeTree(plain.path)
          return (index, part.folder.appending(CompressedArchive.file))
        }
      }
      var files: [Int: FilePath] = [:]
      for try await (index, file) in group { files[index] = file }
      return archives.indices.compactMap { files[$0] }
    }
  }

  /// Writes a manifest's archive.
  private func written(
    _ manifest: ResolvedManifest, as name: String
  ) async throws -> (path: FilePath, digest: SHA256) {
    let plain = work.appending(name)
    try await write(to: plain, mode: .ownerReadWrite) { try writeCpio(manifest, $0) }
    return (plain, try SHA256(contentsOf: plain))
  }
}

/// A part of the root's archive, compressed.
private struct CompressedArchive: Recipe {
  static let file = "archive.xz"

  let name: String
  let plain: FilePath
  let digest: SHA256
  let compression: RootCompression
  /// The first line with which xz says what it is.
  let compressor: String

  var title: String { name }
  var inputs: [Input] {
    [
      Input("recipe", "1"), Input("plain", digest.description),
      Input("options", compression.options.joined(separator: " ")),
      Input("compressor", compressor),
    ]
  }

  func build(in room: Room) async throws {
    let packed = room.result.appending(Self.file)
    let file = try fileOperation(packed, "Make room for it") {
      try FileDescriptor.open(
        packed, .writeOnly, options: [.create, .exclusiveCreate],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    }
    defer { try? file.close() }
    try await compress(plain, compression, to: file)
  }
}
