import Foundation
import SecureChannel
import SystemPackage
import Testing
import Workshop

@testable import ClusterStore

private let began: Int64 = 1_767_225_600

/// Runs `body` with an empty store whose folder is gone afterwards.
private func withStore(_ body: (ClusterStore) async throws -> Void) async throws {
  let folder = FilePath(NSTemporaryDirectory()).appending("clusters-\(UUID())")
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  try await body(ClusterStore(folder: folder))
}

private func mode(_ path: FilePath) -> mode_t {
  var look = stat()
  return lstat(path.string, &look) == 0 ? look.st_mode & 0o7777 : 0
}

private func sentence(_ body: () async throws -> Void) async -> String {
  do { try await body() } catch { return "\(error)" }
  return ""
}

@Suite("Clusters on the builder's machine", .serialized)
struct ClusterStoreTests {
  let lab: ClusterName

  init() throws { lab = try ClusterName("lab") }

  @Test("a cluster is for its owner alone, whatever the umask", arguments: [0o022, 0o000, 0o077] as [mode_t])
  func modes(mask: mode_t) async throws {
    try await withStore { store in
      let before = umask(mask)
      defer { umask(before) }
      let made = try await store.create(lab, now: began, years: 20)
      let place = store.location(of: lab)
      #expect(mode(store.folder) == 0o700 && mode(place) == 0o700)
      #expect(mode(place.appending("ca.key")) == 0o600 && mode(place.appending("ca.crt")) == 0o600)
      #expect(try store.cluster(lab) == made)
      #expect(try store.all() == [made])
      #expect(made.certificate.name == Array("lab".utf8) && made.certificate.notBefore == began)
      #expect(made.certificate.notAfter - began == 20 * 31_557_600)
      // Nothing else is left.
      #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder.string) == ["lab"])
    }
  }

  @Test(
    "a name is a folder's name and nothing else",
    arguments: ["", "-a", "A", "a b", "a/b", "..", ".a", "ä", String(repeating: "n", count: 33)])
  func names(name: String) async {
    let said = await sentence { _ = try ClusterName(name) }
    #expect(said.contains("cannot be the name of a cluster"))
  }

  @Test("an existing cluster is not made again, and stays as it was")
  func existing() async throws {
    try await withStore { store in
      let first = try await store.create(lab, now: began, years: 20)
      let said = await sentence { _ = try await store.create(lab, now: began, years: 20) }
      #expect(said.contains("There already is a cluster lab") && said.contains("rotate"))
      #expect(try store.cluster(lab) == first)
    }
  }

  @Test("a cluster that is not there is one sentence with those that are")
  func missing() async throws {
    try await withStore { store in
      #expect(await sentence { _ = try store.cluster(lab) }.contains("cluster create lab"))
      _ = try await store.create(ClusterName("home"), now: began, years: 1)
      #expect(await sentence { _ = try store.cluster(lab) }.contains("There are: home."))
    }
  }

  @Test("a key or folder that others can read is refused", arguments: ["", "ca.key"])
  func loose(file: String) async throws {
    try await withStore { store in
      _ = try await store.create(lab, now: began, years: 20)
      let path = file.isEmpty ? store.location(of: lab) : store.location(of: lab).appending(file)
      let right = mode(path)
      for loose in [0o040, 0o004, 0o020] as [mode_t] {
        chmod(path.string, right | loose)
        let said = await sentence { _ = try store.cluster(lab) }
        #expect(said.contains("others may have read") && said.contains("chmod"))
      }
      chmod(path.string, right)
      _ = try store.cluster(lab)
    }
  }

  @Test("a key behind a link is not followed")
  func link() async throws {
    try await withStore { store in
      _ = try await store.create(lab, now: began, years: 20)
      let key = store.location(of: lab).appending("ca.key")
      try FileManager.default.moveItem(atPath: key.string, toPath: key.string + ".other")
      try FileManager.default.createSymbolicLink(atPath: key.string, withDestinationPath: "ca.key.other")
      #expect(await sentence { _ = try store.cluster(lab) }.contains("neither a file nor a folder"))
    }
  }

  @Test("damage is one sentence")
  func damage() async throws {
    try await withStore { store in
      _ = try await store.create(lab, now: began, years: 20)
      let other = try await store.create(ClusterName("other"), now: began, years: 20)
      let key = store.location(of: lab).appending("ca.key")
      try await write(other.key.pem, to: key, mode: .ownerReadWrite)
      #expect(await sentence { _ = try store.cluster(lab) }.contains("a key that does not belong to its certificate"))
      try await write("nothing\n".utf8, to: key, mode: .ownerReadWrite)
      #expect(await sentence { _ = try store.cluster(lab) }.contains("no Ed25519 private key"))
      try FileManager.default.removeItem(atPath: key.string)
      #expect(await sentence { _ = try store.cluster(lab) }.contains("backup"))
    }
  }

