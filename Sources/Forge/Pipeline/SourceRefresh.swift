import DebianArchive
import Recipes
import SystemPackage
import Workshop

/// Asks the Debian archive for newer versions of the sources and takes those that it delivers. What is built from them is
/// built anew when it is next wanted.
public struct SourceRefresh: Sendable {
  /// Some of the packages by their names; empty for all.
  public let packages: [String]
  public let cache: FilePath

  public init(packages: [String], cache: FilePath) {
    self.packages = packages
    self.cache = cache
  }

  /// Gives a sentence for each package. Throws `BuildError` when the archive does not answer; what is there stays.
  public func run() async throws -> [String] {
    try requirePlain(cache, "The cache", "Set XDG_CACHE_HOME to another folder.")
    let sources = sourceCache(in: cache)
    let wanted = try packages.map { name in
      guard let package = sourcePackages.first(where: { $0.name == name }) else {
        throw BuildError.input(
          "No package \(name) is built: name \(sourcePackages.map(\.name).joined(separator: ", ")), or none for all.")
      }
      return package
    }
    var pipeline = Pipeline()
    let known = pipeline.stage { try await Sources.prepared(sourcePackages, in: sources, $0) }
    let said = pipeline.stage { progress in
      try await known.result.refresh(wanted.isEmpty ? sourcePackages : wanted, in: sources, progress)
    }
    try await pipeline.run()
    return try said.result
  }
}
