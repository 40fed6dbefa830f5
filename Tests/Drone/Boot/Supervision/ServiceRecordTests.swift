import Addresses
import Testing

@testable import Supervision

@Suite struct ServiceRecordTests {
  private func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

  @Test("a record is a line each for the process, the file and the arguments, and comes back")
  func roundTrip() {
    let record = ServiceRecord(
      process: 345, path: bytes("/usr/sbin/tyd"), arguments: [bytes("-m"), bytes("10.0.0.1"), bytes("--resume")])
    #expect(record.text == bytes("345\n/usr/sbin/tyd\n-m\n10.0.0.1\n--resume\n"))
    #expect(ServiceRecord(record.text) == record)
    let plain = ServiceRecord(process: 2, path: bytes("/a"), arguments: [])
    #expect(ServiceRecord(plain.text) == plain)
  }

  @Test(
    "what names no process or no file is no record",
    arguments: ["", "\n", "345", "345\n", "1\n/a\n", "0\n/a\n", "-5\n/a\n", "x\n/a\n", "99999999999\n/a\n", "345\na\n"])
  func refused(_ text: String) {
    #expect(ServiceRecord(bytes(text)) == nil)
  }

  @Test(
    "a program that has done its work or was told to end has no more to do; every other exit status is a failure",
    arguments: [(0, true), (toldToEnd, true), (1, false), (2, false), (70, false), (127, false), (139, false)])
  func final(_ status: Int32, _ expected: Bool) {
    #expect(hasDoneItsWork(.exited(status)) == expected)
  }
}
