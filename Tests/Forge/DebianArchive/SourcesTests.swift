import BuildCache
import Foundation
import SystemPackage
import Testing
import Workshop

@testable import DebianArchive

@Suite struct SourcesTests {
  @Test("apt's errors are found among its other lines, each once")
  func errors() {
    let log = """
      Reading package lists...
      W: Some index files failed to download.
      E: Unable to find a source package for musl
      Err:1 http://a.example/debian bookworm InRelease
      E: Unable to find a source package for musl
      E: Failed to fetch it
      """
    #expect(PackageArchive.errors(in: log) == ["Unable to find a source package for musl", "Failed to fetch it"])
    #expect(PackageArchive.errors(in: "") == [])
  }

  @Test("no cache and no network is one sentence that says what to do")
  func offline() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let log = folder.appending("sources.log")
      try await write("E: Could not resolve 'a.example'.\n".utf8, to: log)
      let delivery = FirstDelivery(packages: packages, origin: .machine, cache: folder)
      let sentence = delivery.unavailable(log: log, cause: .input("apt-get failed."))
      #expect(
        sentence == """
          The sources of musl, BusyBox, OpenSSL and the kernel are not in the cache (\(folder)) and apt could not fetch \
          them (Could not resolve 'a.example'): connect this machine to its Debian archive once and build again. The \
          whole output is in \(log).
          """)
    }
  }

  @Test("with cached sources, apt is not asked")
  func cached() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let parts = BuildCache(folder: folder)
      let place = parts.location(of: FirstDelivery(packages: packages, origin: .machine, cache: parts.folder))
      try makeFolder(place)
      let records = [SourceRecord(name: "musl_1.2.3-1.dsc", version: "1.2.3-1", sha256: "00")]
      try await write(try JSONEncoder().encode(records), to: place.appending("sources.json"))
      // What is in caches already is found: one package more or less would fetch and build everything anew.
      #expect(place.lastComponent == "sources-24c78fb1195f7260")
      let sources = try await Sources.prepared(packages, in: parts, Workshop.Progress(total: 1, quiet: true))
      #expect(sources.records == records)
      #expect(sources["musl"].version == "1.2.3-1")
      #expect(try sources["musl"].file(".dsc") == place.appending("musl_1.2.3-1.dsc"))
      #expect(throws: BuildError.self) { try sources["busybox"].file(".dsc") }
    }
  }

  @Test("apt keeps to private lists and caches, and runs nobody's hooks")
  func configuration() {
    let text = PackageArchive.aptConfiguration(work: "/w", lists: "/w/parts")
    #expect(text.contains("Dir::Etc::SourceParts \"/w/parts\";"))
    #expect(text.contains("Dir::State::Lists \"/w/lists\";"))
    #expect(text.contains("#clear APT::Update::Post-Invoke;"))
    #expect(!text.contains("http:/"))
  }

  @Test("the version of a .dsc file is read")
  func version() {
    #expect(Sources.versionField("Format: 3.0 (quilt)\nVersion: 1:1.35.0-4+deb12u1\n") == "1:1.35.0-4+deb12u1")
    #expect(Sources.versionField("Source: musl\n") == "")
  }

  @Test("of the versions an archive lists, the newest by Debian's order comes first")
  func versions() async throws {
    let listed = Sources.versionFields(
      "Package: a\nVersion: 3.0.9-1~deb12u2\n\nPackage: a\nVersion: 3.0.22-1~deb12u2\n\nPackage: a\nVersion: 3.0.9-1~deb12u2\n"
    )
    #expect(try await newestFirst(listed) == ["3.0.22-1~deb12u2", "3.0.9-1~deb12u2"])
    #expect(try await newestFirst(["3.0.22-1~deb12u1", "3.0.22-1"]) == ["3.0.22-1", "3.0.22-1~deb12u1"])
  }
}
