import Foundation
import SystemPackage
import Workshop

/// What an archive gave of one package.
struct SourceDelivery: Sendable {
  let package: SourcePackage
  /// Nil when it gave none of the versions that were wanted.
  let version: String?
  /// The newest version that it listed, when it did not deliver that one.
  let listed: String?
  /// Where the files are.
  let folder: FilePath

  /// Moves the files into the cache, where a file of the same name is the same, and notes version and digest of each. The
  /// `.dsc` names the digests of the files beside it; dpkg-source compares them when it unpacks.
  func moved(to destination: FilePath) async throws -> [SourceRecord] {
    let names = try fileOperation(folder, "Check its permissions") {
      try FileManager.default.contentsOfDirectory(atPath: folder.string)
    }.sorted()
    guard let version = try await recordedVersion(names) else {
      throw BuildError.input("apt reported success but did not deliver \(package.name).")
    }
    return try names.map { name in
      let place = destination.appending(name)
      try fileOperation(place, "Make room for it or choose another folder") {
        guard rename(folder.appending(name).string, place.string) == 0 else { throw Errno(rawValue: errno) }
      }
      return .init(name: name, version: version, sha256: try SHA256(contentsOf: place).description, listed: listed)
    }
  }

  /// The version with its epoch, which files' names leave out.
  private func recordedVersion(_ names: [String]) async throws -> String? {
    guard let name = names.first(where: { $0.hasSuffix(package.isBinary ? ".deb" : ".dsc") }) else { return nil }
    let file = folder.appending(name)
    if package.isBinary { return try Payload.control(of: file).fields["Version"] }
    return Sources.versionField(String(decoding: try contents(of: file), as: UTF8.self))
  }
}

extension PackageArchive {
  /// Fetches the newest version of a package that the archive lists, or the newest of the others that it delivers: an
  /// archive's lists can name what its files do not hold yet, or no more.
  ///
  /// - Parameter newerThan: older ones, and this one, are not wanted.
  /// - Returns: nil when nothing newer is listed.
  /// - Throws: `BuildError`, when nothing was known and nothing is delivered.
  func delivery(
    of package: SourcePackage, newerThan known: String? = nil, into folder: FilePath
  ) async throws -> SourceDelivery? {
    var wanted = try await newestFirst(versions(of: package))
    if let known, let end = try await firstNotNewer(wanted, than: known) { wanted.removeSubrange(end...) }
    guard let newest = wanted.first else { return nil }
    do {
      try await retrying { try await fetch(package, newest, to: folder) }
      return SourceDelivery(package: package, version: newest, listed: nil, folder: folder)
    } catch let error as BuildError {
      for version in wanted.dropFirst() {
        do {
          try await fetch(package, version, to: folder)
          return SourceDelivery(package: package, version: version, listed: newest, folder: folder)
        } catch is BuildError {}
      }
      guard known != nil else { throw error }
      return SourceDelivery(package: package, version: nil, listed: newest, folder: folder)
    }
  }

  private func firstNotNewer(_ newestFirst: [String], than known: String) async throws -> Int? {
    for (index, version) in newestFirst.enumerated() where !(try await isNewer(version, than: known)) { return index }
    return nil
  }
}

/// Sorts Debian version numbers as dpkg does (deb-version(7)); each stands once.
func newestFirst(_ versions: [String]) async throws -> [String] {
  var sorted: [String] = []
  for version in versions where !sorted.contains(version) {
    var place = 0
    while place < sorted.count, !(try await isNewer(version, than: sorted[place])) { place += 1 }
    sorted.insert(version, at: place)
  }
  return sorted
}

private func isNewer(_ one: String, than other: String) async throws -> Bool {
  do {
    _ = try await tool("dpkg", ["--compare-versions", one, "gt", other]).output()
    return true
  } catch BuildError.commandFailed {
    return false
  }
}
