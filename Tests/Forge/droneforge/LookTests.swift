import ArgumentParser
import Foundation
import ImageContents
import SystemPackage
import Testing
import Workshop

@testable import droneforge

@Suite("droneforge ls, tree, cat, extract, size, diff and why")
struct LookTests {
  private static func entry(
    _ path: String, _ kind: ImageEntry.Kind = .file, mode: UInt16? = 0o644,
    _ change: (inout ImageEntry) -> Void = { _ in }
  ) -> ImageEntry {
    var entry = ImageEntry(ImagePath(typed: path), kind, mode: mode, owner: mode.map { _ in .init(user: 0, group: 0) })
    change(&entry)
    return entry
  }

  private static let contents = ImageContents(
    .cd, size: 100,
    [
      entry("/a", .folder, mode: 0o1777), entry("/a/b") { $0.size = 20 }, entry("/a/x\\x1By") { $0.size = 1 },
      entry("/l", .symbolicLink, mode: 0o777) { $0.target = [UInt8]("a\n".utf8) },
      entry("/n", .characterDevice, mode: 0o4700) { $0.device = [5, 1] },
      entry("/r", mode: nil) { ($0.size, $0.inside) = (50, .archive) },
      entry("/r/in") { $0.size = 200 },
    ])

  @Test("a list has mode, owner, bytes and name")
  func list() {
    #expect(
      listText(Self.contents.children(of: .top)) == #"""
        drwxrwxrwt  0:0                -  a/
        lrwxrwxrwx  0:0                -  l -> a\x0A
        crws------  0:0              5,1  n
        -?????????  -                 50  r/
        """#)
  }

  @Test("a tree has branches, and does not enter an archive by itself")
  func tree() {
    #expect(
      treeLines(Self.contents, below: .top) == [
        "├── a/", "│   ├── b  20", #"│   └── x\x1By  1"#, #"├── l -> a\x0A"#, "├── n", "└── r/  50",
      ])
  }

  @Test("sizes have their share, and small ones are counted")
  func sizes() {
    #expect(
      sizeText(Self.contents.sizes, of: "i", .cd, least: 0.1) == """
        i, a CD image: 100 bytes, 71 in files
                 50   50.0 %  /r
                 21   21.0 %  /a/
                 20   20.0 %  /a/b
                     and 3 smaller than 10.0 %

        /r: 50 bytes, 200 in files
                200  100.0 %  /r/in
        """)
  }

  @Test("JSON of everything is valid")
  func json() throws {
    let changes = Self.contents.differences(to: ImageContents(.archive, size: 1, [Self.entry("/a")]))
    let texts = [
      JSON.array(Self.contents.entries.map(\.json)), .array(Self.contents.sizes.map(\.json)),
      .array(changes.map { $0.json(from: nil) }),
    ]
    for text in texts.map(\.text) {
      let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
      #expect(read?.isEmpty == false && read?.allSatisfy { ($0["path"] as? String)?.hasPrefix("/") == true } == true)
    }
  }

  @Test("the commands do on archives of GNU cpio what they say, and fail by their exit status")
  func commands() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("look-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    let script = """
      cd "$0" && mkdir -p in/etc && echo one >in/etc/file && ln -s file in/etc/link
      (cd in && find . | cpio -o -H newc --quiet) >one && echo two >>in/etc/file
      (cd in && find . | cpio -o -H newc --quiet | xz --check=crc32) >two
      """
    _ = try await Command("/bin/sh", ["-ec", script, folder.string]).output()
    func run(_ words: String...) async throws {
      var command = try Droneforge.parseAsRoot(
        words.map { $0.hasPrefix("@") ? folder.appending(String($0.dropFirst())).string : $0 })
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
    }
    for words in [["ls"], ["tree"], ["size"]] {
      try await run(words[0], "@one")
      try await run(words[0], "@two", "--json")
    }
    try await run("ls", "@one", "/etc/link")
    try await run("cat", "@two", "etc/link")
    try await run("diff", "@one", "@one")
    try await run("size", "@one", "--svg", "@svg")
    try await run("extract", "@two", "/etc/file", "--into", "@out")
    #expect(try Workshop.contents(of: folder.appending("out/etc/file")) == [UInt8]("one\ntwo\n".utf8))
    #expect(try Workshop.contents(of: folder.appending("svg")).starts(with: "<svg".utf8))
    await #expect(throws: ExitCode(1)) { try await run("diff", "@one", "@two", "--json") }
    await #expect(throws: BuildError.self) { try await run("why", "@one", "/etc/file") }
    await #expect(throws: BuildError.self) { try await run("cat", "@one", "/etc") }
    await #expect(throws: BuildError.self) { try await run("ls", "@none") }
  }
}
