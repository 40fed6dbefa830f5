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

  @Test("an archive without firmware gives none, and a sentence names the component that has it")
  func noFirmware() async throws {
    try await withArchive { archive, cache in
      let part = try await cache.part(FirmwarePackages(from: archive.origin))
      #expect(try FirmwarePackages.files(in: part) == [])
      #expect(try FirmwarePackages.advice(part)?.contains("do not name Debian's component non-free-firmware") == true)
      for (name, isEnough) in [("firmware-linux-free_1_all.deb", false), ("firmware-realtek_1_all.deb", true)] {
        try await write([], to: part.folder.appending(name))
        #expect(try (FirmwarePackages.advice(part) == nil) == isEnough)
      }
    }
  }

  @Test("an entry with firmware's component alone is read only where firmware is asked for")
  func components() {
    let text = "deb http://a bookworm main\ndeb http://b bookworm non-free-firmware\n"
    #expect(
      SourceLists(codename: "bookworm").converted(classic: text)
        == "deb http://a bookworm main\ndeb-src http://a bookworm main\n")
    let both = SourceLists(codename: "bookworm", components: ["main", "non-free-firmware"]).converted(classic: text)
    #expect(both.contains("deb http://b bookworm non-free-firmware\n"))
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
