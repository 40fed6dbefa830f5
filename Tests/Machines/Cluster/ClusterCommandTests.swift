import Foundation
import SystemPackage
import Testing
import Workshop

/// `droneforge cluster` as people type it, with a folder of its own instead of theirs.
@Suite struct ClusterCommandTests {
  private struct Store {
    let folder: FilePath

    func type(_ words: String) async throws -> String {
      let command = Command(
        try RunningArmy.program.string, words.split(separator: " ").map(String.init),
        environment: ["XDG_CONFIG_HOME": folder.string])
      return String(decoding: try await command.output(), as: UTF8.self)
    }

    /// What is said when it is refused; nothing if it is not.
    func refusal(_ words: String) async -> String {
      do { _ = try await type(words) } catch { return "\(error)" }
      return ""
    }
  }

  private func withStore(_ body: (Store) async throws -> Void) async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("clusters-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try await body(Store(folder: folder))
  }

  @Test("create, list, show, export and rotate say what they did, and only export shows a key")
  func commands() async throws {
    try await withStore { store in
      let made = try await store.type("cluster create lab --years 3")
      #expect(made.hasPrefix("Made the cluster lab: ") && made.contains("Keep a copy of that folder"))
      let fingerprint = String(made.split(separator: "\n")[0].dropFirst("Made the cluster lab: ".count))
      #expect(fingerprint.filter(\.isHexDigit).count == 64)
      let listed = try await store.type("cluster list")
      #expect(listed.hasPrefix("lab  \(fingerprint.prefix(9))"), "\(listed)")
      let shown = try await store.type("cluster show lab")
      #expect(shown.contains("fingerprint  \(fingerprint)\n") && shown.contains("valid "), "\(shown)")
      for text in [made, listed, shown] { #expect(!text.contains("KEY")) }

      let file = store.folder.appending("lab.pem").string
      #expect(try await store.type("cluster export lab --output \(file)") == "")
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let pem = try String(contentsOfFile: file, encoding: .utf8)
      #expect(pem.contains("BEGIN CERTIFICATE") && pem.contains("PRIVATE KEY"))
      #expect(try await store.type("cluster export lab") == pem)
      let open = try await store.type("cluster export lab --public")
      #expect(open.contains("BEGIN CERTIFICATE") && !open.contains("KEY") && pem.contains(open))
      // Read by somebody else.
      let subject = try await Command("openssl", ["x509", "-in", file, "-noout", "-checkend", "\(2 * 365 * 86_400)"])
        .output()
      #expect(String(decoding: subject, as: UTF8.self).contains("will not expire"))

      let rotated = try await store.type("cluster rotate lab")
      #expect(rotated.contains("new authority") && !rotated.contains(fingerprint) && !rotated.contains("KEY"))
      let after = try await store.type("cluster show lab")
      #expect(!after.contains(fingerprint) && after.contains("replaced "), "\(after)")
    }
  }

  @Test("what cannot be done is refused with its reason, and nothing changes")
  func refusals() async throws {
    try await withStore { store in
      _ = try await store.type("cluster create lab")
      let before = try await store.type("cluster export lab")
      for (words, reason) in [
        ("cluster create lab", "lab"), ("cluster show other", "other"), ("cluster export other", "other"),
        ("cluster rotate other", "other"), ("cluster create Lab", "Lab"), ("cluster create ../lab", "../lab"),
        ("cluster create new --years 0", "--years is 1 to 100"),
      ] {
        let said = await store.refusal(words)
        #expect(said.contains(reason), "\(words): \(said)")
      }
      #expect(try await store.type("cluster export lab") == before)
      #expect(try await store.type("cluster list").split(separator: "\n").count == 1)
    }
  }
}
