import Addresses
import Testing

@testable import Reporting

@Suite("Boot steps")
struct BootStepTests {
  @Test(
    "a step is one line with time, name, state and detail",
    arguments: [
      (BootStep.State.ok, "mounts", "proc, sys", 1234, "    1.23 s  mounts      ok        proc, sys\n"),
      (.degraded, "network", "no answer", 12_009, "   12.00 s  network     degraded  no answer\n"),
      (.failed, "filter", "", 99, "    0.09 s  filter      failed\n"),
      (.ok, "a-long-name-of-a-step", "x", 0, "    0.00 s  a-long-name-of-a-step  ok        x\n"),
    ] as [(BootStep.State, String, String, UInt64, String)])
  func line(_ state: BootStep.State, _ name: String, _ detail: String, _ time: UInt64, _ expected: String) {
    let step = BootStep(state, Array(name.utf8), Array(detail.utf8), milliseconds: time)
    #expect(String(decoding: step.line(coloured: false), as: UTF8.self) == expected)
  }

  @Test("ok is green, degraded yellow, failed red", arguments: zip(BootStep.State.allCases, ["32", "1;33", "1;31"]))
  func colours(_ state: BootStep.State, _ code: String) {
    let text = String(decoding: BootStep(state, [], [], milliseconds: 0).line(coloured: true), as: UTF8.self)
    #expect(text.contains("\u{1B}[\(code)m"))
    #expect(text.contains("\u{1B}[0m"))
  }

  @Test(
    "for the log service a line has a priority and the program's name in front, and no byte that could steer a terminal",
    arguments: [
      ("    1.23 s  mounts      ok        proc\n", BootStep.State.ok, "<30>drone: 1.23 s  mounts      ok        proc"),
      ("x", .degraded, "<28>drone: x"), ("x\u{1B}[31m", .failed, "<27>drone: x?[31m"), ("", .ok, "<30>drone: "),
    ] as [(String, BootStep.State, String)])
  func systemLog(_ line: String, _ state: BootStep.State, _ expected: String) {
    #expect(String(decoding: systemLogLine(Array(line.utf8), tag: "drone", state), as: UTF8.self) == expected)
  }

  @Test("no byte from outside can steer a terminal")
  func control() {
    let every = Array(UInt8.min...UInt8.max)
    let line = BootStep(.ok, every, every, milliseconds: .max).line(coloured: false)
    #expect(line.dropLast().allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    #expect(line.last == UInt8(ascii: "\n"))
  }
}
