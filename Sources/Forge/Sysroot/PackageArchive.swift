import BuildSteps
import Foundation
import SystemPackage

/// The machine's own Debian archives and keys, with lists and caches of our own: nothing of the system's changes, and no
/// other architecture is needed.
struct PackageArchive: Sendable {
  private let configuration: FilePath
  private let log: FilePath

  /// Reads the archives' lists into `work`. Throws `BuildError` when the machine names no Debian archive or none answers.
  static func opened(work: FilePath, log: FilePath) async throws -> PackageArchive {
    let lists = work.appending("parts")
    try makeFolder(lists)
    for folder in ["lists/partial", "cache/archives/partial"] { try makeFolder(work.appending(folder)) }
    let release = String(decoding: try contents(of: "/etc/os-release"), as: UTF8.self)
    guard let codename = codename(inOSRelease: release) else {
      throw BuildError.input("/etc/os-release names no VERSION_CODENAME; this needs Debian.")
    }
    guard try await copySourceLists(SourceLists(codename: codename), to: lists) else {
      throw BuildError.input("apt's source lists in /etc/apt name no archive of \(codename) with component main.")
    }
    let archive = PackageArchive(configuration: work.appending("apt.conf"), log: log)
    try await write(aptConfiguration(work: work, lists: lists).utf8, to: archive.configuration)
    try await retrying { try await archive.apt(["update"], in: work) }
    return archive
  }

  /// Runs apt-get in a folder.
  func apt(_ arguments: [String], in folder: FilePath) async throws {
    try await tool("apt-get", ["-c", configuration.string, "-q", "-y"] + arguments, in: folder).run(log: log)
  }

  /// Fetches a binary package's file into a folder, without installing anything.
  func download(_ package: String, to folder: FilePath) async throws {
    try await retrying { try await apt(["download", package], in: folder) }
  }

  /// Every version of a source package that the archives list.
  func versions(ofSource package: String) async throws -> [String] {
    let listed = try await tool("apt-cache", ["-c", configuration.string, "showsrc", package]).output()
    return Sources.versionFields(String(decoding: listed, as: UTF8.self))
  }

  /// True when at least one list names an archive of the distribution.
  private static func copySourceLists(_ lists: SourceLists, to folder: FilePath) async throws -> Bool {
    let more = FilePath("/etc/apt/sources.list.d")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: more.string)) ?? []
    var any = false
    for (number, file) in ([FilePath("/etc/apt/sources.list")] + names.sorted().map { more.appending($0) }).enumerated()
    {
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
  /// ours to run, and fail for a user who is not root.
  static func aptConfiguration(work: FilePath, lists: FilePath) -> String {
    """
    #clear APT::Update::Pre-Invoke;
    #clear APT::Update::Post-Invoke;
    #clear APT::Update::Post-Invoke-Success;
    Dir::Etc::SourceList "/dev/null";
    Dir::Etc::SourceParts "\(lists)";
    Dir::State::Lists "\(work.appending("lists"))";
    Dir::Cache "\(work.appending("cache"))";
    Acquire::Retries "3";
    Acquire::http::Timeout "20";
    Acquire::https::Timeout "20";
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

/// Up to three times, with a pause: a single refused connection should not end a build.
func retrying(_ body: () async throws -> Void) async throws {
  for pause in [2, 5] {
    do { return try await body() } catch is BuildError { try await Task.sleep(for: .seconds(pause)) }
  }
  try await body()
}
