import Foundation
import SystemPackage
import Testing

@testable import Workshop

@Suite struct FolderTests {
  struct Stop: Error {}

  private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("folders-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try await body(folder)
  }

  @Test("a folder is replaced as a whole, also by a smaller one")
  func replaced() async throws {
    try await withFolder { folder in
      let tree = folder.appending("tree")
      for names in [["a", "b"], ["c"]] {
        try await replacingFolder(tree) { new in
          for name in names { try await write("x".utf8, to: new.appending(name)) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: tree.string).sorted() == names)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string) == ["tree"])
    }
  }

  @Test("a folder that could not be made leaves the previous one and no other")
  func failed() async throws {
    try await withFolder { folder in
      let tree = folder.appending("tree")
      try await replacingFolder(tree) { try await write("x".utf8, to: $0.appending("a")) }
      await #expect(throws: Stop.self) {
        try await replacingFolder(tree) { new in
          try await write("x".utf8, to: new.appending("half"))
          throw Stop()
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: tree.string) == ["a"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.string) == ["tree"])
    }
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
