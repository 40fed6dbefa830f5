import Bytes
import Foundation
import Testing

@testable import Linux

@Suite("Files and processes of the drone's side, on the host")
struct FilesTests {
  let folder: Path

  init() throws { folder = try emptyFolder() }

  @Test("a replaced file has the new bytes and leaves no other file behind")
  func replaced() throws {
    let path = folder / "hosts"
    try replaceFile(path, [1, 2, 3])
    try replaceFile(path, [4])
    #expect(try readFile(path) == [4])
    #expect(directoryEntries(folder) == [[UInt8]("hosts")])
  }

  @Test("appending keeps what was there")
  func appended() throws {
    try appendToFile(folder / "log", [1])
    try appendToFile(folder / "log", [2, 3])
    #expect(try readFile(folder / "log") == [1, 2, 3])
    #expect(try readFile(folder / "log", limit: 2) == [1, 2])
  }

  @Test("a link is replaced and read back")
  func links() throws {
    try makeSymbolicLink(folder / "cdrom", to: [UInt8]("sr0"))
    try makeSymbolicLink(folder / "cdrom", to: [UInt8]("sda1"))
    #expect(try symbolicLink(folder / "cdrom") == [UInt8]("sda1"))
    #expect(!exists(folder / "cdrom"))
  }

  @Test("a missing file's error names the call, the file and the reason")
  func missing() throws {
    do {
      _ = try readFile("/nowhere/at/all")
      Issue.record("read a missing file")
    } catch {
      #expect(error.isMissing)
      #expect(String(decoding: error.text, as: UTF8.self) == "open /nowhere/at/all: No such file or directory")
    }
  }

  @Test("bytes are read at an offset, fewer at the end")
  func offset() throws {
    try replaceFile(folder / "disk", [UInt8](0...99))
    let disk = try Descriptor(folder / "disk", .read)
    #expect(try disk.read(at: 90, count: 5) == [90, 91, 92, 93, 94])
    #expect(try disk.read(at: 98, count: 5) == [98, 99])
    #expect(try disk.read(at: 200, count: 5) == [])
  }

  @Test("a child gets its arguments, environment and descriptors, and its end is told", arguments: [0, 7] as [Int32])
  func child(_ status: Int32) throws {
    let pipe = try Linux.Pipe()
    let script = "printf '%s %s' \"$1\" \"$NAME\"; printf ready >&3; exit \(status)"
    var program = Program(
      "/bin/sh", arguments: [Array("sh".utf8), Array("-c".utf8), Array(script.utf8), [], Array("a b".utf8)],
      environment: [Array("NAME=value".utf8)])
    program.output = pipe.output.number
    program.third = pipe.output.number
    program.newSession = true
    let child = try program.start()
    #expect(waitForChild(child) == .exited(status))
    #expect(try pipe.input.read(upTo: 100) == Array("a b valueready".utf8))
  }

  @Test("a program that cannot be executed is an error of the start, and leaves no child")
  func notExecuted() throws {
    let program = Program("/nowhere/program", arguments: [[UInt8]("program")])
    #expect(throws: SystemError.self) { _ = try program.start() }
  }

  @Test("a killed child tells the signal")
  func killed() throws {
    let child = try Program("/bin/sleep", arguments: [[UInt8]("sleep"), [UInt8]("60")]).start()
    sendSignal(.kill, to: child)
    #expect(waitForChild(child) == .killed(signal: 9))
  }

  @Test("waiting tells which descriptor has something, and ends in time when none has")
  func waiting() throws {
    let quiet = try Linux.Pipe()
    let talking = try Linux.Pipe()
    #expect(waitReadable([quiet.input.number, talking.input.number], milliseconds: 1) == [false, false])
    try talking.output.write([1])
    #expect(waitReadable([quiet.input.number, -1, talking.input.number], milliseconds: 1000) == [false, false, true])
  }

  @Test("a file that is no terminal is no serial port")
  func noPort() throws {
    try replaceFile(folder / "ttyS0", [])
    #expect(!serialPortExists(folder / "ttyS0"))
    #expect(!serialPortExists("/dev/null"))
  }
}
