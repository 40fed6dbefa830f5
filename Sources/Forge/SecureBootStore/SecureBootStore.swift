import CRename
import Foundation
import SystemPackage
import Workshop

/// Where a user's keys for Secure Boot are kept: one folder each, by the key's name, that only its owner may look into
/// (0700), with the private key `db.key` (0600), its certificate `db.crt`, and the same for firmware and shim: `NAME.cer` in
/// DER, and `NAME.esl`, a list for the database `db`.
///
/// A key appears by one rename, as a whole or not at all, and is never overwritten.
public struct SecureBootStore: Sendable {
  public let folder: FilePath

  public init(folder: FilePath) { self.folder = folder }

  /// `${XDG_CONFIG_HOME:-~/.config}/droneforge/secureboot`.
  public init() { folder = UserFolder.folder().appending("secureboot") }

  public func location(of name: SecureBootName) -> FilePath { folder.appending(name.text) }
  public func keyFile(of name: SecureBootName) -> FilePath { location(of: name).appending("db.key") }
  public func certificateFile(of name: SecureBootName) -> FilePath { location(of: name).appending("db.crt") }
  /// The certificate in DER, for who enrols it.
  public func enrolmentFile(of name: SecureBootName) -> FilePath { location(of: name).appending("\(name).cer") }

  /// Names in alphabetical order; what is no key's name is left aside.
  public func names() throws -> [SecureBootName] {
    try UserFolder.names(in: folder).compactMap { try? SecureBootName($0) }
  }

  /// Keeps a credential under a name. Throws a sentence when there is one of that name.
  public func keep(_ credential: SecureBootCredential, as name: SecureBootName) async throws {
    if !exists(folder) { try UserFolder.make(folder) }
    try await withLock(on: folder) {
      removeUnfinished(in: folder)
      guard !isThere(name) else {
        throw BuildError.input(
          "There already is a key \(name) for Secure Boot, in \(location(of: name)); computers may know it. Choose another name."
        )
      }
      try await withTemporaryFolder(in: folder) { unfinished in
        try UserFolder.make(unfinished)
        for (file, bytes) in [
          ("db.key", credential.key), ("db.crt", credential.certificate), ("\(name).cer", credential.der),
          ("\(name).esl", signatureList(credential.der)),
        ] {
          try await write(bytes, to: unfinished.appending(file), mode: .ownerReadWrite)
        }
        // The key exists once: it is on the disk before anything is signed by it.
        sync()
        try fileOperation(location(of: name), "Make room for it") {
          // RENAME_NOREPLACE
          guard renameat2(AT_FDCWD, unfinished.string, AT_FDCWD, location(of: name).string, 1) == 0 else {
            throw Errno(rawValue: errno)
          }
        }
        sync()
      }
    }
  }

  /// A key with its certificate. Throws a sentence when there is none, when somebody else could have read the key, or when it is
  /// damaged.
  public func credential(_ name: SecureBootName) throws -> SecureBootCredential {
    guard isThere(name) else {
      let known = try names().map(\.text)
      let others = known.isEmpty ? "" : " There are: \(known.joined(separator: ", "))."
      throw BuildError.input(
        "There is no key \(name) for Secure Boot.\(others) `droneforge secureboot create \(name)` makes it.")
    }
    let remedy = "make another key, build new images and take this one's certificate out of the computers."
    for (path, mode) in [(location(of: name), "700"), (keyFile(of: name), "600")] {
      try UserFolder.requirePrivate(path, mode: mode, key: "the key for Secure Boot", remedy: remedy)
    }
    return try SecureBootCredential(
      key: contents(of: keyFile(of: name)), certificate: contents(of: certificateFile(of: name)),
      from: (keyFile(of: name).string, certificateFile(of: name).string))
  }

  /// Whether there is anything of that name, in whatever state.
  private func isThere(_ name: SecureBootName) -> Bool {
    var look = stat()
    return lstat(location(of: name).string, &look) == 0
  }
}
