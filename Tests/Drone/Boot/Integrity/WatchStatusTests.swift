import Integrity
import Testing

private func status(_ change: (inout WatchStatus) -> Void = { _ in }) -> WatchStatus {
  var status = WatchStatus()
  status.process = 57
  status.interval = 2000
  status.entries = 179
  status.total = 957_643
  change(&status)
  return status
}

@Suite struct WatchStatusTests {
  @Test("the file is one name and number a line, and reads back")
  func file() {
    let one = status {
      $0.passes = 3
      $0.metadata = 1_480_887
      $0.repeated = .max
    }
    let text = String(decoding: one.file, as: UTF8.self)
    #expect(text.hasPrefix("process 57\ninterval 2000\nentries 179\ntotal 957643\n"))
    #expect(text.contains("\nmetadata 1480887\n") && text.hasSuffix("\nrepeated 18446744073709551615\n"))
    #expect(WatchStatus(file: one.file) == one)
  }

  @Test("what is no status is none; unknown names are passed over")
  func other() {
    #expect(WatchStatus(file: []) == nil)
    #expect(WatchStatus(file: bytes("interval 2000\n")) == nil)
    #expect(WatchStatus(file: bytes("process 5\nfuture 9\nentries many\n"))?.process == 5)
  }

  @Test("people read when it last looked, what a pass and a round take, and the share of the processor")
  func text() {
    let slow = status {
      $0.passes = 2
      $0.metadata = 1_480_887
      $0.content = 38_653_803
      $0.hashed = 621_022
      $0.round = 34_100
      $0.since = 30_000
      $0.last = 32_040
      $0.processor = 80_800_000
    }
    #expect(
      String(decoding: slow.text(now: 33_500), as: UTF8.self) == """
        certaintyd runs as process 57 and looks every 2.0 s.
        Last pass   number 2, 1.4 s ago, took 40.134 ms of processor time
        Entries     179, their metadata every pass: 1.480 ms
        Content     621022 of 957643 bytes this pass: 38.653 ms; a whole round took 34.1 s
        Processor   2.00 % of one since the first pass
        Repeated    0 passes could not look at everything

        """)
    let fast = status {
      $0.passes = 1
      $0.hashed = 957_643
      $0.content = 5_000_000
    }
    #expect(String(decoding: fast.text(now: 0), as: UTF8.self).contains("all 957643 bytes every pass: 5.000 ms\n"))
    #expect(
      String(decoding: status().text(now: 5), as: UTF8.self)
        == "certaintyd runs as process 57 and looks every 2.0 s at 179 entries.\nIts first pass is still to come.\n")
  }
}

@Suite struct WatchOptionsTests {
  private func read(_ line: String) throws -> WatchOptions {
    try WatchOptions(line.split(separator: " ").map { bytes(String($0)) })
  }

  @Test("without options it watches every 2 s from 30 s on")
  func defaults() throws {
    let options = try read("")
    #expect(options.action == .watch && options.interval == 2000 && options.delay == 30_000 && options.digest == nil)
  }

  @Test("options are read in any order, seconds become milliseconds")
  func options() throws {
    #expect(try read("--once").action == .once)
    #expect(try read("--status").action == .status)
    #expect(try read("--interval 5 --help").action == .help)
    let options = try read("--delay 0 --interval 10 --baseline " + String(repeating: "aB", count: 32))
    #expect(options.delay == 0 && options.interval == 10_000)
    #expect(options.digest == [UInt8](repeating: 0xAB, count: 32))
  }

  @Test(
    "what cannot be obeyed is said",
    arguments: [
      ("--interval", "--interval needs seconds, from 1 to 3600"), ("--interval 0", "--interval needs seconds"),
      ("--interval 2s", "--interval needs seconds"), ("--delay -1", "--delay needs seconds, from 0 to 86400"),
      ("--baseline abc", "--baseline needs a BLAKE3 digest"), ("status", "status is not one of its options"),
    ])
  func refused(_ line: String, _ reason: String) {
    let error = #expect(throws: WatchOptions.ParseError.self) { try read(line) }
    let said = error.map { String(decoding: $0.reason, as: UTF8.self) } ?? ""
    #expect(said.hasPrefix(reason))
  }

  @Test("the help is at most 79 columns wide")
  func help() {
    #expect("\(WatchOptions.help)".split(separator: "\n").allSatisfy { $0.count <= 79 })
  }
}
