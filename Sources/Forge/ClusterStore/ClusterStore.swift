import DroneLayout
import CRename
import Foundation
import SecureChannel
import SystemPackage
import Workshop

/// Where a user's clusters are kept: one folder each, by the cluster's name, that only its owner may look into (0700), with
/// `ca.crt` and the private key `ca.key` (0600). Authorities that were replaced stay below `rotated`.
///
/// Every change appears by one rename: a folder is there as a whole or not at all.
public struct ClusterStore: Sendable {
  public let folder: FilePath

  public init(folder: FilePath) { self.folder = folder }

  /// `${XDG_CONFIG_HOME:-~/.config}/droneforge/clusters`.
  public init(
    environment: [String: String] = ProcessInfo.processInfo.environment, home: String = NSHomeDirectory()
  ) {
    folder = UserFolder.folder(environment: environment, home: home).appending("clusters")
  }

  /// Who used sudo to become root and would now use root's clusters instead of their own: sudo sets HOME. Nil for everybody
  /// else, and where a folder was named by XDG_CONFIG_HOME.
  public static func personBehindRoot(
    environment: [String: String] = ProcessInfo.processInfo.environment, user: UInt32 = geteuid()
  ) -> String? {
    guard user == 0, environment["XDG_CONFIG_HOME"]?.hasPrefix("/") != true else { return nil }
    return environment["SUDO_USER"].flatMap { $0.isEmpty || $0 == "root" ? nil : $0 }
  }

  public func location(of name: ClusterName) -> FilePath { folder.appending(name.text) }

  /// Whether there is a folder of that name, in whatever state.
  public func exists(_ name: ClusterName) -> Bool {
    var look = stat()
    return lstat(location(of: name).string, &look) == 0
  }

  /// The clusters by name. Throws a sentence about one that cannot be used.
  public func all() throws -> [ClusterCredential] { try names().map { try cluster($0) } }

  /// Names in alphabetical order; what is no cluster's name is left aside.
  public func names() throws -> [ClusterName] {
    try UserFolder.names(in: folder).compactMap { try? ClusterName($0) }
  }

  /// A cluster's credential. Throws a sentence when there is none, when somebody else could have read the key, or when it is
  /// damaged.
  public func cluster(_ name: ClusterName) throws -> ClusterCredential {
    guard exists(name) else {
      let known = try names().map(\.text)
      let others = known.isEmpty ? "" : " There are: \(known.joined(separator: ", "))."
      throw BuildError.input(
        "There is no cluster \(name).\(others) `droneforge cluster create \(name)` makes it.")
    }
    return try credential(name, in: location(of: name))
  }

  /// Makes a cluster. Throws a sentence when there is one of that name.
  public func create(_ name: ClusterName, now: Int64, years: Int) async throws -> ClusterCredential {
    try await locked {
      guard !exists(name) else {
        throw BuildError.input(
          "There already is a cluster \(name), in \(location(of: name)). `droneforge cluster rotate \(name)` gives it a new"
            + " authority.")
      }
      let new = try ClusterCredential(newFor: name, now: now, years: years)
      try await prepared(new) { _ in
      } put: { complete in
        // RENAME_NOREPLACE
        renameat2(AT_FDCWD, complete.string, AT_FDCWD, location(of: name).string, 1)
      }
      return new
    }
  }

