import DebianArchive
import Foundation
import SystemPackage
import Workshop

/// A kernel and its modules with their indices. Out of a package, as far as it was wanted; none of its scripts ran.
public struct UnpackedKernel: Sendable {
  /// As `uname -r` gives it: `6.1.0-57-amd64`.
  public let release: String
  public let kernel: FilePath
  /// Nil where the package has none.
  public let configuration: FilePath?
  /// A folder with `lib/modules/RELEASE` and its indices.
  public let base: FilePath
  /// Whether the files are somebody's, to be copied and never moved.
  let isBorrowed: Bool

  public var folder: FilePath { base.appending("lib/modules").appending(release) }

  /// Unpacks into `folder`. Throws a sentence for what is no kernel's package, and for one without modules.
  ///
  /// - Parameters:
  ///   - wanted: asked for each file below `lib/modules/RELEASE`, by its path there.
  ///   - log: where depmod writes.
  public init(
    _ file: FilePath, to folder: FilePath, log: FilePath, modules wanted: (Substring) -> Bool = { _ in true }
  ) async throws {
    let description = try PackageDescription(file)
    let boot = "/boot/vmlinuz-"
    try Payload.extract(file, to: folder) { path in
      let path = path.hasPrefix("/usr/lib/") ? path.dropFirst(4) : path[...]
      if path.hasPrefix(boot) || path.hasPrefix("/boot/config-") { return true }
      guard path.hasPrefix("/lib/modules/") else { return false }
      let inside = path.dropFirst("/lib/modules/".count)
      guard let slash = inside.firstIndex(of: "/") else { return false }
      return wanted(inside[inside.index(after: slash)...])
    }
    func names(in place: FilePath) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: place.string)) ?? []).sorted()
    }
    guard let name = names(in: folder.appending("boot")).first(where: { $0.hasPrefix("vmlinuz-") }) else {
      let other = description.fields["Depends"].map { " It depends on \($0): give that package's file." } ?? ""
      throw BuildError.input("\(file) holds no kernel: there is no \(boot)… in \(description.name).\(other)")
    }
    let release = String(name.dropFirst("vmlinuz-".count))
    let bases = [folder, folder.appending("usr")]
    guard let base = bases.first(where: { exists($0.appending("lib/modules").appending(release)) }) else {
      let others = bases.flatMap { names(in: $0.appending("lib/modules")) }
      throw BuildError.input(
        others.isEmpty
          ? "\(file) holds a kernel without modules: there is no /lib/modules/\(release) in it."
          : "\(file) holds modules for \(others.joined(separator: ", ")) and a kernel \(release): they belong to others."
      )
    }
    let configuration = folder.appending("boot").appending("config-\(release)")
    (self.release, self.base, isBorrowed) = (release, base, false)
    kernel = folder.appending("boot").appending(name)
    self.configuration = exists(configuration) ? configuration : nil
    try await index(log)
  }

  /// Looks at a kernel and modules where they lie; only the indices are written, below `folder`.
  ///
  /// - Parameters:
  ///   - configuration: the kernel's, as text.
  ///   - modules: `lib/modules/RELEASE`.
  init(
    _ kernel: FilePath, _ configuration: String, _ modules: FilePath, release: String, to folder: FilePath,
    log: FilePath
  ) async throws {
    (self.kernel, self.release, base, isBorrowed) = (kernel, release, folder, true)
    let file = folder.appending("config")
    self.configuration = file
    let place = folder.appending("lib/modules").appending(release)
    try makeFolder(place)
    try await write(configuration.utf8, to: file)
    let names = try FileManager.default.contentsOfDirectory(atPath: modules.string)
    let read = ["modules.order", "modules.builtin", "modules.builtin.modinfo"]
    for name in names where read.contains(name) || !name.hasPrefix("modules.") && !["build", "source"].contains(name) {
      try fileOperation(place.appending(name), "Make room for it") {
        try FileManager.default.createSymbolicLink(
          atPath: place.appending(name).string, withDestinationPath: absolute(modules.appending(name)).string)
      }
    }
    try await index(log)
  }

  private func index(_ log: FilePath) async throws {
    try await tool("/usr/sbin/depmod", ["-b", base.string, release]).run(log: log)
  }

  /// Brings one of its files elsewhere.
  func take(_ file: FilePath, to place: FilePath) throws {
    guard isBorrowed else { return try move(file, to: place) }
    try fileOperation(place, "Make room for it or choose another folder") {
      let bytes = try contents(of: file)
      let output = try FileDescriptor.open(
        place, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
      try output.closeAfter { _ = try output.writeAll(bytes) }
    }
  }
}

/// Downloads Debian's newest kernel into `folder` and gives its package's file. Throws `BuildError`.
///
/// - Parameters:
///   - metapackage: the package whose dependency it is: `linux-image-amd64`.
///   - work: an empty folder for apt.
public func downloadNewestKernel(
  _ metapackage: String, to folder: FilePath, work: FilePath, log: FilePath
) async throws -> FilePath {
  func delivered(_ name: String) throws -> FilePath {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
    guard let file = names.first(where: { $0.hasPrefix("\(name)_") && $0.hasSuffix(".deb") }) else {
      throw BuildError.input("apt reported success but did not deliver \(name).")
    }
    return folder.appending(file)
  }
  let archive = try await PackageArchive.opened(.machine, work: work, log: log)
  try makeFolder(folder)
  try await archive.download(metapackage, to: folder)
  let meta = try delivered(metapackage)
  let depends = try PackageDescription(meta).fields["Depends"] ?? "nothing"
  try removeTree(meta)
  // `linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)`
  let package = String(depends.prefix { $0 != " " && $0 != "," })
  guard package.hasPrefix("linux-image-") else {
    throw BuildError.input("\(metapackage) depends on \(depends), which is no kernel.")
  }
  try await archive.download(package, to: folder)
  return try delivered(package)
}
