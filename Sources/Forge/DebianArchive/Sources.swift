import BuildCache
import Foundation
import SystemPackage
import Workshop

/// A Debian package whose files something is built from.
public struct SourcePackage: Sendable {
  public let name: String
  /// As people call it: `BusyBox`.
  let title: String
  /// A binary package that holds a source: the kernel's, with Debian's patches applied.
  let isBinary: Bool

  public init(_ name: String, title: String, isBinary: Bool = false) {
    self.name = name
    self.title = title
    self.isBinary = isBinary
  }

  func owns(_ record: SourceRecord) -> Bool { record.package == name }
}

/// The files of one source package: what a recipe takes.
public struct Source: Sendable {
  /// The package's: `musl`.
  public let name: String
  let folder: FilePath
  let records: [SourceRecord]

  /// Empty for a package of which there is nothing.
  public var version: String { records.first?.version ?? "" }

  /// What a recipe's hash takes for the files. What else the archive listed is no part of it.
  public var identity: String { records.map { "\($0.name) \($0.version) \($0.sha256)" }.joined(separator: "\n") }

  /// The file whose name ends so: `.dsc`. Throws `BuildError` when there is none.
  public func file(_ suffix: String) throws -> FilePath {
    guard let record = records.first(where: { $0.name.hasSuffix(suffix) }) else {
      throw BuildError.input("\(folder) holds no \(name)_*\(suffix): remove that folder and build again.")
    }
    return folder.appending(record.name)
  }

  /// A record, and the copyright file that Debian made for the package. Throws `BuildError`.
  public func notice() async throws -> SourceNotice {
    guard let record = records.first(where: { $0.name.contains(".debian.tar.") }) else {
      throw BuildError.input("\(folder) holds no \(name)_*.debian.tar.*: remove it and build again.")
    }
    let copyright = try await tool(
      "tar", ["--extract", "--to-stdout", "--file", folder.appending(record.name).string, "debian/copyright"]
    ).output()
    return SourceNotice(source: record, copyright: copyright)
  }
}

/// Source packages as apt delivered them, in one part of the cache: so a changed recipe can be built without the network,
/// and all parts come from the same delivery.
///
/// A later delivery adds its files to the part and then replaces the record, which a build reads once: so a build that
/// is running keeps what it began with.
public struct Sources: Sendable {
  static let recordName = "sources.json"
  /// How long a record is taken for what the archive has, when that had withheld a version.
  static let askedAgainAfter = TimeInterval(24 * 60 * 60)

  let packages: [SourcePackage]
  let part: Part
  public let records: [SourceRecord]

  /// The files of one package.
  public subscript(package: String) -> Source {
    Source(name: package, folder: part.folder, records: records.filter { $0.package == package })
  }

