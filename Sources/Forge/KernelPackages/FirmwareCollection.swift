import BuildCache
import DebianArchive
import DroneLayout
import Foundation
import SystemPackage
import Workshop

/// Those files of a folder or of packages that drivers may ask for, unpacked, each under the name that its driver asks by.
public struct FirmwareCollection: Recipe {
  public enum Source: Sendable, Equatable {
    /// As `lib/firmware` of a Linux.
    case folder(FilePath)
    /// Debian packages; of two that have one file the first counts.
    case packages([FilePath])
  }

  let names: FirmwareNames
  let source: Source
  public let inputs: [Input]

  /// Throws a sentence when the folder is not there or a package is none.
  public init(_ names: FirmwareNames, from source: Source) throws {
    (self.names, self.source) = (names, source)
    var look = SHA256.Hasher()
    switch source {
    case .folder(let folder):
      try requireFirmwareFolder(folder)
      for name in names.drivers.keys.sorted() {
        guard let file = file(name, below: folder, within: nil) else { continue }
        look.add("\(name) \(try SHA256(contentsOf: file))")
      }
    case .packages(let files):
      for file in files { look.add(try SHA256(contentsOf: file).description) }
    }
    inputs = [
      Input("recipe", "1"), Input("names", names.text), Input("source", "\(source)"),
      Input("files", look.finish().description),
    ]
  }

  public var name: String { "firmware" }
  public var title: String { "Firmware" }

  public func build(in room: Room) async throws {
    let folder = room.result.appending("files")
    try makeFolder(folder)
    var list = ""
    switch source {
    case .folder(let place):
      for name in names.drivers.keys.sorted() {
        guard let found = file(name, below: place, within: nil) else { continue }
        try await copy(found, as: name, to: folder)
        list += "\(name)\n"
      }
    case .packages(let files):
      var places: [(folder: FilePath, package: PackageDescription)] = []
      for (number, file) in files.enumerated() {
        let place = room.work.appending("\(number)")
        try unpack(file, to: place)
        places.append((place, try PackageDescription(file)))
      }
      for name in names.drivers.keys.sorted() {
        for (place, package) in places {
          guard let found = file(name, below: place, within: place) else { continue }
          try await copy(found, as: name, to: folder)
          list += "\(name)\t\(package.name)\t\(package.version)\n"
          break
        }
      }
    }
    try await write(list.utf8, to: room.result.appending("list"))
  }

  private func copy(_ found: FilePath, as name: String, to folder: FilePath) async throws {
    let place = folder.appending(name)
    try makeFolder(place.removingLastComponent())
    let bytes = try contents(of: found)
    let isPacked =
      !name.hasSuffix(".\(found.extension ?? "")") && compressedEndings.contains(".\(found.extension ?? "")")
    try await write(isPacked ? uncompressed(bytes, from: "\(found)") : bytes, to: place)
  }

  /// A file of a finished part.
  public struct Found: Sendable {
    /// Below `lib/firmware`.
    public let name: String
    public let drivers: [String]
    public let file: FilePath
    public let origin: Origin
  }

  /// What a finished part holds, in alphabetical order.
  public func files(in part: Part) throws -> [Found] {
    String(decoding: try contents(of: part.folder.appending("list")), as: UTF8.self).split(separator: "\n").compactMap {
      let fields = $0.split(separator: "\t").map(String.init)
      guard let name = fields.first else { return nil }
      return Found(
        name: name, drivers: names.drivers[name] ?? [], file: part.folder.appending("files").appending(name),
        origin: fields.count == 3 ? .delivered(package: fields[1], version: fields[2]) : .given)
    }
  }

  /// The packages that a finished part's files were taken from.
  public func records(of found: [Found]) throws -> [SourceRecord] {
    guard case .packages(let files) = source else { return [] }
    return try files.compactMap { file in
      let package = try PackageDescription(file)
      guard found.contains(where: { $0.origin == .delivered(package: package.name, version: package.version) }) else {
        return nil
      }
      return SourceRecord(
        name: file.lastComponent?.string ?? package.name, version: package.version,
        sha256: try SHA256(contentsOf: file).description)
    }
  }
}

/// Throws a sentence unless the path is a folder's.
public func requireFirmwareFolder(_ folder: FilePath) throws {
  guard isFolder(folder) else {
    throw BuildError.input(
      "\(folder) is no folder: give FIRMWARE the path of a Linux's lib/firmware, or say FIRMWARE=debian.")
  }
}

/// The file that a driver gets by a name, with the endings of compressed ones, through links; nil when there is none.
///
/// - Parameter within: what a link must not lead out of; nil for wherever it leads.
private func file(_ name: String, below folder: FilePath, within: FilePath?) -> FilePath? {
  for ending in [""] + compressedEndings {
    if let found = followed(folder.appending(name + ending), below: folder, within: within) { return found }
  }
  return nil
}

private func followed(_ path: FilePath, below folder: FilePath, within: FilePath?) -> FilePath? {
  var path = path
  // ELOOP's limit in Linux (MAXSYMLINKS).
  for _ in 0..<40 {
    guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path.string) else { break }
    let inner = firmwareFolders.first { target.hasPrefix($0) }.map {
      target.dropFirst($0.count)
    }
    let next =
      inner.map { folder.appending(String($0)) } ?? path.removingLastComponent().pushing(FilePath(target))
    // What lies elsewhere on this computer and not in the folder.
    path = inner != nil && within == nil && !exists(next) ? FilePath(target) : next.lexicallyNormalized()
  }
  guard isFile(path), within.map({ path.starts(with: $0.lexicallyNormalized()) }) ?? true else { return nil }
  return path
}

/// Where packages and links have it.
private let firmwareFolders = ["/usr\(DronePath.firmware)/", "\(DronePath.firmware)/"]

/// Writes a package's firmware below `folder` as it lies in `lib/firmware`.
private func unpack(_ package: FilePath, to folder: FilePath) throws {
  func inner(_ path: String) -> String? {
    firmwareFolders.first { path.hasPrefix($0) }.map { String(path.dropFirst($0.count)) }
  }
  let whole = FilePath("\(folder).whole")
  try Payload.extract(package, to: whole) { inner($0) != nil }
  try makeFolder(folder)
  for entry in try Payload(package).entries {
    guard let name = inner(entry.path) else { continue }
    let place = folder.appending(name)
    switch entry.kind {
    case .file:
      try makeFolder(place.removingLastComponent())
      try move(FilePath(whole.string + entry.path), to: place)
    case .symbolicLink(let target):
      try makeFolder(place.removingLastComponent())
      try fileOperation(place, "Make room for it") {
        try FileManager.default.createSymbolicLink(atPath: place.string, withDestinationPath: target)
      }
    case .directory, .hardLink, .other: break
    }
  }
}
