import BootServer
import BuildCache
import DroneLayout
import FATVolume
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
/// - Parameters:
///   - destination: where they go from there, for sentences; nil when they stay.
///   - archives: where compressed parts of a drone's root are kept for the next image; nil for nowhere.
public func buildImage(
  _ medium: Medium, from parts: ImageParts, in folder: FilePath, goingTo destination: FilePath? = nil,
  archives: (@Sendable (DroneTarget) -> BuildCache)? = nil
) async throws -> BuiltImage {
  let output = folder.appending(medium.outputName(for: parts.target))
  let billPath = folder.appending(medium.billName(for: parts.target))
  let holdsKey = parts.credential?.key != nil
  guard !holdsKey || !medium.isPublic else {
    throw BuildError.input(
      "A network boot tree cannot hold a cluster's key: anybody can fetch it by TFTP. Leave the credential public.")
  }
  // A reader of the key can join.
  let outputMode: FilePermissions = holdsKey ? .ownerReadWrite : [.ownerReadWrite, .groupRead, .otherRead]
  let drones = try parts.drones.map { try ResolvedDrone($0) }
  try await withTemporaryFolder(in: folder) { work in
    try fileOperation(work, "Choose another folder") {
      guard chmod(work.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
    }
    var roots: [Entry] = []
    for drone in drones {
      let archive = work.appending("\(drone.target.name).rdz")
      let packing = RootPacking(
        drone.profile.compression, in: work,
        keeping: archives?(drone.target) ?? BuildCache(folder: work.appending("archives-\(drone.target.name)")))
      let publicPart = try await packing.pack(drone.root, drone.modules, parts.credential, to: archive)
      roots += medium.rootEntries(archive, at: parts.target.place(of: drone.target), publicPart: publicPart)
    }
    let unified = try await medium.unifiedKernel(of: parts, in: work)
    if medium == .network { roots += unified }
    let own = medium == .cd ? try await unified + parts.signedEntries(in: work) : []
    let content = try Manifest(medium.fixedEntries(parts) + roots).resolved()
    let partition = try Manifest(medium.partitionEntries(parts, own: own)).resolved()
    let bill = try BillOfMaterials(
      target: parts.target.name,
      hybridSector: medium == .cd ? parts.target.hybridSector.map { "\(try SHA256(contentsOf: $0))" } : nil,
      medium: items(on: medium, content, parts.target),
      efiPartition: partition.entries.isEmpty ? nil : try partition.entries.map { try .init($0) },
      drones: drones.map { try $0.bill }, unified: medium.unifiedRecord(parts), sources: parts.sources,
      cluster: try parts.credential.map {
        .init(name: $0.cluster, fingerprint: $0.fingerprint, mayAdmit: $0.key != nil, credential: try $0.items)
      })
    try requireRoom(in: destination ?? folder, for: content, partition)
    try await write(bill.json, to: billPath)
    switch medium {
    case .cd:
      let tree = work.appending("cd")
      try await write(content, asFolder: tree)
      // It has its mode before it has any content.
      try await write([], to: output, mode: outputMode)
      let volume = work.appending("efi")
      try await write(partition, asVolume: volume)
      try await writeCD(tree, partition: volume, bootWays: parts.target.bootWays, to: output)
    case .network: try await write(content, asFolder: output)
    }
  }
  return BuiltImage(path: output, bill: billPath)
}

extension Medium {
  /// Makes the program of a drone's kernel, root and boot line in `work`, where the packed root is, and gives its entries;
  /// none for a medium without one.
  fileprivate func unifiedKernel(of parts: ImageParts, in work: FilePath) async throws -> [Entry] {
    guard hasUnifiedKernel(parts), let wide = parts.target.wide,
      let drone = parts.drones.first(where: { $0.target.name == wide.name })
    else { return [] }
    let stub = try parts.loader("/\(MediumPath.bootStub)", "makes one program of kernel and root")
    let program = work.appending("unified")
    try await UnifiedKernelFile(
      stub: stub.path, kernel: drone.kernel.path, root: work.appending("\(wide.name).rdz"),
      commandLine: unifiedCommandLine(parts)
    ).write(to: program)
    guard let signer = parts.signer else { return unifiedEntries(program, parts) }
    let signed = work.appending("unified-signed")
    try await signer.sign(program, to: signed)
    return unifiedEntries(signed, parts)
  }

  /// What the bill says of that program.
  fileprivate func unifiedRecord(_ parts: ImageParts) throws -> BillOfMaterials.UnifiedKernel? {
    guard hasUnifiedKernel(parts) else { return nil }
    return .init(
      words: parts.words, key: parts.signer?.name, certificate: parts.signer.map { "\(SHA256($0.certificate))" })
  }
}

/// A drone's parts, each file looked at once.
private struct ResolvedDrone {
  let target: DroneTarget
  let profile: ImageProfile
  let kernel: KernelImage
  let root: ResolvedManifest
  let modules: ResolvedManifest?

  init(_ parts: DroneParts) throws {
    guard let profile = parts.target.image else {
      throw BuildError.input("There are no images for \(parts.target.name).")
    }
    (target, self.profile) = (parts.target, profile)
    kernel = try KernelImage(parts.kernel.path, form: profile.kernel)
    root = try parts.rootManifest.resolved().sealed()
    modules = try parts.modules?.resolved()
  }

  var bill: BillOfMaterials.Drone {
    get throws {
      .init(
        target: target.name, kernel: kernel.version, root: try root.entries.map { try .init($0) },
        modules: try modules.map { .init(files: try $0.entries.map { try .init($0) }) })
    }
  }
}

extension ImageTarget {
  /// The beginning of a medium that also boots as a disk.
  fileprivate var hybridSector: FilePath? { bootWays.compactMap(\.hybridSector).first }
}

/// The medium's files for the bill; the CD's writer adds one.
private func items(
  on medium: Medium, _ content: ResolvedManifest, _ target: ImageTarget
) throws -> [BillOfMaterials.Item] {
  let loaders = medium == .cd ? Set(target.bootWays.compactMap(\.loaderOnCD)) : []
  var items = try content.entries.map { try BillOfMaterials.Item($0, bootLoader: loaders.contains($0.entry.path)) }
  if medium == .cd {
    items.append(
      .init(
        path: bootCataloguePath, kind: .file, mode: "0644", user: 0, group: 0, why: "boot catalogue (El Torito)",
        origin: "\(Origin.ours)"))
  }
  return items.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
}

/// Writes the files as an EFI system partition's volume; nothing for none.
private func write(_ content: ResolvedManifest, asVolume file: FilePath) async throws {
  let files = try content.entries.compactMap { entry in
    try entry.content.map { (path: entry.entry.path, content: try $0.bytes()) }
  }
  guard !files.isEmpty else { return }
  try await Workshop.write(FATVolume(label: "DRONE", files: files).bytes(), to: file)
}

/// Throws a sentence when the disk is too full for the medium, which is there twice for a moment.
private func requireRoom(in folder: FilePath, for content: ResolvedManifest...) throws {
  let needed = content.flatMap(\.entries).reduce(1 << 20) { $0 + 2 * ($1.content?.size ?? 0) }
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
  func digest(for medium: Medium) throws -> SHA256 {
    let roots = try drones.flatMap { try $0.rootManifest.entries + ($0.modules?.manifest.entries ?? []) }
    let carried = try credential?.manifest.entries ?? []
    return try appearance(
      of: roots + medium.fixedEntries(self) + medium.partitionEntries(self) + carried + stubEntry(on: medium),
      and: target.bootWays.compactMap(\.hybridSector),
      sources.map { "\($0)" } + [target.name] + drones.map(\.target.name) + words
        + (signer.map { ["signer \($0.name) \(SHA256($0.certificate))"] } ?? []))
  }
}

extension ImageParts {
  /// What a network tree has in the program that it holds, and not by itself.
  private func stubEntry(on medium: Medium) -> [Entry] {
    guard medium == .network, let stub = loaders["/\(MediumPath.bootStub)"] else { return [] }
    return [.file("/\(MediumPath.bootStub)", .file(stub.path), why: "", origin: stub.origin)]
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
