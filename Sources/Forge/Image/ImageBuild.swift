import BootServer
import Foundation
import SystemPackage
import Target
import Workshop

/// An image that was built.
public struct BuiltImage: Sendable {
  /// The CD image, or the folder for the network.
  public let path: FilePath
  /// Its bill of materials, as JSON.
  public let bill: FilePath
}

/// Makes an image and its bill of materials in `folder`, which holds neither yet. The same parts give the same bytes,
/// whoever builds them, where and when.
///
/// - Parameter destination: where they go from there, for sentences; nil when they stay.
public func buildImage(
  _ medium: Medium, from parts: ImageParts, in folder: FilePath, goingTo destination: FilePath? = nil
) async throws -> BuiltImage {
  guard let profile = parts.target.image else {
    throw BuildError.input("There are no images for \(parts.target.name).")
  }
  let output = folder.appending(medium.outputName)
  let billPath = folder.appending(medium.billName)
  let kernel = try KernelImage(parts.kernel.path, form: profile.kernel)
  let holdsKey = parts.credential?.key != nil
  guard !holdsKey || !medium.isPublic else {
    throw BuildError.input(
      "A network boot tree cannot hold a cluster's key: anybody can fetch it by TFTP. Leave the credential public.")
  }
  // A reader of the key can join.
  let outputMode: FilePermissions = holdsKey ? .ownerReadWrite : [.ownerReadWrite, .groupRead, .otherRead]
  let root = try Manifest(root: parts.root).resolved().sealed()
  try await withTemporaryFolder(in: folder) { work in
    try fileOperation(work, "Choose another folder") {
      guard chmod(work.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
    }
    let archive = work.appending("chaos.rdz")
    let publicPart = try await pack(root, parts.credential, profile.compression, in: work, to: archive)
    let content = try Manifest(
      medium.fixedEntries(parts, profile) + medium.rootEntries(archive, publicPart: publicPart)
    ).resolved()
    let bill = try BillOfMaterials(
      target: parts.target.name, kernel: kernel.version,
      hybridSector: medium == .cd ? profile.hybridSector.map { "\(try SHA256(contentsOf: $0))" } : nil,
      medium: items(on: medium, content, profile),
      root: root.entries.map { try .init($0) }, sources: parts.sources,
      cluster: try parts.credential.map {
        .init(name: $0.cluster, fingerprint: $0.fingerprint, mayAdmit: $0.key != nil, credential: try $0.items)
      })
    try requireRoom(in: destination ?? folder, for: content)
    try await write(bill.json, to: billPath)
    switch medium {
    case .cd:
      let tree = work.appending("cd")
      try await write(content, asFolder: tree)
      // It has its mode before it has any content.
      try await write([], to: output, mode: outputMode)
      try await writeCD(tree, bootWays: profile.bootWays, to: output)
    case .network: try await write(content, asFolder: output)
    }
  }
  return BuiltImage(path: output, bill: billPath)
}

/// Packs the root, and what the image carries of a cluster behind it, as they lie on a medium. Gives how much of it everybody
/// may have.
private func pack(
  _ root: ResolvedManifest, _ credential: Credential?, _ compression: RootCompression, in work: FilePath,
  to archive: FilePath
) async throws -> PublicPart {
  let file = try fileOperation(archive, "Choose another folder") {
    try FileDescriptor.open(archive, .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
  }
  defer { try? file.close() }
  func append(_ manifest: ResolvedManifest, _ name: String) async throws {
    let plain = work.appending(name)
    try await write(to: plain, mode: .ownerReadWrite) { try writeCpio(manifest, $0) }
    try await compress(plain, compression, to: file)
    try fileOperation(plain, "Choose another folder") { try FileManager.default.removeItem(atPath: plain.string) }
  }
  try await append(root, "root.cpio")
  let size = try fileOperation(archive, "Choose another folder") { try file.seek(offset: 0, from: .end) }
  let publicPart = PublicPart(size: Int(size), digest: try SHA256(contentsOf: archive).bytes)
  // The kernel unpacks one archive after the other (Documentation/driver-api/early-userspace/buffer-format.rst).
  if let credential { try await append(credential.manifest.resolved(), "credential.cpio") }
  return publicPart
}

extension ImageProfile {
  /// The beginning of a medium that also boots as a disk.
  fileprivate var hybridSector: FilePath? { bootWays.compactMap(\.hybridSector).first }
}

/// The medium's files for the bill; the CD's writer adds one.
private func items(
  on medium: Medium, _ content: ResolvedManifest, _ profile: ImageProfile
) throws -> [BillOfMaterials.Item] {
  let loaders = medium == .cd ? Set(profile.bootWays.map(\.loaderOnCD)) : []
  var items = try content.entries.map { try BillOfMaterials.Item($0, bootLoader: loaders.contains($0.entry.path)) }
  if medium == .cd {
    items.append(
      .init(
        path: bootCataloguePath, kind: .file, mode: "0644", user: 0, group: 0, why: "boot catalogue (El Torito)",
        origin: "\(Origin.ours)"))
  }
  return items.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
}

/// Throws a sentence when the disk is too full for the medium, which is there twice for a moment.
private func requireRoom(in folder: FilePath, for content: ResolvedManifest) throws {
  let needed = content.entries.reduce(1 << 20) { $0 + 2 * ($1.content?.size ?? 0) }
  var space = statvfs()
  guard statvfs(folder.string, &space) == 0 else { return }
  let free = Int(space.f_bavail) * Int(space.f_frsize)
  guard free >= needed else {
    func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
    throw BuildError.input(
      "\(folder) has room for \(megabytes(free)), and \(megabytes(needed)) are needed. Make room or choose another folder."
    )
  }
}

// MARK: - What a build depends on

extension ImageParts {
  /// A digest over all that an image is made from, files by a look from outside.
  func digest(for medium: Medium, _ profile: ImageProfile) throws -> SHA256 {
    let carried = try credential?.manifest.entries ?? []
    return try appearance(
      of: Manifest(root: root).entries + medium.fixedEntries(self, profile) + carried,
      and: profile.bootWays.compactMap(\.hybridSector), sources.map { "\($0)" } + [target.name])
  }
}

/// A digest over what something is made from: entries, their files by a look from outside, other files, and words. This
/// program is one of the files, since it writes the rest.
public func appearance(of entries: [Entry], and files: [FilePath] = [], _ words: [String]) throws -> SHA256 {
  var hasher = SHA256.Hasher()
  for entry in entries {
    hasher.add("\(entry.path) \(entry.mode) \(entry.owner) \(entry.why) \(entry.origin)")
    switch entry.kind {
    case .file(.file(let source)): hasher.add("\(try status(of: source.followed()).identity)")
    case .file(.bytes(let bytes)): hasher.add(bytes)
    default: hasher.add("\(entry.kind)")
    }
  }
  for word in words { hasher.add(word) }
  for file in files + ["/proc/self/exe"] { hasher.add("\(try status(of: file.followed()).identity)") }
  return hasher.finish()
}
