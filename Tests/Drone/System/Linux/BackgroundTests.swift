import Addresses
import Foundation
import Linux
import MachineReadings
import Testing

@Suite("Processes in the background, and the machine")
struct BackgroundTests {
  @Test("one process holds its file, another sees who, and neither holds it after its end")
  func processFile() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("process-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = Path(Array(folder.appendingPathComponent("pid").path.utf8))
    #expect(ProcessFile.holder(of: path) == nil)
    do {
      guard let file = try ProcessFile(path) else {
        Issue.record("held already")
        return
      }
      #expect(ProcessFile.isHeld(path) && ProcessFile.holder(of: path) == nil, "it has no number yet")
      try file.name(processID)
      try file.name(processID)
      #expect(ProcessFile.holder(of: path) == getpid())
      let isFree = try isFree(path)
      #expect(!isFree)
    }
    #expect(ProcessFile.holder(of: path) == nil)
    #expect(try readFile(path) == Array("\(getpid())\n".utf8))
    #expect(try isFree(path))
    // A new holder does not go by a former one's number.
    #expect(try readFile(path) == [])
  }

  private func isFree(_ path: Path) throws -> Bool {
    if let file = try ProcessFile(path) {
      _ = consume file
      return true
    }
    return false
  }

  @Test("this machine says how much of everything it has")
  func machine() {
    let readings = readMachine()
    #expect(readings.processors > 0)
    #expect(readings.memoryTotal > readings.memoryAvailable)
    #expect(readings.memoryAvailable > 0)
    #expect(readings.uptime > 0)
    #expect(secondsSince1970() > 1_700_000_000)
  }
}