  @Test("what an interrupted creation left is no cluster, and the next change removes it")
  func interrupted() async throws {
    try await withStore { store in
      let left = store.folder.appending(".work.1.2.part")
      try makeFolder(left)
      try await write("half a key".utf8, to: left.appending("ca.key"), mode: .ownerReadWrite)
      #expect(try store.names() == [])
      _ = try await store.create(lab, now: began, years: 20)
      #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder.string) == ["lab"])
    }
  }

  @Test("two at once make one cluster")
  func atOnce() async throws {
    try await withStore { store in
      try makeFolder(store.folder)
      chmod(store.folder.string, 0o700)
      let made = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<4 {
          group.addTask { [lab] in (try? await store.create(lab, now: began, years: 20)) != nil }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(made == 1)
      _ = try store.cluster(lab)
    }
  }

  @Test("a replaced authority stays beside the new one, and so do those before it")
  func rotation() async throws {
    try await withStore { store in
      let first = try await store.create(lab, now: began, years: 20)
      let (second, old) = try await store.rotate(lab, now: began + 86_400, years: 20)
      #expect(second.fingerprint != first.fingerprint)
      #expect(try store.cluster(lab) == second)
      #expect(old.lastComponent?.string == "2026-01-02T000000")
      #expect(try SigningKey(contents(of: old.appending("ca.key"))) == first.key)
      #expect(mode(old) == 0o700 && mode(old.appending("ca.key")) == 0o600)
      let (_, older) = try await store.rotate(lab, now: began + 2 * 86_400, years: 20)
      #expect(store.rotations(of: lab) == ["2026-01-02T000000", "2026-01-03T000000"])
      #expect(try SigningKey(contents(of: older.appending("ca.key"))) == second.key)
      #expect(try SigningKey(contents(of: old.appending("ca.key"))) == first.key)
      #expect(mode(store.location(of: lab)) == 0o700)
      #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder.string) == ["lab"])
    }
  }

  @Test("openssl reads what is exported, and the public part has no key in it")
  func export() async throws {
    try await withStore { store in
      let made = try await store.create(lab, now: began, years: 20)
      let file = store.folder.appending("exported.pem")
      try await write(made.pem(withKey: true), to: file, mode: .ownerReadWrite)
      let subject = try await Command("openssl", ["x509", "-in", file.string, "-noout", "-subject"]).output()
      #expect(String(decoding: subject, as: UTF8.self).contains("CN = lab"))
      let publicKey = try await Command("openssl", ["pkey", "-in", file.string, "-pubout"]).output()
      let certified = try await Command("openssl", ["x509", "-in", file.string, "-noout", "-pubkey"]).output()
      #expect(publicKey == certified && !publicKey.isEmpty)
      #expect(!String(decoding: made.pem(withKey: false), as: UTF8.self).contains("PRIVATE"))
    }
  }

  @Test("the folder follows XDG_CONFIG_HOME when that is absolute")
  func location() {
    func folder(_ environment: [String: String]) -> String {
      ClusterStore(environment: environment, home: "/home/h").folder.string
    }
    #expect(folder([:]) == "/home/h/.config/droneforge/clusters")
    #expect(folder(["HOME": "/home/x"]) == "/home/x/.config/droneforge/clusters")
    #expect(folder(["XDG_CONFIG_HOME": "/c", "HOME": "/home/x"]) == "/c/droneforge/clusters")
    #expect(folder(["XDG_CONFIG_HOME": "c"]) == "/home/h/.config/droneforge/clusters")
  }

  @Test(
    "root's clusters are not those of who used sudo",
    arguments: [
      ([:], 0, nil), (["SUDO_USER": "ann"], 0, "ann"), (["SUDO_USER": "ann", "HOME": "/home/ann"], 0, "ann"),
      (["SUDO_USER": "root"], 0, nil), (["SUDO_USER": ""], 0, nil), (["SUDO_USER": "ann"], 7, nil),
      (["SUDO_USER": "ann", "XDG_CONFIG_HOME": "/c"], 0, nil),
      (["SUDO_USER": "ann", "XDG_CONFIG_HOME": "c"], 0, "ann"),
    ] as [([String: String], UInt32, String?)])
  func sudo(_ environment: [String: String], _ user: UInt32, _ person: String?) {
    #expect(ClusterStore.personBehindRoot(environment: environment, user: user) == person)
  }
}
