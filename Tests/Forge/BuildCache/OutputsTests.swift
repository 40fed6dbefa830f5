import Foundation
import SystemPackage
import Testing
import Workshop

@testable import BuildCache

/// Outputs of their own names, as an image and its bill of materials.
@Suite struct OutputsTests {
  let quiet = Workshop.Progress(total: 9, quiet: true)
  let names = ["image", "bill"]

  private func withCache(_ body: (BuildCache) async throws -> Void) async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      try await body(BuildCache(folder: folder))
    }
  }

  /// An image, which is a folder, and a bill, both with `text` in them.
  private func recipe(
    _ text: String, inputs: [Input], then: @escaping @Sendable (Room) async throws -> Void = { _ in }
  ) -> Thing {
    Thing(inputs: inputs) { room in
      try makeFolder(room.result.appending("image"))
      try await write(text.utf8, to: room.result.appending("image/file"))
      try await write(text.utf8, to: room.result.appending("bill"))
      try await then(room)
    }
  }

  /// Whether there was nothing to do.
  private func isUpToDate(_ thing: Thing, in cache: BuildCache) async throws -> Bool {
    try await cache.outputs(names, of: thing, quiet) == nil
  }

  private func text(_ name: String, in cache: BuildCache) throws -> String {
    String(decoding: try contents(of: cache.folder.appending(name)), as: UTF8.self)
  }

  private func left(in cache: BuildCache) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: cache.folder.string).sorted()
  }

  @Test("outputs from the same inputs that lie there untouched are not made again")
  func upToDate() async throws {
    try await withCache { cache in
      let one = recipe("one", inputs: [Input("a", "1")])
      let first = try await isUpToDate(one, in: cache)
      #expect(!first)
      #expect(try left(in: cache) == [".image.inputs", "bill", "image"])
      let second = try await isUpToDate(one, in: cache)
      #expect(second)
    }
  }

  enum Change: CaseIterable { case inputs, damage, addition, removal, bill, mark }

  @Test("other inputs, and any change of the outputs, make them again", arguments: Change.allCases)
  func again(_ change: Change) async throws {
    try await withCache { cache in
      _ = try await cache.outputs(names, of: recipe("one", inputs: [Input("a", "1")]), quiet)
      let file = cache.folder.appending("image/file")
      switch change {
      case .inputs: break
      case .damage: try await write("damage".utf8, to: file)
      case .addition: try await write("more".utf8, to: cache.folder.appending("image/more"))
      case .removal: try FileManager.default.removeItem(atPath: file.string)
      case .bill: try FileManager.default.removeItem(atPath: cache.folder.appending("bill").string)
      case .mark: try FileManager.default.removeItem(atPath: cache.folder.appending(".image.inputs").string)
      }
      let two = recipe("two", inputs: [Input("a", change == .inputs ? "2" : "1")])
      let untouched = try await isUpToDate(two, in: cache)
      #expect(!untouched)
      #expect(try text("image/file", in: cache) == "two" && text("bill", in: cache) == "two")
      #expect(try left(in: cache) == [".image.inputs", "bill", "image"])
    }
  }

  @Test("a build that fails leaves the previous outputs, and they stay up to date for their inputs")
  func failed() async throws {
    try await withCache { cache in
      let one = recipe("one", inputs: [Input("a", "1")])
      _ = try await cache.outputs(names, of: one, quiet)
      let broken = recipe("two", inputs: [Input("a", "2")]) { _ in throw BuildError.input("The check is unhappy.") }
      await #expect(throws: BuildError.self) { try await cache.outputs(names, of: broken, quiet) }
      #expect(try text("image/file", in: cache) == "one" && text("bill", in: cache) == "one")
      #expect(try left(in: cache) == [".image.inputs", "bill", "image"])
      let still = try await isUpToDate(one, in: cache)
      #expect(still)
    }
  }

  @Test("a build that is interrupted, also after its last program, leaves the previous outputs")
  func interrupted() async throws {
    try await withCache { cache in
      _ = try await cache.outputs(names, of: recipe("one", inputs: [Input("a", "1")]), quiet)
      let (began, beginning) = AsyncStream<Void>.makeStream()
      let slow = recipe("two", inputs: [Input("a", "2")]) { _ in
        beginning.finish()
        // Goes on, whatever happens, as work does that looks at no signal.
        while !Task.isCancelled { await Task.yield() }
      }
      let build = Task { try await cache.outputs(names, of: slow, quiet) }
      for await _ in began {}
      build.cancel()
      await #expect(throws: CancellationError.self) { try await build.value }
      #expect(try text("image/file", in: cache) == "one" && text("bill", in: cache) == "one")
      #expect(try left(in: cache) == [".image.inputs", "bill", "image"])
    }
  }

  @Test("what a build left that was killed, a key perhaps, is gone after the next one, whatever that has to do")
  func killed() async throws {
    try await withCache { cache in
      let one = recipe("one", inputs: [Input("a", "1")])
      for _ in 1...2 {
        let left = cache.folder.appending(".work.4711.42.part")
        try makeFolder(left.appending("work"))
        try await write("key".utf8, to: left.appending("work").appending("credential.cpio"), mode: .ownerReadWrite)
        _ = try await cache.outputs(names, of: one, quiet)
        #expect(try self.left(in: cache) == [".image.inputs", "bill", "image"])
      }
    }
  }

  @Test("nobody else can look at outputs while they are made, and modes stay as the recipe set them")
  func modes() async throws {
    try await withCache { cache in
      let secret = Thing { room in
        let parent = room.result.removingLastComponent()
        #expect(try FileManager.default.attributesOfItem(atPath: parent.string)[.posixPermissions] as? Int == 0o700)
        try await write("key".utf8, to: room.result.appending("image"), mode: .ownerReadWrite)
      }
      _ = try await cache.outputs(["image"], of: secret, quiet)
      let mode = try FileManager.default.attributesOfItem(atPath: cache.folder.appending("image").string)
      #expect(mode[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test("a cache that keeps nothing older holds the newest part of each name, and no other's")
  func newest() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let cache = BuildCache(folder: folder, keepingOlder: 0)
      try makeFolder(folder.appending("thing-of-others"))
      var parts: [Part] = []
      for number in 1...2 {
        let thing = Thing(inputs: [Input("a", "\(number)")]) {
          try await write("x".utf8, to: $0.result.appending("file"))
        }
        parts.append(try await cache.part(thing, quiet))
      }
      #expect(!exists(parts[0].folder) && exists(parts[1].folder))
      #expect(exists(folder.appending("thing-of-others")))
    }
  }

  @Test("a folder of somebody's own is never replaced by an output of its name")
  func foreign() async throws {
    try await withCache { cache in
      try makeFolder(cache.folder.appending("image"))
      try await write("mine".utf8, to: cache.folder.appending("image/file"))
      let one = recipe("one", inputs: [Input("a", "1")])
      await #expect(throws: BuildError.self) { _ = try await cache.outputs(names, of: one, quiet) }
      #expect(try text("image/file", in: cache) == "mine")
      // An empty one holds nothing to lose.
      try removeTree(cache.folder.appending("image/file"))
      _ = try await cache.outputs(names, of: one, quiet)
      #expect(try text("image/file", in: cache) == "one")
    }
  }
}
