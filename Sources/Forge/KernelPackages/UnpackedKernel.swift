import DebianArchive
import Foundation
import SystemPackage
import Workshop

/// A package of a kernel, unpacked as far as it was wanted; none of its scripts ran.
public struct UnpackedKernel: Sendable {
  /// The package's name and version: `linux-image-6.1.0-57-amd64`, `6.1.192-3`.
  public let package: String
  public let version: String
  /// As `uname -r` gives it: `6.1.0-57-amd64`.
  public let release: String
  public let kernel: FilePath
  /// Nil where the package has none.
  public let configuration: FilePath?
  /// A folder with `lib/modules/RELEASE` and its indices.
  public let base: FilePath

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
    (package, version) = (description.name, description.version)
    (self.release, self.base) = (release, base)
    kernel = folder.appending("boot").appending(name)
    self.configuration = exists(configuration) ? configuration : nil
    try await tool("/usr/sbin/depmod", ["-b", base.string, release]).run(log: log)
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
