import BuildCache
import Foundation
import SystemPackage
import Workshop

/// Debian's newest packages of some names, in the cache as they were delivered: what is taken out of them can be taken
/// again without the network. Nothing of them is installed.
public struct NewestPackages: Recipe {
  public let packages: [String]
  public let name: String
  public let title: String
  private let origin: PackageOrigin

  /// - Parameters:
  ///   - name: of files in the cache.
  ///   - title: for people.
  public init(_ packages: [String], name: String, title: String, from origin: PackageOrigin = .machine) {
    (self.packages, self.name, self.title, self.origin) = (packages, name, title, origin)
  }

  public var inputs: [Input] { [Input("recipe", "1"), Input("packages", packages.joined(separator: " "))] }

  public func build(in room: Room) async throws {
    try await fetching(packages, log: room.log) {
      let archive = try await PackageArchive.opened(origin, work: room.work.appending("apt"), log: room.log)
      for package in packages {
        try await archive.download(package, to: room.result)
        _ = try Self.file(of: package, in: room.result)
      }
    }
  }

  /// A package's file in the folder of a finished part. Throws a sentence when it is not there.
  public static func file(of package: String, in folder: FilePath) throws -> FilePath {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.string)
    guard let name = names.first(where: { $0.hasPrefix("\(package)_") && $0.hasSuffix(".deb") }) else {
      throw BuildError.input("\(folder) does not hold the package \(package): remove that folder and build again.")
    }
    return folder.appending(name)
  }
}

/// Runs `fetch`, which asks an archive for packages. When it fails, one sentence says what is missing, what apt said, and
/// what to do.
///
/// - Parameter otherwise: what else can be done; it continues the sentence.
public func fetching<Result>(
  _ packages: [String], log: FilePath, otherwise: String = "", _ fetch: () async throws -> Result
) async throws -> Result {
  do {
    return try await fetch()
  } catch let error as BuildError {
    let said = PackageArchive.errors(in: String(decoding: (try? contents(of: log)) ?? [], as: UTF8.self)).first
    throw BuildError.input(
      "\(packages.joined(separator: ", ")) \(packages.count == 1 ? "is" : "are") not in the cache and apt could not "
        + "fetch \(packages.count == 1 ? "it" : "them") (\(said ?? "\(error)")): connect this machine to its Debian "
        + "archive once and build again\(otherwise).")
  }
}
