import Foundation
import SystemPackage
import Testing
import Workshop

@testable import ImageContents

@Suite("Files taken out of an image")
struct ExtractionTests {
  /// Runs `body` with a folder that is gone afterwards, and the path of one in it that is not there yet.
  private func withPlace(_ body: (_ folder: FilePath, _ target: FilePath) async throws -> Void) async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("extraction-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try await body(folder, folder.appending("new"))
  }

  private func mode(_ path: FilePath) -> mode_t? {
    var look = stat()
    return lstat(path.string, &look) == 0 ? look.st_mode : nil
  }

  @Test("files, folders, links, modes and holes come out as they are in the image")
  func whole() async throws {
    let name = [UInt8]("odd".utf8) + [0xFF]
    let contents = ImageContents(
      .archive, size: 1,
      [
        .folder("/etc", mode: 0o500), .file("/etc/secret", "key", mode: 0o600),
        .file("/bin/tool", "tool", mode: 0o4755),
        .link("/bin/sh", to: "/bin/tool"), .link("/dots", to: "../x//y/"), .file("/empty"),
        .file(path("/holes"), [UInt8](repeating: 0, count: 1 << 20) + [1]), .file(ImagePath([name]), [7]),
      ])
    try await withPlace { folder, target in
      let leftOut = try await Extraction([], of: contents).write(to: target)
      #expect(leftOut == [])
      #expect(try Workshop.contents(of: target.appending("etc/secret")) == [UInt8]("key".utf8))
      #expect(mode(target.appending("etc")) == S_IFDIR | 0o500)
      #expect(mode(target.appending("etc/secret")) == S_IFREG | 0o600)
      #expect(mode(target.appending("bin/tool")) == S_IFREG | 0o755)
      let files = FileManager.default
      #expect(try files.destinationOfSymbolicLink(atPath: target.appending("bin/sh").string) == "/bin/tool")
      #expect(try files.destinationOfSymbolicLink(atPath: target.appending("dots").string) == "../x//y/")
      var look = stat()
      #expect(
        stat(target.appending("holes").string, &look) == 0 && look.st_size == 1 << 20 + 1 && look.st_blocks < 1024)
      let path =
        target.string.utf8CString.dropLast() + [UInt8(ascii: "/")].map(CChar.init) + name.map { CChar(bitPattern: $0) }
        + [0]
      #expect(access([CChar](path), F_OK) == 0)
      #expect(try files.contentsOfDirectory(atPath: folder.string) == ["new"])
    }
  }

  @Test("an empty folder that is there is for whom it was before")
  func empty() async throws {
    try await withPlace { folder, target in
      try makeFolder(target)
      #expect(chmod(target.string, 0o700) == 0)
      _ = try await Extraction([], of: sample).write(to: target)
      #expect(mode(target) == S_IFDIR | 0o700)
      #expect(try Workshop.contents(of: target.appending("boot/menu")) == [UInt8]("menu".utf8))
    }
  }

  @Test(
    "nothing is written outside the folder",
    arguments: [
      ([.file(ImagePath(bytes: "../out".utf8), [1])], "leads out of the folder"),
      ([.file(ImagePath(bytes: "a/../../out".utf8), [1])], "leads out of the folder"),
      ([.link("/a", to: "/tmp"), .file("/a/out", "x")], "is a symbolic link"),
      ([.link("/a", to: ".."), .folder("/a/b"), .file("/a/b/out", "x")], "is a symbolic link"),
      ([.file("/a", "x"), .file("/a/b", "y")], "is a file"),
    ] as [([ImageEntry], String)])
  func attacks(_ entries: [ImageEntry], _ says: String) async throws {
    let error = #expect(throws: BuildError.self) { try Extraction([], of: ImageContents(.archive, size: 1, entries)) }
    #expect(error?.description.contains(says) == true, "\(error.debugDescription)")
    // One file alone is no way around it.
    let last = try #require(entries.last).path
    #expect(throws: BuildError.self) { try Extraction([last], of: ImageContents(.archive, size: 1, entries)) }
  }

  @Test("an absolute name is one in the folder")
  func absolute() throws {
    let contents = ImageContents(.archive, size: 1, [.file(ImagePath(bytes: "//etc/./passwd".utf8), [1])])
    #expect(try Extraction([], of: contents).paths == [path("/etc"), path("/etc/passwd")])
  }

  @Test(
    "a path is written where it is in its medium or root",
    arguments: [
      ([], ["/boot", "/boot/menu", "/chaos", "/chaos/root", "/other", "/other/root"]),
      (["/chaos/root/etc"], ["/etc", "/etc/passwd"]), (["/chaos/root/etc/passwd"], ["/etc", "/etc/passwd"]),
      (["/other/root"], ["/etc", "/etc/passwd", "/only", "/only/here"]), (["/boot"], ["/boot", "/boot/menu"]),
      (["/chaos"], ["/chaos", "/chaos/root"]),
    ])
  func places(_ wanted: [String], _ written: [String]) throws {
    #expect(try Extraction(wanted.map(path), of: sample).paths == written.map(path))
  }

  @Test("two files for one place are refused")
  func collision() {
    #expect(throws: BuildError.self) { try Extraction([path("/chaos/root"), path("/other/root")], of: sample) }
  }

  @Test("a folder that holds something is left alone, and an empty one is filled")
  func target() async throws {
    try await withPlace { folder, target in
      try makeFolder(target)
      let extraction = try Extraction([path("/boot")], of: sample)
      _ = try await extraction.write(to: target)
      await #expect(throws: BuildError.self) { try await extraction.write(to: target) }
      try FileManager.default.createSymbolicLink(atPath: folder.appending("link").string, withDestinationPath: "/tmp")
      await #expect(throws: BuildError.self) { try await extraction.write(to: folder.appending("link")) }
      await #expect(throws: BuildError.self) { try await extraction.write(to: folder.appending("no/such")) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted() == ["link", "new"])
    }
  }

  @Test("when a file cannot be read nothing is left")
  func broken() async throws {
    var lost = ImageEntry.file("/b", "lost")
    lost.read = { _, _ in nil }
    let extraction = try Extraction([], of: ImageContents(.archive, size: 1, [.file("/a", "there"), lost]))
    try await withPlace { folder, target in
      await #expect(throws: BuildError.self) { try await extraction.write(to: target) }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.string)
      #expect(left == [])
    }
  }

  @Test("when the task is cancelled nothing is left")
  func cancelled() async throws {
    let extraction = try Extraction([path("/boot")], of: sample)
    try await withPlace { folder, target in
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await extraction.write(to: target)
      }
      await #expect(throws: CancellationError.self) { try await task.value }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.string)
      #expect(left == [])
    }
  }

  @Test("a device is made for root and named for others, and a special file is named")
  func devices() async throws {
    let contents = ImageContents(
      .archive, size: 1, [.device("/null", 1, 3), ImageEntry(path("/pipe"), .other), .file("/a", "x")])
    try await withPlace { _, target in
      let said = try await Extraction([], of: contents).write(to: target)
      let isMade = mode(target.appending("null")) == S_IFCHR | 0o600
      #expect(said.filter { $0.hasPrefix("/pipe is left out") }.count == 1)
      #expect(said.contains { $0.hasPrefix("/null is left out") } != isMade)
      #expect(geteuid() == 0 || !isMade)
      #expect(mode(target.appending("a")) != nil)
    }
  }
}
