import BuildCache
import Foundation
import SystemPackage
import Testing
import Workshop

@testable import BootLoaders
@testable import Target

/// Packages are made by dpkg-deb.
@Suite struct EFILoadersTests {
  /// Without what is made: that takes GRUB's real modules, and images are made of it.
  private static let parts = GRUB.debian.parts.filter(\.modules.isEmpty) + [GRUB.debian.stub]

  private func withFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory()), body)
  }

  /// Makes a package of every name that the loader asks for, but `missing`; each file holds its own path and `mark`.
  private func publish(
    in folder: FilePath, without file: String = "", missing: String = "", mark: String = ""
  ) async throws {
    try makeFolder(folder)
    for package in Set(Self.parts.map(\.package)) where package != missing {
      let tree = folder.appending("tree-\(package)")
      try makeFolder(tree.appending("DEBIAN"))
      try await write(
        "Package: \(package)\nVersion: 1+2\nArchitecture: amd64\nMaintainer: nobody\nDescription: a test\n".utf8,
        to: tree.appending("DEBIAN/control"))
      try await write(
        "#!/bin/sh\ntouch /ran\n".utf8, to: tree.appending("DEBIAN/postinst"),
        mode: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
      for part in Self.parts where part.package == package && part.file != file {
        let place = FilePath(tree.string + part.file)
        try makeFolder(place.removingLastComponent())
        try await write((part.file + mark).utf8, to: place)
      }
      _ = try await tool(
        "dpkg-deb",
        ["-Znone", "--root-owner-group", "--build", tree.string, folder.appending("\(package)_1+2_amd64.deb").string]
      ).output()
      try removeTree(tree)
    }
  }

  @Test("every file comes out of its package, with the package's name, version and digest")
  func whole() async throws {
    try await withFolder { folder in
      let packages = folder.appending("packages")
      try await publish(in: packages)
      let recipe = try EFILoaders(Self.parts, from: packages)
      let files = recipe.files(in: try await BuildCache(folder: folder.appending("cache")).part(recipe))
      #expect(files.map(\.place) == Self.parts.map(\.place))
      for (file, part) in zip(files, Self.parts) {
        #expect(try contents(of: file.file) == [UInt8](part.file.utf8))
        #expect("\(file.origin)" == "package \(part.package) 1+2")
      }
      #expect(recipe.records.map(\.package) == Set(Self.parts.map(\.package)).sorted())
      for record in recipe.records {
        #expect(try record.sha256 == "\(SHA256(contentsOf: packages.appending(record.name)))")
        #expect(record.version == "1+2")
      }
    }
  }

  @Test("a newer package makes another part")
  func newer() async throws {
    try await withFolder { folder in
      try await publish(in: folder.appending("old"))
      try await publish(in: folder.appending("new"), mark: "newer")
      let old = try EFILoaders(Self.parts, from: folder.appending("old"))
      #expect(try EFILoaders(Self.parts, from: folder.appending("new")).hash != old.hash)
    }
  }

  @Test("a package that is missing, none, or without its file is one sentence")
  func refused() async throws {
    try await withFolder { folder in
      let missing = folder.appending("missing")
      try await publish(in: missing, missing: "shim-signed")
      var error = #expect(throws: BuildError.self) { try EFILoaders(Self.parts, from: missing) }
      #expect(error.map { "\($0)".contains("does not hold the package shim-signed") } == true)
      try await write("no package".utf8, to: missing.appending("shim-signed_1_amd64.deb"))
      error = #expect(throws: BuildError.self) { try EFILoaders(Self.parts, from: missing) }
      #expect(error.map { "\($0)".contains("cannot be read as a Debian package") } == true)

      let without = folder.appending("without")
      try await publish(in: without, without: "/usr/lib/shim/shimx64.efi.signed")
      let recipe = try EFILoaders(Self.parts, from: without)
      error = await #expect(throws: BuildError.self) {
        try await BuildCache(folder: folder.appending("cache")).part(recipe)
      }
      #expect(
        error.map { "\($0)".contains("shim-signed_1+2_amd64.deb has no /usr/lib/shim/shimx64.efi.signed") } == true)
    }
  }

  @Test("the places are those where firmware and shim look, in names that FAT has")
  func places() {
    let places = GRUB.debian.parts.map(\.place)
    #expect(Set(places) == Set(["BOOTX64", "GRUBX64", "MMX64", "BOOTIA32"].map { "/EFI/BOOT/\($0).EFI" }))
    // shim fetches the second and the third from beside itself (shim, shim.c: DEFAULT_LOADER, MOK_MANAGER).
    let served = GRUB.debian.networkParts.map(\.place)
    #expect(served == ["/shimx64.efi", "/grubx64.efi", "/mmx64.efi", "/grubia32.efi"])
  }
}
