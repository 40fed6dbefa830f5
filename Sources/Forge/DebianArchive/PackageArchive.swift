import Foundation
import SystemPackage
import Workshop

/// Where a machine names its Debian archives, and how long they are waited for.
public struct PackageOrigin: Sendable {
  var release: FilePath = "/etc/os-release"
  var list: FilePath = "/etc/apt/sources.list"
  var moreLists: FilePath = "/etc/apt/sources.list.d"
  /// A single refused connection should not end a build: what fails is tried again after so many seconds each.
  var pauses = [2, 5]
  /// How often apt itself tries a file again, and the seconds it waits for an answer.
  var retries = 3
  var timeout = 20
  /// What of Debian's archive is asked; where its licences differ, so do these.
  var components = ["main"]

  public static let machine = PackageOrigin()

  /// The same, asked once and not waited for: the build goes on without an answer.
  var inPassing: PackageOrigin {
    var origin = self
    (origin.pauses, origin.retries, origin.timeout) = ([], 0, 5)
    return origin
  }
}

/// The machine's own Debian archives and keys, with lists and caches of our own: nothing of the system's changes, and no
/// other architecture is needed.
public struct PackageArchive: Sendable {
  private let configuration: FilePath
  private let log: FilePath
  private let origin: PackageOrigin

  /// Reads the archives' lists into `work`. Throws `BuildError` when the machine names no Debian archive or none answers.
  public static func opened(_ origin: PackageOrigin, work: FilePath, log: FilePath) async throws -> PackageArchive {
    let lists = work.appending("parts")
    try makeFolder(lists)
    for folder in ["lists/partial", "cache/archives/partial"] { try makeFolder(work.appending(folder)) }
    let release = String(decoding: try contents(of: origin.release), as: UTF8.self)
    guard let codename = codename(inOSRelease: release) else {
      throw BuildError.input("\(origin.release) names no VERSION_CODENAME; this needs Debian.")
    }
    guard
      try await copySourceLists(
        SourceLists(codename: codename, components: origin.components), of: origin, to: lists)
    else {
      throw BuildError.input(
        "apt's source lists (\(origin.list), \(origin.moreLists)) name no archive of \(codename) with component main.")
    }
    let archive = PackageArchive(configuration: work.appending("apt.conf"), log: log, origin: origin)
    try await write([], to: work.appending("status"))
    try await write(aptConfiguration(work: work, lists: lists, origin: origin).utf8, to: archive.configuration)
    try await archive.retrying { try await archive.apt(["update"], in: work) }
    return archive
  }

  /// Runs apt-get in a folder.
  private func apt(_ arguments: [String], in folder: FilePath) async throws {
    try await tool("apt-get", ["-c", configuration.string, "-q", "-y"] + arguments, in: folder).run(log: log)
  }

  /// Fetches the file of a binary package's newest version into a folder, without installing anything.
  public func download(_ package: String, to folder: FilePath) async throws {
    try await retrying { try await apt(["download", package], in: folder) }
  }

  /// Those of the names that the archives have packages of.
  func listed(among names: [String]) async throws -> [String] {
    let known = try await tool("apt-cache", ["-c", configuration.string, "dumpavail"]).output()
    let packages = Set(
      String(decoding: known, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("Package: ") }.map {
        String($0.dropFirst("Package: ".count))
      })
    return names.filter(packages.contains)
  }

  /// Every version of a package that the archives list.
  func versions(of package: SourcePackage) async throws -> [String] {
    let query = package.isBinary ? "show" : "showsrc"
    let listed = try await tool("apt-cache", ["-c", configuration.string, query, package.name]).output()
    return Sources.versionFields(String(decoding: listed, as: UTF8.self))
  }

  /// Fetches a package's files into a folder, which it empties first; nothing is installed or unpacked.
  func fetch(_ package: SourcePackage, _ version: String, to folder: FilePath) async throws {
    try? FileManager.default.removeItem(atPath: folder.string)
    try makeFolder(folder)
    let command = package.isBinary ? ["download"] : ["source", "--download-only"]
    try await apt(command + ["\(package.name)=\(version)"], in: folder)
  }

  /// Tries again as often as the origin says.
  func retrying(_ body: () async throws -> Void) async throws {
    for pause in origin.pauses {
      do { return try await body() } catch is BuildError { try await Task.sleep(for: .seconds(pause)) }
    }
    try await body()
  }

  /// True when at least one list names an archive of the distribution.
  private static func copySourceLists(
    _ lists: SourceLists, of origin: PackageOrigin, to folder: FilePath
  ) async throws -> Bool {
    let more = origin.moreLists
    let names = (try? FileManager.default.contentsOfDirectory(atPath: more.string)) ?? []
    var any = false
    for (number, file) in ([origin.list] + names.sorted().map { more.appending($0) }).enumerated() {
      guard let bytes = FileManager.default.contents(atPath: file.string) else { continue }
      let text = String(decoding: bytes, as: UTF8.self)
      let deb822 = file.extension == "sources"
      guard deb822 || file.extension == "list" else { continue }
      let converted = deb822 ? lists.converted(deb822: text) : lists.converted(classic: text)
      guard !converted.isEmpty else { continue }
      try await write(converted.utf8, to: folder.appending("\(number).\(deb822 ? "sources" : "list")"))
      any = true
    }
    return any
  }

  /// Read by apt after the system's configuration, so that it wins. Hooks that others run after an update are not
  /// ours to run, and fail for a user who is not root. What is installed here has no part in what the archives list.
  static func aptConfiguration(work: FilePath, lists: FilePath, origin: PackageOrigin = .machine) -> String {
    """
    #clear APT::Update::Pre-Invoke;
    #clear APT::Update::Post-Invoke;
    #clear APT::Update::Post-Invoke-Success;
    Dir::Etc::SourceList "/dev/null";
    Dir::Etc::SourceParts "\(lists)";
    Dir::State::Lists "\(work.appending("lists"))";
    Dir::State::status "\(work.appending("status"))";
    Dir::Cache "\(work.appending("cache"))";
    Acquire::Retries "\(origin.retries)";
    Acquire::http::Timeout "\(origin.timeout)";
    Acquire::https::Timeout "\(origin.timeout)";
    Acquire::Languages "none";
    APT::Sandbox::User "root";
    APT::Get::AllowUnauthenticated "false";
    APT::Update::Error-Mode "any";

    """
  }

  /// What apt said went wrong: the rest of each line that starts with `E: `, without repetitions.
  static func errors(in log: String) -> [String] {
    var found: [String] = []
    for line in log.split(whereSeparator: \.isNewline) where line.hasPrefix("E: ") {
      let message = String(line.dropFirst(3))
      if !found.contains(message) { found.append(message) }
    }
    return found
  }
}
