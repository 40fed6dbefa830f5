import Foundation
import SystemPackage
import Workshop

/// A Debian package whose files something is built from.
struct SourcePackage: Sendable {
  let name: String
  /// A binary package that holds a source: the kernel's, with Debian's patches applied.
  var isBinary = false

  func owns(_ record: SourceRecord) -> Bool { record.name.hasPrefix("\(name)_") }
}

/// The source packages as apt delivered them, in one part of the cache: so a changed recipe can be built without the
/// network, and all parts come from the same delivery.
///
/// A later delivery adds its files to the part and then replaces the record, which a build reads once: so a build that
/// is running keeps what it began with.
struct Sources: Sendable {
  static let kernelPackage = "linux-source-6.1"
  static let packages = [
    SourcePackage(name: "musl"), SourcePackage(name: "busybox"), SourcePackage(name: "openssl"),
    SourcePackage(name: kernelPackage, isBinary: true),
  ]
  static let recordName = "sources.json"
  /// How long a record is taken for what the archive has, when that had withheld a version.
  static let askedAgainAfter = TimeInterval(24 * 60 * 60)

  let part: Part
  let records: [SourceRecord]

  /// The file of that beginning and end: `musl_….dsc`.
  func file(_ package: String, _ suffix: String) throws -> FilePath {
    guard let record = records.first(where: { $0.name.hasPrefix("\(package)_") && $0.name.hasSuffix(suffix) }) else {
      throw BuildError.input("\(part.folder) holds no \(package)_*\(suffix): remove that folder and build again.")
    }
    return part.folder.appending(record.name)
  }

  /// The package's version and what its recipe's hash takes for its sources. What else the archive listed is no part of it.
  func identity(_ package: String) -> String {
    records.filter { $0.name.hasPrefix("\(package)_") }.map { "\($0.name) \($0.version) \($0.sha256)" }
      .joined(separator: "\n")
  }

  func version(_ package: String) -> String { records.first { $0.name.hasPrefix("\(package)_") }?.version ?? "" }

  /// Those of the cache, or fetched when it holds none. Packages of which the archive had withheld the newest version are
  /// asked for again when that was a day ago; a build without the network goes on with what there is.
  static func prepared(
    in parts: PartCache, from origin: PackageOrigin = .machine, now: Date = Date(), _ progress: Progress
  ) async throws -> Sources {
    let part = try await parts.part("sources", "Source packages", hash, progress) { part, work, log in
      do {
        let archive = try await PackageArchive.opened(origin, work: work, log: log)
        var records: [SourceRecord] = []
        for package in packages {
          guard let delivery = try await archive.delivery(of: package, into: work.appending(package.name)) else {
            throw BuildError.input("apt reported success but did not deliver \(package.name).")
          }
          records += try await delivery.moved(to: part)
        }
        try await write(records, in: part)
      } catch let error as BuildError {
        throw BuildError.input(unavailable(cache: parts.folder, log: log, cause: error))
      }
    }
    let sources = Sources(part: part, records: try read(in: part.folder))
    let late = sources.withheld(at: now)
    guard !late.isEmpty else { return sources }
    await progress.note(
      "The archive is asked again for \(late.map(\.name).joined(separator: ", ")), which it withheld a day ago.")
    do {
      let (refreshed, said) = try await sources.refreshed(
        late, in: parts, from: origin.inPassing, unlessAskedAfter: now - askedAgainAfter)
      for sentence in said { await progress.note(sentence) }
      return refreshed
    } catch is BuildError {
      // Tomorrow again: what fails without the network is not to cost every build its time.
      try? FileManager.default.setAttributes(
        [.modificationDate: now], ofItemAtPath: part.folder.appending(recordName).string)
      return sources
    }
  }

  /// The packages of which a version was withheld, when the record is a day old.
  private func withheld(at now: Date) -> [SourcePackage] {
    guard let asked = Self.asked(part.folder), now.timeIntervalSince(asked) >= Self.askedAgainAfter else { return [] }
    return Self.packages.filter { package in records.contains { package.owns($0) && $0.listed != nil } }
  }

  /// When the archive was last asked: the record is written then.
  private static func asked(_ folder: FilePath) -> Date? {
    (try? FileManager.default.attributesOfItem(atPath: folder.appending(recordName).string))?[.modificationDate]
      as? Date
  }