  /// Those of the cache, or fetched when it holds none; shows one step. Packages of which the archive had withheld the
  /// newest version are asked for again when that was a day ago; a build without the network goes on with what there is.
  public static func prepared(
    _ packages: [SourcePackage], in cache: BuildCache, from origin: PackageOrigin = .machine, now: Date = Date(),
    _ progress: Workshop.Progress
  ) async throws -> Sources {
    let delivery = FirstDelivery(packages: packages, origin: origin, cache: cache.folder)
    let part = try await cache.part(delivery, progress)
    let sources = Sources(packages: packages, part: part, records: try read(in: part.folder))
    let late = sources.withheld(at: now)
    guard !late.isEmpty else { return sources }
    await progress.note(
      "The archive is asked again for \(late.map(\.name).joined(separator: ", ")), which it withheld a day ago.")
    do {
      let (refreshed, said) = try await sources.refreshed(
        late, in: cache, from: origin.inPassing, unlessAskedAfter: now - askedAgainAfter)
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
    return packages.filter { package in records.contains { package.owns($0) && $0.listed != nil } }
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
    _ late: [SourcePackage], in cache: BuildCache, from origin: PackageOrigin, unlessAskedAfter: Date? = nil
  ) async throws -> (Sources, said: [String]) {
    let log = Self.refreshLog(in: cache)
    return try await withLock(on: cache.folder.appending("sources.lock")) {
      let before = try Self.read(in: part.folder)
      if let limit = unlessAskedAfter, let asked = Self.asked(part.folder), asked > limit {
        return (Sources(packages: packages, part: part, records: before), [])
      }
      try await Workshop.write([], to: log)
      return try await withTemporaryFolder(in: cache.folder) { work in
        let archive = try await PackageArchive.opened(origin, work: work, log: log)
        var records = before
        var said: [String] = []
        for package in late {
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
        return (Sources(packages: packages, part: part, records: try Self.read(in: part.folder)), said)
      }
    }
  }

  /// Takes newer versions of some packages, where the archive delivers them; shows one step.
  ///
  /// - Returns: a sentence for each package.
  /// - Throws: `BuildError`, when the archive does not answer; what is there stays.
  public func refresh(
    _ wanted: [SourcePackage], in cache: BuildCache, _ progress: Workshop.Progress
  ) async throws -> [String] {
    try await progress.step("Debian archive", log: Self.refreshLog(in: cache)) {
      try await refreshed(wanted, in: cache, from: .machine).said
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

  private static func refreshLog(in cache: BuildCache) -> FilePath { cache.folder.appending("sources-refresh.log") }

  private static func read(in folder: FilePath) throws -> [SourceRecord] {
    let data = Data(try contents(of: folder.appending(recordName)))
    guard let records = try? JSONDecoder().decode([SourceRecord].self, from: data) else {
      throw BuildError.input("\(folder.appending(recordName)) is damaged: remove that folder and build again.")
    }
    return records
  }

  static func write(_ records: [SourceRecord], in folder: FilePath) async throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try await Workshop.write(
      try encoder.encode(records.sorted { $0.name < $1.name }), to: folder.appending(recordName))
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
  public var notices: [String] {
    var told: Set<String> = []
    return compactMap { record in
      guard let listed = record.listed, told.insert(record.package).inserted else { return nil }
      return
        "This is built from \(record.package) \(record.version): the archive listed \(listed) and did not deliver it. "
        + "It is asked again once a day, and at once by: droneforge sysroot refresh"
    }
  }
}

/// Fetches the packages for a cache that holds none.
struct FirstDelivery: Recipe {
  let packages: [SourcePackage]
  let origin: PackageOrigin
  /// Named when it stays empty.
  let cache: FilePath

  let name = "sources"
  let title = "Source packages"

  var inputs: [Input] {
    func names(binary: Bool) -> String {
      packages.filter { $0.isBinary == binary }.map(\.name).joined(separator: " ")
    }
    return [.init("source", names(binary: false)), .init("binary", names(binary: true))]
  }

  func build(in room: Room) async throws {
    do {
      let archive = try await PackageArchive.opened(origin, work: room.work, log: room.log)
      var records: [SourceRecord] = []
      for package in packages {
        guard let delivery = try await archive.delivery(of: package, into: room.work.appending(package.name)) else {
          throw BuildError.input("apt reported success but did not deliver \(package.name).")
        }
        records += try await delivery.moved(to: room.result)
      }
      try await Sources.write(records, in: room.result)
    } catch let error as BuildError {
      throw BuildError.input(unavailable(log: room.log, cause: error))
    }
  }

  func unavailable(log: FilePath, cause: BuildError) -> String {
    let said = PackageArchive.errors(
      in: (FileManager.default.contents(atPath: log.string)).map { String(decoding: $0, as: UTF8.self) } ?? "")
    let reason = said.first ?? "\(cause)"
    let titles = packages.map(\.title)
    let last = titles.last.map { titles.count > 1 ? " and \($0)" : $0 } ?? "nothing"
    return """
      The sources of \(titles.dropLast().joined(separator: ", "))\(last) are not in the cache (\(cache)) and apt could not \
      fetch them \
      (\(reason.hasSuffix(".") ? String(reason.dropLast()) : reason)): connect this machine to its Debian archive once and \
      build again. The whole output is in \(log).
      """
  }
}
