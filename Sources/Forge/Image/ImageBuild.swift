import BootServer
import Foundation
import SystemPackage
import Workshop

/// An image that was built, or found to be up to date.
public struct BuiltImage: Sendable {
  /// The CD image, or the folder for the network.
  public let path: FilePath
  /// Its bill of materials, as JSON.
  public let bill: FilePath
  /// Nothing had changed since it was built and checked.
  public let unchanged: Bool
}

/// Makes an image and its bill of materials in `folder`.
///
/// Both are made under temporary names, then `check` looks at them, and only then do they take the place of previous ones;
/// when anything throws, those stay as they were. The same parts give the same bytes, whoever builds them, where and when.
/// Parts that look the same as those of the last build (by size and times) are not read again, and `check` is not called.
public func buildImage(
  _ medium: Medium, from parts: ImageParts, in folder: FilePath,
  check: (_ image: FilePath, _ bill: BillOfMaterials) async throws -> Void = { _, _ in }
) async throws -> BuiltImage {
  let output = folder.appending(medium.outputName)
  let billPath = folder.appending(medium.billName)
  let kernel = try KernelImage(parts.kernel)
  let root = try Manifest(root: parts.root)
  let credential = try parts.credential?.manifest
  let holdsKey = parts.credential?.key != nil
  guard !holdsKey || medium == .cd else {
    throw BuildError.input(
      "A network boot tree cannot hold a cluster's key: anybody can fetch it by TFTP. Leave the credential public.")
  }
  // Whoever can read a key can join.
  let outputMode: FilePermissions = holdsKey ? .ownerReadWrite : [.ownerReadWrite, .groupRead, .otherRead]
  let mark = folder.appending(".\(medium.outputName).inputs")
  let inputs = try fingerprint(
    [root, medium.manifest(parts, archive: .bytes([]), publicPart: PublicPart(of: []))]
      + [credential].compactMap(\.self), parts)
  if let before = try? contents(of: mark), let outputs = try? outputsFingerprint([output, billPath]),
    before == inputs + outputs
  {
    return BuiltImage(path: output, bill: billPath, unchanged: true)
  }

  let sealed = try root.sealed()
  try await withTemporaryFolder(in: folder) { work in
    try fileOperation(work, "Choose another folder") {
      guard chmod(work.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
    }
    let plain = work.appending("root.cpio")
    try await write(cpioArchive(of: sealed), to: plain)
    var archive = try await compressed(plain)
    let publicPart = PublicPart(of: archive)
    if let credential {
      // The kernel unpacks one archive after the other (Documentation/driver-api/early-userspace/buffer-format.rst).
      let secret = work.appending("credential.cpio")
      try await write(cpioArchive(of: credential), to: secret, mode: .ownerReadWrite)
      archive += try await compressed(secret)
    }
    let content = try medium.manifest(parts, archive: .bytes(archive), publicPart: publicPart)
    let bill = try BillOfMaterials(
      target: parts.target, kernel: kernel.version,
      hybridSector: medium == .cd ? "\(SHA256(contentsOf: parts.bootLoader.hybridSector))" : nil,
      medium: items(on: medium, content),
      root: sealed.entries.map { try .init($0) }, sources: parts.sources,
      cluster: try parts.credential.map {
        .init(name: $0.cluster, fingerprint: $0.fingerprint, mayAdmit: $0.key != nil, credential: try $0.items)
      })
    try requireRoom(in: folder, for: content)

    try await replacing(billPath) { newBill in
      try await write(bill.json, to: newBill)
      switch medium {
      case .cd:
        let tree = work.appending("cd")
        try await write(content, asFolder: tree)
        try await replacing(output, mode: outputMode) { image in
          // It has its mode before it has any content.
          try await write([], to: image, mode: outputMode)
          try await writeCD(tree, hybridSector: parts.bootLoader.hybridSector, to: image)
          try await check(image, bill)
          try Task.checkCancellation()
        }
      case .network:
        try await replacingFolder(output) { tree in
          try await write(content, asFolder: tree)
          try await check(tree, bill)
          try Task.checkCancellation()
        }
      }
    }
  }
  try await write(inputs + outputsFingerprint([output, billPath]), to: mark)
  return BuiltImage(path: output, bill: billPath, unchanged: false)
}

extension PublicPart {
  fileprivate init(of root: [UInt8]) {
    self.init(size: root.count, digest: SHA256(root).bytes)
  }
}

/// The medium's files for the bill; the CD's writer adds one.
private func items(on medium: Medium, _ content: Manifest) throws -> [BillOfMaterials.Item] {
  var items = try content.entries.map { try BillOfMaterials.Item($0, bootLoader: $0.path == bootLoaderPath) }
  if medium == .cd {
    items.append(
      .init(path: bootCataloguePath, kind: .file, mode: "0644", user: 0, group: 0, why: "boot catalogue (El Torito)"))
  }
  return items.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
}

/// Throws a sentence when the disk is too full for the medium, which is there twice for a moment.
private func requireRoom(in folder: FilePath, for content: Manifest) throws {
  var needed = 1 << 20
  for case .file(let source) in content.entries.map(\.kind) { needed += 2 * (try source.read().count) }
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

/// A digest over all that the outputs are made from, files by a look from outside.
private func fingerprint(_ manifests: [Manifest], _ parts: ImageParts) throws -> [UInt8] {
  var hasher = SHA256.Hasher()
  for entry in manifests.flatMap(\.entries) {
    hasher.add("\(entry.path) \(entry.mode) \(entry.owner) \(entry.why)")
    switch entry.kind {
    case .file(.file(let source)): hasher.add("\(try status(of: source.followed()).identity)")
    case .file(.bytes(let bytes)): hasher.add(bytes)
    default: hasher.add("\(entry.kind)")
    }
  }
  for source in parts.sources { hasher.add("\(source)") }
  hasher.add(parts.target)
  // This program writes the rest.
  for file in [parts.bootLoader.hybridSector, "/proc/self/exe"] {
    hasher.add("\(try status(of: file.followed()).identity)")
  }
  return hasher.finish().bytes
}

/// A digest over the outputs as they lie there, also by a look; throws when one is missing.
private func outputsFingerprint(_ outputs: [FilePath]) throws -> [UInt8] {
  var hasher = SHA256.Hasher()
  for output in outputs {
    let look = try status(of: output)
    hasher.add("\(look.identity)")
    if look.kind == .directory {
      for entry in try filesAsTheyAre(output) { hasher.add("\(try status(of: FilePath(output.string + entry.path)))") }
    }
  }
  return hasher.finish().bytes
}