  /// Takes newer versions of some packages, where the archive delivers them, and says of each how it stands.
  ///
  /// - Parameter unlessAskedAfter: nothing is done when another program asked the archive since then.
  func refreshed(
    _ packages: [SourcePackage], in parts: PartCache, from origin: PackageOrigin, unlessAskedAfter: Date? = nil
  ) async throws -> (Sources, said: [String]) {
    let log = Self.refreshLog(in: parts)
    return try await locked(parts.folder.appending("sources.lock")) {
      let before = try Self.read(in: part.folder)
      if let limit = unlessAskedAfter, let asked = Self.asked(part.folder), asked > limit {
        return (Sources(part: part, records: before), [])
      }
      try await Workshop.write([], to: log)
      return try await withTemporaryFolder(in: parts.folder) { work in
        let archive = try await PackageArchive.opened(origin, work: work, log: log)
        var records = before
        var said: [String] = []
        for package in packages {
          let known = before.first(where: package.owns)
          let delivery = try await archive.delivery(
            of: package, newerThan: known?.version, into: work.appending(package.name))
          let new: [SourceRecord]
          if let delivery, delivery.version != nil {
            new = try await delivery.moved(to: part.folder)
          } else {
            new = before.filter(package.owns).map { record in
              var record = record
              record.listed = delivery?.listed
              return record
            }
          }
          records.removeAll(where: package.owns)
          records += new
          said.append(Self.sentence(package, from: known?.version, to: new.first))
        }
        try await Self.write(records, in: part.folder)
        removeFiles(except: before + records)
        return (Sources(part: part, records: try Self.read(in: part.folder)), said)
      }
    }
  }

  private static func sentence(_ package: SourcePackage, from old: String?, to new: SourceRecord?) -> String {
    let version = new?.version ?? ""
    let change = old == version ? "\(package.name) stays at \(version)" : "\(package.name) is now \(version)"
    return change + (new?.listed.map { "; the archive lists \($0) and does not deliver it." } ?? ".")
  }

  /// Removes what a delivery before the last one left.
  private func removeFiles(except kept: [SourceRecord]) {
    let names = Set(kept.map(\.name) + [Self.recordName])
    for name in (try? FileManager.default.contentsOfDirectory(atPath: part.folder.string)) ?? []
    where !names.contains(name) && !name.hasPrefix(".") {
      try? FileManager.default.removeItem(atPath: part.folder.appending(name).string)
    }
  }

  private static var hash: SHA256 {
    let (binary, source) = (packages.filter(\.isBinary), packages.filter { !$0.isBinary })
    return recipeHash([
      ("source", source.map(\.name).joined(separator: " ")), ("binary", binary.map(\.name).joined(separator: " ")),
    ])
  }

  static func refreshLog(in parts: PartCache) -> FilePath { parts.folder.appending("sources-refresh.log") }

  static func location(in parts: PartCache) -> FilePath { parts.location("sources", hash) }

  private static func read(in folder: FilePath) throws -> [SourceRecord] {
    let data = Data(try contents(of: folder.appending(recordName)))
    guard let records = try? JSONDecoder().decode([SourceRecord].self, from: data) else {
      throw BuildError.input("\(folder.appending(recordName)) is damaged: remove that folder and build again.")
    }
    return records
  }

  private static func write(_ records: [SourceRecord], in folder: FilePath) async throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try await Workshop.write(
      try encoder.encode(records.sorted { $0.name < $1.name }), to: folder.appending(recordName))
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

  /// The `Version:` of a .dsc file (deb-src-control(5)).
  static func versionField(_ description: String) -> String { versionFields(description).first ?? "" }

  /// All of them, of `apt-cache showsrc`.
  static func versionFields(_ descriptions: String) -> [String] {
    descriptions.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("Version:") }
      .map { $0.dropFirst("Version:".count).trimmingPrefix { $0 == " " }.description }
  }
}

extension [SourceRecord] {
  /// A sentence for every package of which the archive lists a newer version than it delivered.
  var notices: [String] {
    Sources.packages.compactMap { package in
      guard let record = first(where: package.owns), let listed = record.listed else { return nil }
      return
        "This is built from \(package.name) \(record.version): the archive listed \(listed) and did not deliver it. "
        + "It is asked again once a day, and at once by: droneforge sysroot refresh"
    }
  }
}
