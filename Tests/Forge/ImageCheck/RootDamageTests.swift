import Foundation
import Target
import Testing

@testable import Image
@testable import ImageCheck

@Suite struct RootDamageTests {
  /// Checks a root made from `manifest` against a bill of `items`.
  private func findings(_ manifest: Manifest, _ items: [BillOfMaterials.Item], isPublic: Bool = false) async throws
    -> [Finding]
  {
    let archive = try await xz(cpioArchive(of: manifest), rootOptions)
    return try await Sample.shared.value.check(items).drone.check(
      root: archive, kernel: sampleKernel(), isPublic: isPublic)
  }

  private func expect(_ findings: [Finding], _ check: Finding.Check, _ text: String) {
    #expect(findings.contains { $0.check == check && "\($0)".contains(text) }, "found instead: \(findings)")
  }

  struct EntryDamage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var path: String
    var says: String
    var change: @Sendable (Entry) -> Entry?
  }

  static let entries: [EntryDamage] = [
    .init(testDescription: "wrong mode", path: "/etc/passwd", says: "/etc/passwd: its mode is 0600 instead of 0644") {
      Entry(path: $0.path, kind: $0.kind, mode: 0o600, why: $0.why)
    },
    .init(testDescription: "wrong owner", path: "/etc/passwd", says: "/etc/passwd: it belongs to 7:8 instead of 0:0") {
      Entry(path: $0.path, kind: $0.kind, mode: $0.mode, owner: .init(user: 7, group: 8), why: $0.why)
    },
    .init(testDescription: "wrong link target", path: "/bin/sh", says: "/bin/sh: it points at /sbin/init instead of") {
      Entry.link($0.path, to: "/sbin/init", why: $0.why)
    },
    .init(testDescription: "link made a file", path: "/bin/sh", says: "it is a file and should be a symbolic link") {
      Entry.file($0.path, .bytes([1]), why: $0.why)
    },
    .init(testDescription: "another device", path: "/dev/null", says: "/dev/null: it is another device") {
      Entry.characterDevice($0.path, 1, 5, why: $0.why)
    },
    .init(testDescription: "a byte changed", path: "/etc/passwd", says: "/etc/passwd: its content is not") {
      Entry.file($0.path, .bytes([UInt8]("toor::0:0:root:/root:/bin/sh\n".utf8)), why: $0.why)
    },
    .init(testDescription: "a byte more", path: "/etc/passwd", says: "/etc/passwd: it has 1 bytes instead of 29") {
      Entry.file($0.path, .bytes([0]), why: $0.why)
    },
    .init(testDescription: "file missing", path: "/etc/passwd", says: "/etc/passwd: it is missing") { _ in nil },
  ]

  @Test("an entry that is not as the manifest has it is caught", arguments: entries)
  func entry(_ damage: EntryDamage) async throws {
    let root = try await Sample.shared.value.root
    let findings = try await findings(root.changing(damage.path, damage.change), root.items)
    #expect(findings.contains { "\($0)".contains(damage.says) }, "found instead: \(findings)")
  }

  @Test("a file that nobody spoke of is caught")
  func added() async throws {
    let root = try await Sample.shared.value.root
    let more = try Manifest(root.entries + [.file("/etc/shadow", .bytes([1]), why: "a test")])
    expect(try await findings(more, root.items), .presence, "/etc/shadow: it is not in the manifest")
  }

  @Test(
    "modes that no image may have are caught though the manifest has them",
    arguments: [
      (0o4755, "it is setuid"), (0o2755, "it is setgid"), (0o666, "everybody can write"),
      (0o664, "its group can write"),
    ])
  func permissions(_ mode: UInt16, _ says: String) async throws {
    let root = try await Sample.shared.value.root
    let bad = try root.changing("/bin/busybox") { Entry(path: $0.path, kind: $0.kind, mode: mode, why: $0.why) }
    expect(try await findings(bad, bad.items), .permissions, "/bin/busybox: \(says)")
  }

  @Test("a private key in a root that everybody can fetch is caught, and allowed on a CD")
  func secret() async throws {
    let root = try await Sample.shared.value.root
    let key = [UInt8](("-----BEGIN PRIVATE " + "KEY-----\nMC4CAQ==\n").utf8)
    let bad = try Manifest(root.entries + [.file("/etc/key", .bytes(key), why: "a test")]).resealed
    expect(try await findings(bad, bad.items, isPublic: true), .secret, "/chaos/chaos.rdz:/etc/key")
    #expect(try await findings(bad, bad.items) == [])
  }

  @Test("a baseline that is not of this root is caught, though the bill is right")
  func baseline() async throws {
    let root = try await Sample.shared.value.root
    let passwd = try root.changing("/etc/passwd") { Entry.file($0.path, .bytes([0]), why: $0.why) }
    expect(try await findings(passwd, passwd.items), .baseline, "/etc/passwd is something else in it")
    let shell = try root.changing("/bin/sh") { Entry.link($0.path, to: "/sbin/init", why: $0.why) }
    expect(try await findings(shell, shell.items), .baseline, "/bin/sh is something else in it")
    let less = try root.changing("/bin/ls") { _ in nil }
    expect(try await findings(less, less.items), .baseline, "/bin/ls is in it and not in the root")
    let more = try Manifest(root.entries + [.file("/etc/shadow", .bytes([1]), why: "a test")])
    expect(try await findings(more, more.items), .baseline, "/etc/shadow is in the root and not in it")
    let mode = try root.changing("/root") { Entry(path: $0.path, kind: $0.kind, mode: 0o711, why: $0.why) }
    expect(try await findings(mode, mode.items), .baseline, "/root has another mode in it")
    let none = try root.changing("/etc/baseline") { _ in nil }
    expect(try await findings(none, none.items), .baseline, "it is missing")
    let cut = try root.changing("/etc/baseline") {
      guard case .file(.bytes(let bytes)) = $0.kind else { return nil }
      return Entry.file($0.path, .bytes(bytes.dropLast(3)), why: $0.why)
    }
    expect(try await findings(cut, cut.items), .baseline, "certaintyd cannot read it")
    #expect(try await findings(root, root.items) == [])
  }

  // MARK: - How it is packed

  struct Packing: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var check: Finding.Check
    var says: String
    var options: [String] = rootOptions
    var plain: @Sendable (inout [UInt8]) -> Void = { _ in }
    var packed: @Sendable (inout [UInt8]) -> Void = { _ in }
  }

  static let packings: [Packing] = [
    Packing(
      testDescription: "a dictionary of 64 MiB", check: .compression, says: "its dictionary of 64 MiB",
      options: ["--check=crc32", "-9"]),
    Packing(
      testDescription: "CRC64", check: .compression, says: "its check has type 4",
      options: ["--check=crc64", "--lzma2=dict=1MiB"]),
    Packing(
      testDescription: "no check", check: .compression, says: "it has no check",
      options: ["--check=none", "--lzma2=dict=1MiB"]),
    Packing(
      testDescription: "another processor's filter", check: .compression, says: "it uses filter 7",
      options: ["--check=crc32", "--arm", "--lzma2=dict=1MiB"]),
    Packing(testDescription: "gzip", check: .compression, says: "not an XZ file") { _ in
    } packed: {
      $0.replaceSubrange(0..<6, with: [0x1F, 0x8B, 8, 0, 0, 0])
    },
    Packing(testDescription: "cut off", check: .archive, says: "cannot be read") { _ in
    } packed: {
      $0.removeLast(40)
    },
    Packing(testDescription: "something follows", check: .compression, says: "not an XZ file") { _ in
    } packed: {
      $0 += [1, 2, 3, 4]
    },
    Packing(testDescription: "no trailer", check: .archive, says: "cannot be read") { $0.removeLast(124) },
    Packing(testDescription: "no cpio at all", check: .archive, says: "no cpio archive") { $0 = [UInt8]("hello".utf8) },
    Packing(testDescription: "an empty archive", check: .archive, says: "cannot be read") { $0 = [] },
    Packing(testDescription: "a header's magic", check: .archive, says: "no cpio archive") { $0[5] = 0x37 },
    Packing(testDescription: "a name too long", check: .archive, says: "cannot be read") { $0[94 + 2] = 0x46 },
    Packing(testDescription: "rubbish after the trailer", check: .archive, says: "no cpio archive") {
      $0 += [UInt8]("rubbish!".utf8)
    },
  ]

  @Test("a root that the kernel could not unpack is caught", arguments: packings)
  func packing(_ packing: Packing) async throws {
    let sample = try await Sample.shared.value
    var plain = try cpioArchive(of: sample.root)
    packing.plain(&plain)
    var archive = try await xz(plain, packing.options)
    packing.packed(&archive)
    let findings = try await sample.check(sample.root.items).drone.check(
      root: archive, kernel: sampleKernel(), isPublic: false)
    expect(findings, packing.check, packing.says)
  }

  @Test("two archives after each other are one root, packed together or each for itself", arguments: [true, false])
  func two(together: Bool) async throws {
    let sample = try await Sample.shared.value
    let more = try Manifest([.file("/credential", .bytes([1, 2, 3]), why: "a test")])
    let first = try cpioArchive(of: sample.root)
    let second = try cpioArchive(of: more)
    let archive =
      together
      ? try await xz(first + [0, 0, 0, 0] + second, rootOptions)
      : try await xz(first, rootOptions) + xz(second, rootOptions)
    let check = try sample.check(sample.root.items + more.items)
    // What is in a credential is another check's matter.
    let findings = try await check.drone.check(root: archive, kernel: sampleKernel(), isPublic: false)
    #expect(findings.filter { $0.check != .credential } == [])
    let without = try sample.check(sample.root.items)
    expect(
      try await without.drone.check(root: archive, kernel: sampleKernel(), isPublic: false), .presence,
      "/credential: it is not in the manifest")
  }
}
