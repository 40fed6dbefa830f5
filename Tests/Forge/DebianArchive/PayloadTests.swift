import Foundation
import SystemPackage
import Testing
import Workshop

@testable import DebianArchive

/// Packages are made by dpkg-deb.
@Suite struct PayloadTests {
  /// A package with a program, a link, a folder that only root may enter and a script, in each compression that dpkg knows.
  private func package(_ compression: String, in folder: FilePath) async throws -> FilePath {
    let tree = folder.appending("tree")
    for name in ["DEBIAN", "usr/bin", "etc/secret"] { try makeFolder(tree.appending(name)) }
    try await write(
      "Package: hello\nVersion: 1:2.0-1\nArchitecture: all\nMaintainer: nobody\nDescription: a test\n more: of it\n"
        .utf8,
      to: tree.appending("DEBIAN/control"))
    try await write(
      "#!/bin/sh\n".utf8, to: tree.appending("DEBIAN/postinst"),
      mode: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    try await write(
      [UInt8](repeating: 7, count: 700_000), to: tree.appending("usr/bin/hello"),
      mode: [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute])
    try FileManager.default.createSymbolicLink(
      atPath: tree.appending("usr/bin/hi").string, withDestinationPath: "hello")
    try FileManager.default.linkItem(
      atPath: tree.appending("usr/bin/hello").string, toPath: tree.appending("usr/bin/zz").string)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o700], ofItemAtPath: tree.appending("etc/secret").string)
    let file = folder.appending("hello.deb")
    _ = try await tool(
      "dpkg-deb", ["-Z\(compression)", "--root-owner-group", "--build", tree.string, file.string]
    ).output()
    return file
  }

  private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory()), body)
  }

  @Test("a package's entries, fields and scripts are listed", arguments: ["xz", "gzip", "none"])
  func listed(_ compression: String) async throws {
    try await withFolder { folder in
      let payload = try Payload(await package(compression, in: folder))
      #expect(payload.name == "hello" && payload.version == "1:2.0-1" && payload.fields["Description"] == "a test")
      #expect(payload.scripts == ["postinst"])
      #expect(payload.origin == .package("hello"))
      func entry(_ path: String) -> Payload.Entry? { payload.entries.first { $0.path == path } }
      #expect(entry("/usr/bin/hello")?.kind == .file(size: 700_000) && entry("/usr/bin/hello")?.mode == 0o755)
      #expect(entry("/usr/bin/hi")?.kind == .symbolicLink(target: "hello"))
      #expect(entry("/usr/bin/zz")?.kind == .hardLink(to: "/usr/bin/hello"))
      #expect(entry("/etc/secret")?.kind == .directory && entry("/etc/secret")?.mode == 0o700)
      #expect(payload.entries.allSatisfy { $0.user == 0 && $0.group == 0 })
      #expect(!payload.entries.contains { $0.path.contains("DEBIAN") || $0.path.contains("postinst") })
    }
  }

  @Test("only what is wanted is written, byte by byte")
  func extracted() async throws {
    try await withFolder { folder in
      let payload = try Payload(await package("xz", in: folder))
      let output = folder.appending("out")
      try makeFolder(output)
      try Payload.extract(payload.file, to: output) { $0.hasPrefix("/usr/bin/") }
      #expect(try contents(of: output.appending("usr/bin/hello")) == [UInt8](repeating: 7, count: 700_000))
      #expect(try FileManager.default.contentsOfDirectory(atPath: output.string) == ["usr"])
      func date(_ tree: String) throws -> Int {
        let path = folder.appending(tree).appending("usr/bin/hello").string
        let modified = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        return Int(modified?.timeIntervalSince1970 ?? 0)
      }
      #expect(try date("out") == date("tree"))
    }
  }

  @Test("any bytes are a package or a sentence")
  func damaged() async throws {
    try await withFolder { folder in
      let whole = try contents(of: await package("xz", in: folder))
      let file = folder.appending("damaged.deb")
      for count in stride(from: 0, to: whole.count, by: max(whole.count / 40, 1)) {
        try await write(whole[..<count], to: file)
        #expect(throws: BuildError.self) { try Payload(file) }
        var other = whole
        other[count] ^= 0xFF
        try await write(other, to: file)
        _ = try? Payload(file)
      }
    }
  }
}
