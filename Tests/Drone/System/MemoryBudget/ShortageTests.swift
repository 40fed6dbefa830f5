import MemoryBudget
import Testing

@Suite("Where memory is short")
struct ShortageTests {
  private let roomy = FileSystemUse(size: 4000, free: 3000, inodes: 1000, freeInodes: 900)

  private func look(tmp: FileSystemUse, available: UInt64 = 10_000, killed: UInt64 = 0) -> ShortageWatch.Look {
    var look = ShortageWatch.Look(uses: [tmp, roomy, nil, roomy, roomy])
    look.memoryTotal = 26_000
    look.memoryAvailable = available
    look.killed = killed
    return look
  }

  private func texts(_ sentences: [[UInt8]]) -> [String] { sentences.map { String(decoding: $0, as: UTF8.self) } }

  @Test("a full file system is told once, and again only after it has had room")
  func fileSystem() {
    var watch = ShortageWatch()
    let full = FileSystemUse(size: 4000, free: 60, inodes: 1000, freeInodes: 900)
    #expect(watch.news(look(tmp: roomy)) == [])
    #expect(
      texts(watch.news(look(tmp: full))) == [
        "/tmp is full: 3940 of 4000 KB; what is written there fails until something is removed"
      ])
    #expect(watch.news(look(tmp: full)) == [])
    // It wavers.
    #expect(watch.news(look(tmp: FileSystemUse(size: 4000, free: 200, inodes: 1000, freeInodes: 900))) == [])
    #expect(watch.news(look(tmp: full)) == [])
    #expect(watch.news(look(tmp: roomy)) == [])
    #expect(watch.news(look(tmp: full)).count == 1)
  }

  @Test("so is one that has no room for another file; one without limits is never full")
  func files() {
    let crowded = FileSystemUse(size: 4000, free: 3000, inodes: 1000, freeInodes: 0)
    #expect(
      texts(ShortageWatch.shortages(look(tmp: crowded))) == [
        "/tmp is full: 1000 of 1000 files; what is written there fails until something is removed"
      ])
    // A root that has little to grow by has not reached it at boot.
    #expect(
      ShortageWatch.shortages(look(tmp: FileSystemUse(size: 5128, free: 128, inodes: 464, freeInodes: 64))) == [])
    // ramfs says 0 of everything.
    #expect(ShortageWatch.shortages(look(tmp: FileSystemUse(size: 0, free: 0, inodes: 0, freeInodes: 0))) == [])
  }

  @Test("memory that runs out is told, and so are programs that the kernel ended for want of it")
  func memory() {
    var watch = ShortageWatch()
    #expect(
      texts(watch.news(look(tmp: roomy, available: 500))) == [
        "only 500 of 26000 KB are left; end a program or remove files from /tmp"
      ])
    #expect(watch.news(look(tmp: roomy, available: 400)) == [])
    #expect(
      texts(watch.news(look(tmp: roomy, killed: 1))) == ["the kernel has ended 1 program for want of memory"])
    #expect(watch.news(look(tmp: roomy, killed: 1)) == [])
    #expect(
      texts(watch.news(look(tmp: roomy, available: 500, killed: 3))) == [
        "only 500 of 26000 KB are left; end a program or remove files from /tmp",
        "the kernel has ended 2 programs for want of memory",
      ])
  }

  @Test(
    "the number of ended programs is vmstat's",
    arguments: [("nr_free_pages 4\noom_kill 17\n", 17), ("", 0), ("oom_kill\noom_kill x\n", 0)] as [(String, UInt64)])
  func vmstat(_ text: String, _ expected: UInt64) {
    var look = ShortageWatch.Look(uses: [])
    look.read(vmstat: Array(text.utf8))
    #expect(look.killed == expected)
  }
}
