import Foundation
import SystemPackage
import Testing
import Workshop

@testable import SecureBootStore

private func withStore(_ body: (SecureBootStore) async throws -> Void) async throws {
  let folder = FilePath(NSTemporaryDirectory()).appending("keys-\(UUID())")
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  try await body(SecureBootStore(folder: folder))
}

private func mode(_ path: FilePath) -> mode_t {
  var look = stat()
  return lstat(path.string, &look) == 0 ? look.st_mode & 0o7777 : 0
}

private func sentence(_ body: () async throws -> Void) async -> String {
  do { try await body() } catch { return "\(error)" }
  return ""
}

private func said(_ program: String, _ arguments: String...) async throws -> String {
  String(decoding: try await Command(program, arguments).output(), as: UTF8.self)
}

@Suite("Keys for Secure Boot", .serialized)
struct SecureBootStoreTests {
  let mine: SecureBootName

  init() throws { mine = try SecureBootName("mine") }

  @Test("a key is for its owner alone, whatever the umask", arguments: [0o022, 0o000, 0o077] as [mode_t])
  func modes(mask: mode_t) async throws {
    try await withStore { store in
      let before = umask(mask)
      defer { umask(before) }
      let made = try SecureBootCredential(newFor: mine, years: 30)
      try await store.keep(made, as: mine)
      #expect(mode(store.folder) == 0o700 && mode(store.location(of: mine)) == 0o700)
      for file in ["db.key", "db.crt", "mine.cer", "mine.esl"] {
        #expect(mode(store.location(of: mine).appending(file)) == 0o600, "\(file)")
      }
      #expect(try store.credential(mine) == made)
      #expect(try store.names() == [mine])
      #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder.string) == ["mine"])
    }
  }

  @Test("openssl reads an RSA key of 2048 bits and a certificate of it, and efitools the list for firmware")
  func others() async throws {
    try await withStore { store in
      try await store.keep(SecureBootCredential(newFor: mine, years: 30), as: mine)
      let place = store.location(of: mine)
      let text = try await said(
        "openssl", "x509", "-inform", "DER", "-in", place.appending("mine.cer").string, "-text", "-noout")
      #expect(
        text.contains("Subject: CN = droneforge Secure Boot mine") && text.contains("Public-Key: (2048 bit)"), "\(text)"
      )
      #expect(text.contains("Signature Algorithm: sha256WithRSAEncryption") && text.contains("CA:TRUE"), "\(text)")
      let checked = try await said(
        "openssl", "verify", "-CAfile", store.certificateFile(of: mine).string, store.certificateFile(of: mine).string)
      #expect(checked.hasSuffix("db.crt: OK\n"))
      let prefix = store.folder.appending("out").string
      _ = try await said("sig-list-to-certs", place.appending("mine.esl").string, prefix)
      #expect(try contents(of: FilePath(prefix + "-0.der")) == contents(of: place.appending("mine.cer")))
    }
  }

  @Test("the list for firmware, byte for byte")
  func list() {
    let expected: [UInt8] = [
      0xA1, 0x59, 0xC0, 0xA5, 0xE4, 0x94, 0xA7, 0x4A, 0x87, 0xB5, 0xAB, 0x15,  // SignatureType: X.509
      0x5C, 0x2B, 0xF0, 0x72,
      0x2F, 0x00, 0x00, 0x00,  // SignatureListSize: 47
      0x00, 0x00, 0x00, 0x00,  // SignatureHeaderSize
      0x13, 0x00, 0x00, 0x00,  // SignatureSize: 19
      0x4E, 0x4F, 0x52, 0x44, 0x46, 0x45, 0x52, 0x4F, 0x87, 0x45, 0, 0, 0, 0, 0, 2,  // SignatureOwner
      0x30, 0x01, 0x00,  // SignatureData
    ]
    #expect(signatureList([0x30, 0x01, 0x00]) == expected)
  }

  @Test(
    "a name is a file's name before .cer on a FAT volume, and nothing else",
    arguments: ["", "-a", "A", "a b", "a/b", "..", "ä", "ninechars"])
  func names(name: String) async {
    let said = await sentence { _ = try SecureBootName(name) }
    #expect(said.contains("cannot be the name of a key for Secure Boot"))
  }

  @Test("an existing key is not made again, and stays as it was")
  func existing() async throws {
    try await withStore { store in
      let first = try SecureBootCredential(newFor: mine, years: 30)
      try await store.keep(first, as: mine)
      let said = await sentence { try await store.keep(SecureBootCredential(newFor: mine, years: 30), as: mine) }
      #expect(said.contains("There already is a key mine for Secure Boot"), "\(said)")
      #expect(try store.credential(mine) == first)
    }
  }

  @Test(
    "a key that cannot be used is one sentence",
    arguments: [
      ("none", "There is no key mine for Secure Boot. `droneforge secureboot create mine` makes it."),
      ("another", "There is no key mine for Secure Boot. There are: other."),
      ("readable", "has mode 644, so others may have read the key for Secure Boot"),
      ("open folder", "has mode 755, so others may have read"), ("a link", "cannot be a link"),
      ("damaged", "db.key holds no private key in PEM"), ("no certificate", "db.crt holds no certificate in PEM"),
      ("of two", "does not belong to the certificate"),
    ])
  func unusable(_ fault: String, _ says: String) async throws {
    try await withStore { store in
      let other = try SecureBootName("other")
      if fault == "another" || fault == "of two" {
        try await store.keep(SecureBootCredential(newFor: other, years: 1), as: other)
      }
      if fault != "none", fault != "another" {
        try await store.keep(SecureBootCredential(newFor: mine, years: 1), as: mine)
      }
      let (place, key) = (store.location(of: mine), store.keyFile(of: mine))
      switch fault {
      case "readable": chmod(key.string, 0o644)
      case "open folder": chmod(place.string, 0o755)
      case "a link":
        rename(key.string, place.appending("kept").string)
        symlink("kept", key.string)
      case "damaged": try await write("-----BEGIN".utf8, to: key, mode: .ownerReadWrite)
      case "no certificate": try await write([], to: store.certificateFile(of: mine), mode: .ownerReadWrite)
      case "of two": try await write(contents(of: store.keyFile(of: other)), to: key, mode: .ownerReadWrite)
      default: break
      }
      let said = await sentence { _ = try store.credential(mine) }
      #expect(said.contains(says), "\(said)")
    }
  }

  @Test("a key that exists already is taken, and one that firmware would not take is refused")
  func given() async throws {
    try await withStore { store in
      try makeFolder(store.folder)
      func path(_ name: String) -> String { store.folder.appending(name).string }
      for (name, algorithm) in [
        ("rsa", ["rsa:3072"]), ("short", ["rsa:1024"]), ("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
      ] {
        _ = try await Command(
          "openssl",
          ["req", "-x509", "-newkey"] + algorithm
            + [
              "-nodes", "-keyout", path("\(name).key"), "-out", path("\(name).pem"), "-subj", "/CN=\(name)", "-days",
              "1",
            ]
        ).output()
      }
      func read(_ name: String) throws -> SecureBootCredential {
        try SecureBootCredential(
          key: contents(of: FilePath(path("\(name).key"))), certificate: contents(of: FilePath(path("\(name).pem"))),
          from: (path("\(name).key"), path("\(name).pem")))
      }
      #expect(try !read("rsa").der.isEmpty)
      for name in ["short", "ec"] {
        let said = await sentence { _ = try read(name) }
        #expect(said.contains("no RSA key of 2048 bits or more"), "\(said)")
      }
    }
  }
}
