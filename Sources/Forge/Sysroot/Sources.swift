import BuildSteps
import Foundation
import SystemPackage

/// The source packages as apt delivered them, in one part of the cache: so a changed recipe can be built without the
/// network, and all parts come from the same delivery.
struct Sources: Sendable {
  /// Debian source packages, and the binary package that holds the kernel's source with Debian's patches applied.
  static let sourcePackages = ["musl", "busybox", "openssl"]
  static let kernelPackage = "linux-source-6.1"
  private static let recordName = "sources.json"

  let part: Part
  let records: [SourceRecord]

  /// The file of that beginning and end: `musl_….dsc`.
  func file(_ package: String, _ suffix: String) throws -> FilePath {
    guard let record = records.first(where: { $0.name.hasPrefix("\(package)_") && $0.name.hasSuffix(suffix) }) else {
      throw BuildError.input("\(part.folder) holds no \(package)_*\(suffix): remove that folder and build again.")
    }
    return part.folder.appending(record.name)
  }

  /// The package's version and what its recipe's hash takes for its sources.
  func identity(_ package: String) -> String {
    records.filter { $0.name.hasPrefix("\(package)_") }.map { "\($0.name) \($0.version) \($0.sha256)" }
      .joined(separator: "\n")
  }

  func version(_ package: String) -> String { records.first { $0.name.hasPrefix("\(package)_") }?.version ?? "" }

  static func prepared(in parts: PartCache, _ progress: Progress) async throws -> Sources {
    let hash = recipeHash([("source", sourcePackages.joined(separator: " ")), ("binary", kernelPackage)])
    let part = try await parts.part("sources", "Source packages", hash, progress) { part, work, log in
      do {
        try await fetch(into: part, work: work, log: log, progress)
      } catch let error as BuildError {
        throw BuildError.input(unavailable(cache: parts.folder, log: log, cause: error))
      }
      try await record(in: part)
    }
    let data = Data(try contents(of: part.folder.appending(recordName)))
    guard let records = try? JSONDecoder().decode([SourceRecord].self, from: data) else {
      throw BuildError.input("\(part.folder.appending(recordName)) is damaged: remove that folder and build again.")
    }
    return Sources(part: part, records: records)
  }

  private static func fetch(into part: FilePath, work: FilePath, log: FilePath, _ progress: Progress) async throws {
    let archive = try await PackageArchive.opened(work: work, log: log)
    for package in sourcePackages {
      let folder = work.appending(package)
      func source(_ version: String?) async throws {
        try? FileManager.default.removeItem(atPath: folder.string)
        try makeFolder(folder)
        try await archive.apt(["source", "--download-only", version.map { "\(package)=\($0)" } ?? package], in: folder)
      }
      do {
        try await retrying { try await source(nil) }
      } catch let error as BuildError {
        let newestFirst = try await newestFirst(archive.versions(ofSource: package))
        guard let taken = await firstThatWorks(newestFirst.dropFirst(), source) else { throw error }
        await progress.note(
          "The archive lists \(package) \(newestFirst[0]) but does not deliver it: \(taken) is used. Once it does, remove"
            + " \(part.removingLastComponent().appending("sources-*")) and build again.")
      }
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.string) {
        try move(folder.appending(name), to: part.appending(name))
      }
    }
    try await archive.download(kernelPackage, to: part)
  }

  /// The first version for which `body` does not throw.
  private static func firstThatWorks(
    _ versions: some Sequence<String>, _ body: (String) async throws -> Void
  ) async -> String? {
    for version in versions {
      do {
        try await body(version)
        return version
      } catch {}
    }
    return nil
  }

  /// Sorts Debian version numbers as dpkg does (deb-version(7)).
  static func newestFirst(_ versions: [String]) async throws -> [String] {
    var sorted: [String] = []
    for version in versions where !sorted.contains(version) {
      var place = 0
      while place < sorted.count, !(try await isNewer(version, than: sorted[place])) { place += 1 }
      sorted.insert(version, at: place)
    }
    return sorted
  }

  private static func isNewer(_ one: String, than other: String) async throws -> Bool {
    do {
      _ = try await tool("dpkg", ["--compare-versions", one, "gt", other]).output()
      return true
    } catch BuildError.commandFailed {
      return false
    }
  }

  static func unavailable(cache: FilePath, log: FilePath, cause: BuildError) -> String {
    let said = PackageArchive.errors(
      in: (FileManager.default.contents(atPath: log.string)).map { String(decoding: $0, as: UTF8.self) } ?? "")
    let reason = said.first ?? "\(cause)"
    return """
      The sources of the kernel, musl, BusyBox and OpenSSL are not in the cache (\(cache)) and apt could not fetch them \
      (\(reason.hasSuffix(".") ? String(reason.dropLast()) : reason)): connect this machine to its Debian archive once and \
      build again. The whole output is in \(log).
      """
  }

  /// Notes version and digest of every file. The `.dsc` names the digests of the files beside it; dpkg-source compares
  /// them when it unpacks.
  private static func record(in part: FilePath) async throws {
    let names = try fileOperation(part, "Check its permissions") {
      try FileManager.default.contentsOfDirectory(atPath: part.string)
    }.filter { $0 != "work" }.sorted()
    var records: [SourceRecord] = []
    for name in names {
      let package = String(name.prefix { $0 != "_" })
      let version: String
      if name.hasSuffix(".deb") {
        version = try await firstLine(of: tool("dpkg-deb", ["--field", part.appending(name).string, "Version"]))
      } else {
        guard let description = names.first(where: { $0.hasPrefix("\(package)_") && $0.hasSuffix(".dsc") }) else {
          throw BuildError.input("apt fetched \(name) without its .dsc file.")
        }
        version = versionField(String(decoding: try contents(of: part.appending(description)), as: UTF8.self))
      }
      records.append(
        .init(name: name, version: version, sha256: try SHA256(contentsOf: part.appending(name)).description))
    }
    for package in sourcePackages + [kernelPackage] where !records.contains(where: { $0.name.hasPrefix("\(package)_") })
    {
      throw BuildError.input("apt reported success but did not deliver \(package).")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try await write(try encoder.encode(records), to: part.appending(recordName))
  }

  /// The `Version:` of a .dsc file (deb-src-control(5)).
  static func versionField(_ description: String) -> String { versionFields(description).first ?? "" }

  /// All of them, of `apt-cache showsrc`.
  static func versionFields(_ descriptions: String) -> [String] {
    descriptions.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("Version:") }
      .map { $0.dropFirst("Version:".count).trimmingPrefix { $0 == " " }.description }
  }
}
