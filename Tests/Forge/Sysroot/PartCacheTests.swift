import Foundation
import SystemPackage
import Testing
import Workshop

@testable import Sysroot

@Suite struct PartCacheTests {
  let quiet = Workshop.Progress(total: 1, quiet: true)

  @Test("a recipe's hash changes with every input, its name, its place, and with nothing else")
  func hashes() {
    let base = [(name: "source", value: "musl 1.2.3"), (name: "flags", value: "-Os -fno-pic")]
    let others = [
      [(name: "source", value: "musl 1.2.4"), (name: "flags", value: "-Os -fno-pic")],
      [(name: "source", value: "musl 1.2.3"), (name: "flags", value: "-O2 -fno-pic")],
      [(name: "sources", value: "musl 1.2.3"), (name: "flags", value: "-Os -fno-pic")],
      [(name: "flags", value: "-Os -fno-pic"), (name: "source", value: "musl 1.2.3")],
      [(name: "source", value: "musl 1.2.3flags"), (name: "", value: "-Os -fno-pic")],
      [(name: "source", value: "musl 1.2.3")],
      [],
    ]
    #expect(recipeHash(base) == recipeHash(base))
    #expect(Set(([base] + others).map { recipeHash($0) }).count == others.count + 1)
  }

  @Test("a finished part is built once and then found, with its intermediate files gone")
  func once() async throws {
    try await withTemporaryFolder { folder in
      let parts = PartCache(folder: folder.appending("i586"))
      let hash = recipeHash([("a", "1")])
      for round in 1...2 {
        let part = try await parts.part("thing", "Thing", hash, quiet) { part, work, log in
          #expect(round == 1)
          try await write("x".utf8, to: work.appending("intermediate"))
          try await write("whole".utf8, to: part.appending("file"))
        }
        #expect(try contents(of: part.folder.appending("file")) == Array("whole".utf8))
        #expect(!exists(part.folder.appending("work")))
      }
    }
  }

  @Test("a build that fails or was killed leaves nothing under the part's name, and the next one starts clean")
  func unfinished() async throws {
    try await withTemporaryFolder { folder in
      let parts = PartCache(folder: folder)
      let hash = recipeHash([("a", "1")])
      // What a build killed by SIGKILL leaves; and another part's, which is none of our business.
      try makeFolder(folder.appending(".thing-0000.1.2.part"))
      try makeFolder(folder.appending(".other-0000.1.2.part"))
      await #expect(throws: BuildError.self) {
        try await parts.part("thing", "Thing", hash, quiet) { part, _, _ in
          try await write("half".utf8, to: part.appending("file"))
          throw BuildError.input("The compiler is unhappy.")
        }
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.string).filter { !$0.hasPrefix("thing") }
      #expect(names == [".other-0000.1.2.part"])
      #expect(!exists(parts.location("thing", hash)))
    }
  }

  @Test("of two builds of one part at once, one builds and both get it")
  func together() async throws {
    try await withTemporaryFolder { folder in
      let parts = PartCache(folder: folder)
      let hash = recipeHash([("a", "1")])
      let built = Counter()
      let places = try await withThrowingTaskGroup(of: FilePath.self) { group in
        for _ in 1...2 {
          group.addTask {
            try await parts.part("thing", "Thing", hash, quiet) { part, _, _ in
              await built.increment()
              try await write("whole".utf8, to: part.appending("file"))
              try await Task.sleep(for: .milliseconds(50))
            }.folder
          }
        }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(places == [parts.location("thing", hash)])
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
