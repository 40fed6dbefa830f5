import Foundation
import SystemPackage
import Testing

@testable import Workshop

@Suite struct FolderTests {
  private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("folders-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try await body(folder)
  }

  @Test("a folder is replaced as a whole, also by a smaller one or by a file")
  func replaced() async throws {
    try await withFolder { folder in
      let tree = folder.appending("tree")
      let new = folder.appending("new")
      for names in [["a", "b"], ["c"]] {
        try makeFolder(new)
        for name in names { try await write("x".utf8, to: new.appending(name)) }
        try takePlace(of: tree, new)
        #expect(try FileManager.default.contentsOfDirectory(atPath: tree.string).sorted() == names)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string) == ["tree"])
      }
      try await write("whole".utf8, to: new)
      try takePlace(of: tree, new)
      #expect(try contents(of: tree) == Array("whole".utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string) == ["tree"])
    }
  }

  @Test("what is no file is refused at once: a pipe that nobody writes to would be waited for without end")
  func noFile() async throws {
    try await withFolder { folder in
      let pipe = folder.appending("pipe")
      #expect(mkfifo(pipe.string, 0o600) == 0)
      for (path, reason) in [
        (pipe, "neither a regular file nor a drive"), (folder, "directory"), (folder.appending("none"), "No such file"),
      ] {
        let error = #expect(throws: BuildError.self) { _ = try contents(of: path) }
        #expect(error.map { "\($0)" }?.contains(reason) == true, "\(error.map { "\($0)" } ?? "")")
      }
    }
  }

  @Test(
    "what root left in a user's folder is named as a whole; what is the system's is not the user's to take over",
    arguments: [
      ("/home/u/p/build/.work/x", "/home/u/p/build"), ("/home/u/p/build", "/home/u/p/build"), ("/home/u/p/x", nil),
      ("/usr/x", nil), ("/home/x", nil), ("relative/x", nil),
    ] as [(FilePath, FilePath?)])
  func foreign(_ path: FilePath, _ tree: FilePath?) {
    let owners: [FilePath: UInt32] = [
      "/": 0, "/usr": 0, "/home": 0, "/home/u": 7, "/home/u/p": 7, "/home/u/p/build": 0, "/home/u/p/build/.work": 0,
      "/home/u/p/x": 7,
    ]
    #expect(foreignTree(around: path, user: 7) { owners[$0] } == tree)
  }

  @Test("a path is plain, or a sentence names it", arguments: Array(" :'\"=%$#;&|<>()*?[]{}\\`!,^\t\n"))
  func plain(_ letter: Character) throws {
    for path in ["/home/u/p-1.0_x+y@z~", "/home/jürgen/ф"] as [FilePath] {
      try requirePlain(path, "The cache", "Move it.")
    }
    let path = FilePath("/tmp/a\(letter)b")
    let error = #expect(throws: BuildError.self) { try requirePlain(path, "The cache", "Move it.") }
    let said = error.map { "\($0)" } ?? ""
    #expect(said.hasPrefix("The cache \"\(path)\" ") && said.hasSuffix("Move it."), "\(said)")
  }

  @Test("two builds with the same folder run one after the other, and the second one says that it waits")
  func locked() async throws {
    try await withFolder { folder in
      let second = try await withLock(on: folder) {
        let second = Task {
          var told = false
          try await withLock(on: folder, waiting: { told = true }) {}
          return told
        }
        // Long enough for the second to find the lock taken, on a busy machine, too.
        try await Task.sleep(for: .seconds(1))
        return second
      }
      #expect(try await second.value)
    }
  }
}
