import Bytes
import Integrity
import SystemPackage
import Testing
import Workshop

@testable import Image

@Suite("A manifest is read once")
struct ResolvedManifestTests {
  private func manifest(in folder: FilePath, _ bytes: [UInt8]) async throws -> (Manifest, FilePath) {
    let path = folder.appending("file")
    try await write(bytes, to: path)
    return (try Manifest([.file("/a", .bytes([1]), why: "test"), .file("/b", .file(path), why: "test")]), path)
  }

  private func archive(_ manifest: ResolvedManifest) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try writeCpio(manifest) { bytes.append(contentsOf: $0) }
    return bytes
  }

  @Test("size and digest are those of the content, whether it stays in memory or not", arguments: [0, 1, 1 << 20])
  func digest(room: Int) async throws {
    try await withFolder { folder in
      let bytes = noise(3 << 20 | 5)
      let (manifest, _) = try await manifest(in: folder, bytes)
      let content = try #require(try manifest.resolved(room: room).entries.last?.content)
      #expect(content.size == bytes.count && content.digest == SHA256(bytes) && content.sealed == contentDigest(bytes))
      #expect(try content.bytes() == bytes)
    }
  }

  @Test(
    "a drone knows a file by what b3sum says of it",
    arguments: [0, 1, 64, 65, 1024, 1025, 6144, 6145, 100_000, 3 << 20 | 5])
  func independent(size: Int) async throws {
    try await withFolder { folder in
      let (manifest, path) = try await manifest(in: folder, noise(size))
      let content = try #require(try manifest.resolved(room: 0).entries.last?.content)
      let said = try await Command("b3sum", ["--no-names", path.string]).output()
      #expect(content.sealed.flatMap { hexadecimalByte($0) } == said.dropLast())
    }
  }

  @Test("what stays in memory is written as it was read, though the file changes or goes")
  func kept() async throws {
    try await withFolder { folder in
      let (manifest, path) = try await manifest(in: folder, [1, 2, 3])
      let resolved = try manifest.resolved()
      let before = try archive(resolved)
      try await write([3, 2, 1], to: path)
      #expect(try archive(resolved) == before)
      _ = try await Command("rm", [path.string]).output()
      #expect(try archive(resolved) == before)
    }
  }

  @Test(
    "a file that is other bytes, shorter or longer when it is written stops the build with a sentence",
    arguments: [[3, 2, 1], [1, 2], [1, 2, 3, 4]] as [[UInt8]])
  func changed(bytes: [UInt8]) async throws {
    try await withFolder { folder in
      let (manifest, path) = try await manifest(in: folder, [1, 2, 3])
      let resolved = try manifest.resolved(room: 0)
      #expect(try archive(resolved).count % 4 == 0)
      try await write(bytes, to: path)
      let expected = "\(path) changed while the image was built. Build it again."
      #expect(await sentence { _ = try archive(resolved) } == expected)
      #expect(
        await sentence { try await write(resolved, asFolder: folder.appending("tree")) } == expected)
    }
  }

  @Test("the baseline has the digests of what the archive holds, and one more entry joins without a second reading")
  func sealed() async throws {
    try await withFolder { folder in
      let (manifest, path) = try await manifest(in: folder, [1, 2, 3])
      let resolved = try manifest.resolved()
      try await write([9], to: path)
      let sealed = try resolved.sealed()
      #expect(sealed.entries.map(\.entry.path) == ["/a", "/b", "/etc", "/etc/baseline"])
      #expect(sealed.entries[1].content?.digest == SHA256([1, 2, 3]))
      let text = String(decoding: try sealed.entries[3].content?.bytes() ?? [], as: UTF8.self)
      #expect(text.contains(" 3 b177ec1bf26dfb3b7010d473e6d44713b29b765b99c6e60ecbfae742de496543 /b\n"))
    }
  }

  @Test("the bill says where each thing comes from")
  func origins() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder)
      parts.credential = Credential(cluster: "lab", fingerprint: "00", certificate: [1], key: nil)
      let bill = try await BillOfMaterials(json: contents(of: buildImage(.cd, from: parts, in: folder).bill))
      func origin(_ path: String) -> String? { (bill.medium + bill.drones[0].root).first { $0.path == path }?.origin }
      #expect(origin("/sbin/init") == "ours" && origin("/etc/baseline") == "ours")
      #expect(origin("/bin/busybox") == "source busybox" && origin("/bin/ls") == "source busybox")
      #expect(origin("/etc/passwd") == "checkout rootfs/etc/passwd")
      #expect(origin("/isolinux/f1.txt") == "checkout isolinux/f1.txt")
      #expect(origin("/isolinux/isolinux.bin") == "package isolinux")
      #expect(origin("/chaos/bzImage") == "given")
      #expect(bill.cluster?.credential.allSatisfy { $0.origin == "cluster" } == true)
    }
  }
}
