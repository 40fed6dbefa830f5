import MemoryBudget
import Testing

@Suite("How much memory file systems may take")
struct FileSystemLimitsTests {
  /// What the kernel manages of 16, 24, 32 and 256 MB, in KiB, about.
  @Test(
    "what lies beyond the reserve is shared out; a small machine gives each the least that it needs",
    arguments: [
      (0, 256, 256, 64, 128), (9_288, 256, 256, 64, 128), (18_500, 1560, 1820, 260, 520),
      (26_500, 4560, 5320, 760, 1520), (256_000, 60_000, 70_000, 10_000, 20_000),
      (4 << 20, 983_040, 1_146_880, 163_840, 327_680),
    ] as [(UInt64, UInt64, UInt64, UInt64, UInt64)])
  func shares(_ total: UInt64, _ tmp: UInt64, _ run: UInt64, _ shm: UInt64, _ root: UInt64) {
    let limits = FileSystemLimits(total: total)
    #expect(limits.tmp.size == tmp)
    #expect(limits.run.size == run)
    #expect(limits.shm.size == shm)
    #expect(limits.rootGrowth == root)
  }

  @Test("all of them full leave programs their reserve, and on a large machine three eighths of the memory")
  func reserve() {
    for total in stride(from: UInt64(16_000), through: 4 << 20, by: 1000) {
      let sum = FileSystemLimits(total: total).sum
      #expect(sum <= max(total / 8 * 5, 704) + 128, "\(total) KiB")
      if total > FileSystemLimits.reserve + 2000 {
        #expect(sum + FileSystemLimits.reserve <= total + 64, "\(total) KiB")
      }
    }
  }

  @Test("more memory never gives less room, and no limit is 0, which would mean none")
  func monotonous() {
    var before = FileSystemLimits(total: 0)
    for total in stride(from: UInt64(0), through: 300_000, by: 100) {
      let now = FileSystemLimits(total: total)
      #expect(now.tmp.size >= before.tmp.size && now.run.size >= before.run.size && now.rootGrowth >= before.rootGrowth)
      #expect(now.tmp.size > 0 && now.run.size > 0 && now.shm.size > 0 && now.dev.size > 0 && now.rootGrowth > 0)
      before = now
    }
  }

  @Test("a limit is said in tmpfs's options; the root's counts from what is in it")
  func options() {
    let limits = FileSystemLimits(total: 26_500)
    #expect(String(decoding: limits.tmp.options, as: UTF8.self) == "size=4560k,nr_inodes=1140")
    #expect(String(decoding: limits.shm.options, as: UTF8.self) == "size=760k,nr_inodes=256")
    #expect(String(decoding: limits.dev.options, as: UTF8.self) == "size=64k,nr_inodes=2048")
    #expect(
      String(decoding: limits.root(used: 5000, inodes: 400).options, as: UTF8.self) == "size=6520k,nr_inodes=780")
  }
}