  /// Makes a new authority for a cluster, keeps the old one beside it, and returns where the old one is.
  ///
  /// Nodes under the old authority and nodes under the new one are strangers to each other.
  public func rotate(
    _ name: ClusterName, now: Int64, years: Int
  ) async throws -> (new: ClusterCredential, old: FilePath) {
    try await locked {
      _ = try cluster(name)
      let place = location(of: name)
      let new = try ClusterCredential(newFor: name, now: now, years: years)
      let date = Date(timeIntervalSince1970: TimeInterval(now)).formatted(
        .iso8601.year().month().day().time(includingFractionalSeconds: false).timeSeparator(.omitted))
      let rotated = FilePath("rotated").appending(date)
      guard !FileManager.default.fileExists(atPath: place.string + "/" + rotated.string) else {
        throw BuildError.input(
          "The cluster \(name) got a new authority less than a second ago. Wait a second and try again.")
      }
      try await prepared(new) { unfinished in
        let earlier = unfinished.appending("rotated")
        try fileOperation(place, "Check its permissions") {
          if FileManager.default.fileExists(atPath: place.appending("rotated").string) {
            try FileManager.default.copyItem(atPath: place.appending("rotated").string, toPath: earlier.string)
          }
        }
        for folder in [earlier, unfinished.pushing(rotated)] { try UserFolder.make(folder) }
        for file in [Self.certificateName, Self.keyName] {
          try await write(
            contents(of: place.appending(file)), to: unfinished.pushing(rotated).appending(file), mode: Self.fileMode)
        }
      } put: { complete in
        // RENAME_EXCHANGE: what was there is then removed under the temporary name.
        renameat2(AT_FDCWD, complete.string, AT_FDCWD, place.string, 2)
      }
      return (new, place.pushing(rotated))
    }
  }

  /// When authorities of a cluster were replaced, as the folders' names.
  public func rotations(of name: ClusterName) -> [String] {
    let folder = location(of: name).appending("rotated")
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []).sorted()
  }

  // MARK: Files

  private static let certificateName = "\(CredentialFile.certificate)"
  private static let keyName = "\(CredentialFile.key)"
  private static let fileMode: FilePermissions = .ownerReadWrite

  private func credential(_ name: ClusterName, in place: FilePath) throws -> ClusterCredential {
    try requirePrivate(place, mode: "700")
    let (certificateFile, keyFile) = (place.appending(Self.certificateName), place.appending(Self.keyName))
    try requirePrivate(keyFile, mode: "600")
    func read<Value>(_ file: FilePath, _ body: ([UInt8]) throws -> Value) throws -> Value {
      do {
        return try body(contents(of: file))
      } catch let error as SecureChannelError {
        throw BuildError.input("\(file) cannot be used: \(words(error)). Restore it from your backup.")
      }
    }
    return try ClusterCredential(
      name: name, certificate: read(certificateFile) { try Certificate($0) }, key: read(keyFile) { try SigningKey($0) },
      in: place.string)
  }

  private func requirePrivate(_ path: FilePath, mode: String) throws {
    try UserFolder.requirePrivate(
      path, mode: mode, key: "the cluster's key", remedy: "run droneforge cluster rotate afterwards and make new CDs.")
  }

  /// Writes a credential into a private folder of a temporary name, lets `more` add to it, and puts it where it belongs.
  private func prepared(
    _ new: ClusterCredential, more: (FilePath) async throws -> Void, put: (FilePath) -> Int32
  ) async throws {
    try await withTemporaryFolder(in: folder) { unfinished in
      try fileOperation(unfinished, "Check its permissions") {
        guard chmod(unfinished.string, 0o700) == 0 else { throw Errno(rawValue: errno) }
      }
      try await write(new.certificate.pem, to: unfinished.appending(Self.certificateName), mode: Self.fileMode)
      try await write(new.key.pem, to: unfinished.appending(Self.keyName), mode: Self.fileMode)
      try await more(unfinished)
      // The key exists once: it is on the disk before anything is made with it.
      sync()
      try fileOperation(location(of: new.name), "Make room for it") {
        guard put(unfinished) == 0 else { throw Errno(rawValue: errno) }
      }
      sync()
    }
  }

  /// One change at a time; what a change left that was killed is removed first.
  private func locked<Result>(_ body: () async throws -> Result) async throws -> Result {
    if !FileManager.default.fileExists(atPath: folder.string) { try UserFolder.make(folder) }
    return try await withLock(on: folder) {
      removeUnfinished(in: folder)
      return try await body()
    }
  }
}
