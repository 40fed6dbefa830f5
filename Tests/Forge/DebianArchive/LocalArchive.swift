import BuildCache
import Foundation
import SystemPackage
import Workshop

@testable import DebianArchive

/// What is fetched in tests.
let packages = [
  SourcePackage("musl", title: "musl"), SourcePackage("busybox", title: "BusyBox"),
  SourcePackage("openssl", title: "OpenSSL"), SourcePackage("linux-source-6.1", title: "the kernel", isBinary: true),
]

/// A Debian archive in a folder, for the real apt: small packages of the names that something is built from.
struct LocalArchive {
  let folder: FilePath

  private var release: String { "bookworm" }
  private var distribution: FilePath { folder.appending("dists").appending(release) }
  private var pool: FilePath { folder.appending("pool") }

  /// The archive as a machine's source list names it.
  var origin: PackageOrigin {
    PackageOrigin(
      release: folder.appending("os-release"), list: folder.appending("sources.list"),
      moreLists: folder.appending("sources.list.d"), pauses: [], retries: 0, timeout: 5)
  }

  /// Lists these versions of OpenSSL, and holds the files of those that are not missing; of the others one version each.
  func publish(openssl: [String], missing: [String] = []) async throws {
    try? FileManager.default.removeItem(atPath: pool.string)
    for place in [pool, distribution.appending("main/source"), distribution.appending("main/binary-all")] {
      try makeFolder(place)
    }
    var sources = ""
    for (name, version) in [("musl", "1.2.3-1"), ("busybox", "1:1.35.0-4")] + openssl.map({ ("openssl", $0) }) {
      sources += try await source(name, version)
    }
    try await write(sources.utf8, to: distribution.appending("main/source/Sources"))
    try await write(try await binary("linux-source-6.1", "6.1.9-1").utf8, to: packages(of: "all"))
    let architecture = try await firstLine(of: tool("dpkg", ["--print-architecture"]))
    try makeFolder(packages(of: architecture).removingLastComponent())
    try await write([], to: packages(of: architecture))
    var digests = ""
    for name in ["source/Sources", "binary-all/Packages", "binary-\(architecture)/Packages"] {
      digests += " \(try line(distribution.appending("main/\(name)"), as: "main/\(name)"))\n"
    }
    try await write(
      """
      Origin: Debian
      Suite: \(release)
      Codename: \(release)
      Date: Sun, 01 Jan 2023 00:00:00 UTC
      Architectures: all \(architecture)
      Components: main
      SHA256:
      \(digests)
      """.utf8, to: distribution.appending("Release"))
    for version in missing {
      for file in try FileManager.default.contentsOfDirectory(atPath: pool.string)
      where file.hasPrefix("openssl_\(version)") {
        try FileManager.default.removeItem(atPath: pool.appending(file).string)
      }
    }
    try await write("VERSION_CODENAME=\(release)\n".utf8, to: origin.release)
    // Copied, as what comes over a network is; apt only links to files.
    try await write("deb [trusted=yes] copy:\(folder) \(release) main\n".utf8, to: origin.list)
  }

  private func packages(of architecture: String) -> FilePath {
    distribution.appending("main/binary-\(architecture)/Packages")
  }

  /// Digest, size and name, as the lists of an archive have them.
  private func line(_ file: FilePath, as name: String) throws -> String {
    "\(try SHA256(contentsOf: file)) \(try contents(of: file).count) \(name)"
  }

  /// Puts a source package of one file into the pool and gives its stanza of Sources.
  private func source(_ name: String, _ version: String) async throws -> String {
    let plain = version.split(separator: ":").last ?? ""
    let archive = pool.appending("\(name)_\(plain).tar.xz")
    try await write("\(name) \(version)\n".utf8, to: archive)
    let about = "Format: 1.0\nVersion: \(version)\nArchitecture: any\n"
    let description = pool.appending("\(name)_\(plain).dsc")
    let inside = try line(archive, as: "\(name)_\(plain).tar.xz")
    try await write("Source: \(name)\n\(about)Checksums-Sha256:\n \(inside)\n".utf8, to: description)
    return """
      Package: \(name)
      Binary: \(name)
      \(about)Directory: pool
      Checksums-Sha256:
       \(inside)
       \(try line(description, as: "\(name)_\(plain).dsc"))


      """
  }

  /// Puts a binary package into the pool and gives its stanza of Packages.
  private func binary(_ name: String, _ version: String) async throws -> String {
    let tree = folder.appending("tree")
    try makeFolder(tree.appending("DEBIAN"))
    let about = "Package: \(name)\nVersion: \(version)\nArchitecture: all\nMaintainer: nobody\nDescription: a test\n"
    try await write(about.utf8, to: tree.appending("DEBIAN/control"))
    let file = pool.appending("\(name)_\(version)_all.deb")
    _ = try await tool("dpkg-deb", ["--build", "--root-owner-group", tree.string, file.string]).output()
    return """
      \(about)Filename: pool/\(name)_\(version)_all.deb
      Size: \(try contents(of: file).count)
      SHA256: \(try SHA256(contentsOf: file))

      """
  }
}
