import Foundation
import ImageContents
import SystemPackage
import TestSupport
import Testing
import UnifiedKernel
import Workshop

@testable import Image
@testable import ImageCheck

@Suite("What is in an image")
struct ContentsReadingTests {
  private func path(_ typed: String) -> ImagePath { ImagePath(typed: typed) }

  private func names(_ contents: ImageContents, below place: String) -> [String] {
    contents.entries(below: path(place)).map { "/" + $0.path.description.dropFirst(place.count).drop { $0 == "/" } }
  }

  /// A file's content; nil when it is not there or was not kept.
  private func bytes(_ entry: ImageEntry?) -> [UInt8]? {
    var bytes: [UInt8] = []
    guard let entry, (try? entry.forEachPiece { bytes += $0 }) != nil else { return nil }
    return bytes
  }

  private func text(_ entry: ImageEntry?) -> String? { bytes(entry).map { String(decoding: $0, as: UTF8.self) } }

  @Test("a CD's files are those that xorriso sees, and its root's those of the manifest")
  func cd() async throws {
    let sample = try await Sample.shared.value
    try await withFolder { folder in
      let image = folder.appending("small.iso")
      try await write(sample.cd, to: image)
      let found = try await Command("xorriso", ["-indev", image.string, "-find", "/"]).output()
      let expected = String(decoding: found, as: UTF8.self).split(separator: "\n").map {
        $0.trimmingPrefix("'").dropLast()
      }
      try await withImageContents(of: image, keeping: { $0.name == "passwd" }) { contents in
        #expect(contents.form == .cd && contents.size == sample.cd.count && contents.warnings == [])
        #expect(Set(names(contents, below: "/")) == Set(expected.map { $0 == "/" ? "/." : String($0) }))
        let root = contents.entries(below: path("/chaos/chaos.rdz"))
        #expect(
          root.map { $0.path.names.dropFirst(2) }
            == sample.root.entries.map { entry in
              ImagePath(bytes: entry.path.utf8).names.isEmpty
                ? [[0x2E]] : ArraySlice(ImagePath(bytes: entry.path.utf8).names)
            })
        #expect(root.map(\.mode) == sample.root.entries.map(\.mode))
        #expect(contents[path("/chaos/chaos.rdz")]?.inside == .archive)
        #expect(text(contents[path("/chaos/chaos.rdz/etc/passwd")]) == "root::0:0:root:/root:/bin/sh\n")
        #expect(contents[path("/chaos/chaos.rdz/bin/sh")]?.target == [UInt8]("/bin/busybox".utf8))
      }
      try await withImageContents(of: image, opening: { _ in false }) { contents in
        #expect(contents[path("/chaos/chaos.rdz/etc")] == nil && contents[path("/chaos/chaos.rdz")]?.inside == .archive)
      }
    }
  }

  @Test("a network boot tree has the same root, and what is damaged in it is told")
  func tree() async throws {
    try await withFolder { folder in
      let parts = try await sampleParts(in: folder)
      let tree = try await buildImage(.network, from: parts, in: folder).path
      let whole = try await withImageContents(of: tree) { $0 }
      #expect(whole.form == .tree && whole[path("/chaos/chaos.rdz/bin/busybox")]?.kind == .file)
      let archive = tree.appending("chaos/chaos.rdz")
      let alone = try await withImageContents(of: archive) { $0 }
      #expect(alone.form == .archive && names(alone, below: "/") == names(whole, below: "/chaos/chaos.rdz"))
      try await write(contents(of: archive).dropLast(20), to: archive)
      let cut = try await withImageContents(of: tree) { $0 }
      #expect(cut.warnings.first?.hasPrefix("/chaos/chaos.rdz cannot be read to its end") == true)
      #expect(cut[path("/chaos/chaos.rdz")]?.inside == nil)
      await #expect(throws: BuildError.self) { try await withImageContents(of: archive) { _ in } }
    }
  }

  @Test("of several archives behind each other the last one's file counts")
  func several() async throws {
    func archive(_ text: String, _ path: String) async throws -> [UInt8] {
      try await xz(
        cpioArchive(of: Manifest([.directory("/", why: "w"), .file(path, .bytes([UInt8](text.utf8)), why: "w")])),
        rootOptions)
    }
    try await withFolder { folder in
      let file = folder.appending("root")
      try await write(archive("one", "/a") + archive("two", "/b/c") + archive("three", "/a"), to: file)
      try await withImageContents(of: file, keeping: { _ in true }) { contents in
        #expect(names(contents, below: "/") == ["/.", "/a", "/b", "/b/c"])
        #expect(text(contents[path("/a")]) == "three")
      }
    }
  }

  @Test("what GNU cpio wrote comes out as GNU cpio takes it out, names that are no text and hard links too")
  func cpio() async throws {
    try await withFolder { folder in
      let script = """
        cd "$0" && mkdir -p in/d theirs && cd in && echo one >d/one && ln d/one second && ln -s d/one link
        echo odd >"$(printf 'n\\377\\001')" && chmod 700 d && : >empty && ln -s "$(printf 'n\\377\\001')" bad
        find . | LC_ALL=C sort | cpio -o -H newc --quiet >../archive && cd ../theirs && cpio -id --quiet <../archive
        """
      _ = try await Command("/bin/sh", ["-ec", script, folder.string]).output()
      try await withImageContents(of: folder.appending("archive"), keeping: { _ in true }) { contents in
        #expect(contents[path("/n\\xFF\\x01")]?.size == 4)
        #expect(contents[path("/bad")]?.target == [0x6E, 0xFF, 1])
        #expect(text(contents[path("/second")]) == "one\n" && text(contents[path("/d/one")]) == "one\n")
        let leftOut = try await Extraction([], of: contents).write(to: folder.appending("ours"))
        #expect(leftOut == [])
      }
      _ = try await Command("diff", ["-r", "--no-dereference", "theirs", "ours"], workingDirectory: folder.string)
        .output()
    }
  }

  @Test("a program of kernel and root has both, its boot line, and in its root the drone's files")
  func program() async throws {
    let root = try await xz(
      cpioArchive(of: Manifest([.file("/etc/motd", .bytes([UInt8]("hello".utf8)), why: "w")])), rootOptions)
    let parts: [UnifiedKernelPart: [UInt8]] = [
      .system: [UInt8]("ID=droneforge\n".utf8), .commandLine: [UInt8]("quiet".utf8), .root: root,
      .kernel: HandWrittenProgram.kernel,
    ]
    try await withFolder { folder in
      let stub = try contents(of: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
      let layout = try UnifiedKernelLayout(
        stub: stub, stubSize: stub.count,
        sizes: UnifiedKernelSizes(
          system: 14, commandLine: 5, root: root.count, kernel: HandWrittenProgram.kernel.count))
      let file = folder.appending("drone.efi")
      try await write(
        layout.extents.flatMap { extent -> [UInt8] in
          switch extent.source {
          case .header: layout.header
          case .stub: [UInt8](stub[extent.offset..<extent.offset + extent.count])
          case .zeros: [UInt8](repeating: 0, count: extent.count)
          case .part(let part): parts[part] ?? []
          }
        }, to: file)
      try await withImageContents(of: file, keeping: { _ in true }) { contents in
        #expect(contents.form == .program && contents.warnings == [])
        #expect(names(contents, below: "/") == ["/.cmdline", "/.initrd", "/.linux", "/.osrel"])
        #expect(text(contents[path("/.cmdline")]) == "quiet")
        #expect(text(contents[path("/.initrd/etc/motd")]) == "hello")
      }
      // One whose kernel is the whole program again, and so on without end.
      var bytes = try contents(of: file)
      let header = try #require(bytes.firstRange(of: [UInt8](".linux\0\0".utf8))).lowerBound
      let size = (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
      bytes.replaceSubrange(header + 8..<header + 12, with: size)  // VirtualSize
      bytes.replaceSubrange(header + 16..<header + 24, with: size + [0, 0, 0, 0])  // SizeOfRawData, PointerToRawData
      try await write(bytes, to: file)
      try await withImageContents(of: file) { contents in
        #expect(!contents.entries.contains { $0.path.names.count > 3 })
      }
    }
  }

  @Test("a path that is too long or too deep is left out and told, and the rest is read")
  func deep() async throws {
    let paths = ["/" + String(repeating: "d/", count: 129) + "f", "/" + String(repeating: "n", count: 200), "/rest"]
    let archive = try cpioArchive(
      of: Manifest(paths.map { .file($0, .bytes([1]), why: "w") }))
    try await withFolder { folder in
      try await write(archive, to: folder.appending("root"))
      try await withImageContents(of: folder.appending("root")) { contents in
        #expect(contents[path("/rest")] != nil && contents[path(paths[1])] != nil)
        #expect(contents[path(paths[0])] == nil)
        #expect(contents.warnings.contains { $0.contains("130 names") }, "\(contents.warnings)")
      }
    }
  }

  @Test("the EFI partition behind a CD's files is a folder beside them")
  func partition() async throws {
    try await withFolder { folder in
      try makeFolder(folder.appending("tree"))
      try await write([1], to: folder.appending("tree/file"))
      _ = try await fatVolume(["-F", "12"], kibibytes: 1440, in: folder)
      _ = try await Command(
        "xorriso",
        ["-as", "mkisofs", "-quiet", "-o", "cd.iso", "-append_partition", "2", "0xef", "volume.img", "tree"],
        workingDirectory: folder.string
      ).output()
      try await withImageContents(of: folder.appending("cd.iso"), keeping: { _ in true }) { contents in
        #expect(names(contents, below: "/") == ["/.", "/efi-partition", "/file"])
        for (file, content) in fatFiles {
          #expect(bytes(contents[path("/efi-partition\(file)")]) == content)
        }
        #expect(contents[path("/efi-partition/EFI")]?.mode == nil)
      }
    }
  }

  @Test("a damaged image gives what is left of it, or a sentence", arguments: UInt64(1)...12)
  func damaged(_ seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    var bytes = try await Sample.shared.value.cd
    // The directories are in the first sectors.
    for _ in 0..<20 {
      bytes[Int.random(in: 0x8000..<0x20000, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    }
    if seed % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
    let image = bytes
    try await withFolder { folder in
      let file = folder.appending("cd")
      try await write(image, to: file)
      do {
        try await withImageContents(of: file) { contents in #expect(contents.size == image.count) }
      } catch is BuildError {}
    }
  }

  @Test("what is no image is told in a sentence", arguments: ["", "text", "\u{1F}\u{8B}", "MZ", "070701"])
  func others(_ content: String) async throws {
    try await withFolder { folder in
      let file = folder.appending("file")
      try await write(content.utf8, to: file)
      let error = await #expect(throws: BuildError.self) { try await withImageContents(of: file) { _ in } }
      #expect(error?.description.contains("Name an image") == true)
      await #expect(throws: BuildError.self) { try await withImageContents(of: folder) { _ in } }
    }
  }
}
