import Foundation
import SystemPackage
import Testing
import Workshop

@testable import BuildCache

/// A recipe made for a test.
struct Thing: Recipe {
  let name = "thing"
  let title = "Thing"
  var inputs = [Input("a", "1")]
  let fill: @Sendable (Room) async throws -> Void

  func build(in room: Room) async throws { try await fill(room) }
}

@Suite struct BuildCacheTests {
  let quiet = Workshop.Progress(total: 1, quiet: true)

  @Test("a recipe's hash changes with every input, its name, its place, and with nothing else")
  func hashes() {
    let base = [Input("source", "musl 1.2.3"), Input("flags", "-Os -fno-pic")]
    let others = [
      [Input("source", "musl 1.2.4"), Input("flags", "-Os -fno-pic")],
      [Input("source", "musl 1.2.3"), Input("flags", "-O2 -fno-pic")],
      [Input("sources", "musl 1.2.3"), Input("flags", "-Os -fno-pic")],
      [Input("flags", "-Os -fno-pic"), Input("source", "musl 1.2.3")],
      [Input("source", "musl 1.2.3flags"), Input("", "-Os -fno-pic")],
      [Input("source", "musl 1.2.3")],
      [],
    ]
    func hash(_ inputs: [Input]) -> SHA256 { Thing(inputs: inputs) { _ in }.hash }
    #expect(hash(base) == hash(base))
    #expect(Set(([base] + others).map(hash)).count == others.count + 1)
  }

  @Test("a finished part is built once and then found, with its intermediate files gone")
  func once() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let cache = BuildCache(folder: folder.appending("i586"))
      for round in 1...2 {
        let thing = Thing { room in
          #expect(round == 1)
          try await write("x".utf8, to: room.work.appending("intermediate"))
          try await write("whole".utf8, to: room.result.appending("file"))
        }
        let part = try await cache.part(thing, quiet)
        #expect(try contents(of: part.folder.appending("file")) == Array("whole".utf8))
        #expect(!exists(part.folder.appending("work")))
      }
    }
  }

  @Test("a build that fails or was killed leaves nothing under the part's name, and the next one starts clean")
  func unfinished() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let cache = BuildCache(folder: folder)
      // What a build killed by SIGKILL leaves; and another part's, which is none of our business.
      try makeFolder(folder.appending(".thing-0000.1.2.part"))
      try makeFolder(folder.appending(".other-0000.1.2.part"))
      let thing = Thing { room in
        try await write("half".utf8, to: room.result.appending("file"))
        throw BuildError.input("The compiler is unhappy.")
      }
      await #expect(throws: BuildError.self) { try await cache.part(thing, quiet) }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.string).filter { !$0.hasPrefix("thing") }
      #expect(names == [".other-0000.1.2.part"])
      #expect(!exists(cache.location(of: thing)))
    }
  }

  @Test("of parts that are made from other inputs the newest few stay")
  func few() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let cache = BuildCache(folder: folder, keepingOlder: 1)
      var places: [FilePath] = []
      for number in 1...3 {
        let thing = Thing(inputs: [Input("number", "\(number)")]) { _ in }
        places.append(try await cache.part(thing, quiet).folder)
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSince1970: Double(number))], ofItemAtPath: places[number - 1].string)
      }
      #expect(places.map { exists($0) } == [false, true, true])
    }
  }

  @Test("of two builds of one part at once, one builds and both get it")
  func together() async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let cache = BuildCache(folder: folder)
      let built = Counter()
      let thing = Thing { room in
        await built.increment()
        try await write("whole".utf8, to: room.result.appending("file"))
        try await Task.sleep(for: .milliseconds(50))
      }
      let places = try await withThrowingTaskGroup(of: FilePath.self) { group in
        for _ in 1...2 { group.addTask { try await cache.part(thing, quiet).folder } }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(places == [cache.location(of: thing)])
      #expect(await built.value == 1)
    }
  }

  private actor Counter {
    private(set) var value = 0
    func increment() { value += 1 }
  }

  @Test("the cache follows XDG_CACHE_HOME when it is absolute, else stands in the home folder")
  func place() {
    #expect(defaultCache(environment: ["XDG_CACHE_HOME": "/c"], home: "/home/u") == "/c/droneforge")
    #expect(defaultCache(environment: ["XDG_CACHE_HOME": "c"], home: "/home/u") == "/home/u/.cache/droneforge")
    #expect(defaultCache(environment: [:], home: "/home/u") == "/home/u/.cache/droneforge")
    #expect(defaultCache(environment: ["HOME": "/h"], home: "/home/u") == "/h/.cache/droneforge")
  }
}
