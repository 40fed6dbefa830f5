import BuildCache
import Foundation
import SystemPackage
import Testing
import Workshop

@testable import DebianArchive

/// What happens when an archive lists a version and does not deliver it, with the real apt.
@Suite struct WithheldSourcesTests {
  private let old = "3.0.20-1~deb12u2"
  private let new = "3.0.22-1~deb12u2"
  private let silent = Workshop.Progress(total: 9, quiet: true)

  private func withArchive(_ body: (LocalArchive, BuildCache) async throws -> Void) async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let archive = LocalArchive(folder: folder.appending("archive"))
      try makeFolder(archive.folder)
      try await body(archive, BuildCache(folder: folder.appending("cache")))
    }
  }

  private func openssl(_ sources: Sources) -> [SourceRecord] {
    sources.records.filter { $0.name.hasPrefix("openssl_") }
  }

  @Test("what the archive delivers is taken, the newest version of each package, and nothing is said")
  func delivered() async throws {
    try await withArchive { archive, parts in
      try await archive.publish(openssl: [old, new])
      let sources = try await Sources.prepared(packages, in: parts, from: archive.origin, silent)
      #expect(sources["openssl"].version == new)
      #expect(sources["busybox"].version == "1:1.35.0-4")
      #expect(sources["linux-source-6.1"].version == "6.1.9-1")
      #expect(sources.records.map(\.listed) == sources.records.map { _ in nil })
      #expect(sources.records.notices == [])
      let record = String(decoding: try contents(of: sources.part.folder.appending("sources.json")), as: UTF8.self)
      #expect(!record.contains("listed"))
    }
  }

  @Test("an older version is taken for one that is listed and missing; the record says both and the notice, too")
  func withheld() async throws {
    try await withArchive { archive, parts in
      try await archive.publish(openssl: [old, new], missing: [new])
      let sources = try await Sources.prepared(packages, in: parts, from: archive.origin, silent)
      #expect(openssl(sources).map(\.name) == ["openssl_\(old).dsc", "openssl_\(old).tar.xz"])
      #expect(openssl(sources).allSatisfy { $0.version == old && $0.listed == new })
      let record = String(decoding: try contents(of: sources.part.folder.appending("sources.json")), as: UTF8.self)
      #expect(record.contains("\"listed\" : \"\(new)\""))
      #expect(
        sources.records.notices == [
          "This is built from openssl \(old): the archive listed \(new) and did not deliver it. It is asked again once a"
            + " day, and at once by: droneforge sysroot refresh"
        ])
      // What is built of it is what would be built had nobody listed more.
      let plain = openssl(sources).map { SourceRecord(name: $0.name, version: $0.version, sha256: $0.sha256) }
      #expect(
        sources["openssl"].identity
          == Sources(packages: packages, part: sources.part, records: plain)["openssl"].identity)
    }
  }

  @Test("once the archive delivers it, the newer version is taken: by a build after a day, and not before")
  func again() async throws {
    try await withArchive { archive, parts in
      try await archive.publish(openssl: [old, new], missing: [new])
      let first = try await Sources.prepared(packages, in: parts, from: archive.origin, silent)
      try await archive.publish(openssl: [old, new])
      let hour = Date() + 60 * 60
      #expect(
        try await Sources.prepared(packages, in: parts, from: archive.origin, now: hour, silent)["openssl"].version
          == old)
      let day = Date() + Sources.askedAgainAfter
      let later = try await Sources.prepared(packages, in: parts, from: archive.origin, now: day, silent)
      #expect(openssl(later).map(\.name) == ["openssl_\(new).dsc", "openssl_\(new).tar.xz"])
      #expect(later.records.notices == [])
      #expect(later["musl"].identity == first["musl"].identity)
      // A build that began with the older one still finds it.
      for record in openssl(first) {
        #expect(FileManager.default.fileExists(atPath: first.part.folder.appending(record.name).string))
      }
    }
  }

  @Test("without an archive, a build after a day goes on with what it has, and asks no more that day")
  func offline() async throws {
    try await withArchive { archive, parts in
      try await archive.publish(openssl: [old, new], missing: [new])
      let first = try await Sources.prepared(packages, in: parts, from: archive.origin, silent)
      let day = Date() + Sources.askedAgainAfter
      var nowhere = archive.origin
      nowhere.list = "/nowhere"
      let second = try await Sources.prepared(packages, in: parts, from: nowhere, now: day, silent)
      #expect(second.records == first.records)
      try await archive.publish(openssl: [old, new])
      let soon = try await Sources.prepared(packages, in: parts, from: archive.origin, now: day + 60 * 60, silent)
      #expect(soon.records == first.records)
    }
  }

  @Test("a refresh takes what is newer, says how each package stands, and never goes back")
  func refresh() async throws {
    try await withArchive { archive, parts in
      try await archive.publish(openssl: [old])
      let first = try await Sources.prepared(packages, in: parts, from: archive.origin, silent)
      try await archive.publish(openssl: [old, new], missing: [new])
      let (second, said) = try await first.refreshed(packages, in: parts, from: archive.origin)
      #expect(
        said == [
          "musl stays at 1.2.3-1.", "busybox stays at 1:1.35.0-4.",
          "openssl stays at \(old); the archive lists \(new) and does not deliver it.",
          "linux-source-6.1 stays at 6.1.9-1.",
        ])
      #expect(openssl(second).map(\.listed) == [new, new])
      #expect(openssl(second).map(\.sha256) == openssl(first).map(\.sha256))
      try await archive.publish(openssl: [new])
      let third = try await second.refreshed([packages[2]], in: parts, from: archive.origin)
      #expect(third.said == ["openssl is now \(new)."])
      try await archive.publish(openssl: [old])
      let fourth = try await third.0.refreshed([packages[2]], in: parts, from: archive.origin)
      #expect(fourth.said == ["openssl stays at \(new)."])
      #expect(!FileManager.default.fileExists(atPath: third.0.part.folder.appending("openssl_\(old).dsc").string))
    }
  }
}
