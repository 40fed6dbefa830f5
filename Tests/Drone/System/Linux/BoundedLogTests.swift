import Addresses
import Foundation
import Linux
import Testing

@Suite("A log of bounded length")
struct BoundedLogTests {
  let folder: Path

  init() throws { folder = try emptyFolder() }

  private func lines(_ name: String) -> String? {
    (try? readFile(folder / [UInt8](name.utf8))).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("when it is full it goes on anew, and what was before is kept beside it, whether one run wrote it or many")
  func full() {
    let cases: [(runs: Int, linesOfEach: Int)] = [(1, 5), (5, 1)]
    for (runs, count) in cases {
      removeFile(folder / "log")
      removeFile(folder / "log.old")
      for run in 0..<runs {
        let log = BoundedLog(folder / "log", limit: 8)
        for line in 0..<count { log.append(Array("\(run * count + line).\n".utf8)) }
      }
      #expect(lines("log") == "4.\n", "\(runs) runs")
      #expect(lines("log.old") == "2.\n3.\n", "\(runs) runs")
    }
  }

  @Test("a line that is longer than all of it is written all the same, and makes the next one begin anew")
  func long() {
    let log = BoundedLog(folder / "log", limit: 4)
    log.append(Array("too long\n".utf8))
    #expect(lines("log") == "too long\n")
    #expect(lines("log.old") == nil)
    log.append(Array("a\n".utf8))
    #expect(lines("log") == "a\n")
    #expect(lines("log.old") == "too long\n")
  }

  @Test("where it cannot be written nothing happens")
  func unwritable() {
    BoundedLog("/nowhere/at/all", limit: 8).append([1])
    #expect(!exists("/nowhere"))
  }
}
