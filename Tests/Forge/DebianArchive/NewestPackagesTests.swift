import BuildCache
import Foundation
import SystemPackage
import Testing
import Workshop

@testable import DebianArchive

/// Fetched by the real apt from an archive in a folder.
@Suite struct NewestPackagesTests {
  private func withArchive(_ body: (LocalArchive, BuildCache) async throws -> Void) async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let archive = LocalArchive(folder: folder.appending("archive"))
      try await archive.publish(openssl: ["3.0.9-1"])
      try await body(archive, BuildCache(folder: folder.appending("cache")))
    }
  }

  private func recipe(_ packages: [String], from archive: LocalArchive) -> NewestPackages {
    NewestPackages(packages, name: "packages", title: "Packages", from: archive.origin)
  }

  @Test("a package comes as it was delivered; once in the cache, no archive is asked")
  func fetched() async throws {
    try await withArchive { archive, cache in
      let recipe = recipe(["linux-source-6.1"], from: archive)
      let part = try await cache.part(recipe)
      let file = try NewestPackages.file(of: "linux-source-6.1", in: part.folder)
      #expect(try PackageDescription(file).version == "6.1.9-1")
      try removeTree(archive.folder)
      #expect(try await cache.part(recipe).folder == part.folder)
      let error = #expect(throws: BuildError.self) { try NewestPackages.file(of: "linux", in: part.folder) }
      #expect(error.map { "\($0)".contains("does not hold the package linux: remove that folder") } == true)
    }
  }

  @Test("what the archive does not have is one sentence with apt's reason, and no part")
  func missing() async throws {
    try await withArchive { archive, cache in
      let recipe = recipe(["linux-source-6.1", "shim-signed"], from: archive)
      let error = await #expect(throws: BuildError.self) { try await cache.part(recipe) }
      let said = error.map { "\($0)" } ?? ""
      #expect(
        said.hasPrefix("linux-source-6.1, shim-signed are not in the cache and apt could not fetch them (")
          && said.contains("shim-signed") && said.hasSuffix("once and build again."), "\(said)")
      #expect(!exists(cache.location(of: recipe)))
    }
  }

  @Test("without an archive it is the same sentence")
  func offline() async throws {
    try await withArchive { archive, cache in
      let recipe = recipe(["linux-source-6.1"], from: archive)
      try removeTree(archive.folder.appending("dists"))
      let error = await #expect(throws: BuildError.self) { try await cache.part(recipe) }
      let said = error.map { "\($0)" } ?? ""
      #expect(said.hasPrefix("linux-source-6.1 is not in the cache and apt could not fetch it ("), "\(said)")
    }
  }
}
