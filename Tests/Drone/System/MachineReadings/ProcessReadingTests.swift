import Addresses
import MachineReadings
import Testing

/// What /proc says of a process, and what is made of two looks.
@Suite struct ProcessReadingTests {
  private static func stat(_ process: Int, _ name: String, state: String = "S", time: Int = 0, start: Int = 100)
    -> [UInt8]
  {
    [UInt8](
      "\(process) (\(name)) \(state) 1 77 77 0 -1 4194560 90 0 3 0 \(time) 5 1 2 20 0 1 0 \(start) 4194304 120 4294967295 1 1 0 0\n"
        .utf8)
  }

  @Test("a line of /proc/PID/stat as the kernel writes it")
  func line() throws {
    let reading = try #require(ProcessReading(stat: Self.stat(77, "sh", state: "R", time: 12)))
    #expect(reading.process == 77)
    #expect(reading.name == [UInt8]("sh".utf8))
    #expect(reading.state == UInt8(ascii: "R"))
    #expect(reading.priority == 20 && reading.nice == 0)
    #expect(reading.time == 17, "12 of its own and 5 of the kernel's")
    #expect(reading.start == 100)
    #expect(reading.virtual == 4096 && reading.resident == 480)
  }

  @Test(
    "a name may hold brackets, spaces and line feeds, and is cut after 15 bytes",
    arguments: [
      ("a b", "a b"), ("kworker/0:1", "kworker/0:1"), (") R 1 (", ") R 1 ("), ("a\nb", "a\nb"), ("", ""),
      ("exactly_fifteen_and_more", "exactly_fifteen"),
    ])
  func names(_ written: String, _ read: String) throws {
    let reading = try #require(ProcessReading(stat: Self.stat(5, written)))
    #expect(reading.name == [UInt8](read.utf8))
    #expect(reading.state == UInt8(ascii: "S"))
  }

  @Test("a real-time process has a priority below 0")
  func realTime() throws {
    let line = "12 (watchdog/0) S 2 0 0 0 -1 69238848 0 0 0 0 0 9 0 0 -100 -20 1 0 3 0 0 0 0"
    let reading = try #require(ProcessReading(stat: [UInt8](line.utf8)))
    #expect(reading.priority == -100 && reading.nice == -20 && reading.virtual == 0)
  }

  @Test(
    "what is no such line is no process",
    arguments: [
      "", "77", "77 (sh", "77 sh) S", "(sh) S 1 2", "x (sh) S 1",
      "0 (sh) S 1 77 77 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 1 1 1",
      "77 (sh) S 1 77 77 0 -1 4194560 90 0 3 0 12 5 1 2 20 0 1 0 100 4194304", "77 (sh)",
      "99999999999 (sh) S 1 77 77 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 1 1 1",
    ])
  func wrong(_ text: String) {
    #expect(ProcessReading(stat: [UInt8](text.utf8)) == nil)
  }

  @Test("numbers beyond their fields are the largest, never a trap")
  func huge() throws {
    let most = "18446744073709551615"
    let line = "1 (a) R 1 1 1 0 -1 0 0 0 0 0 \(most) \(most) 0 0 \(most) -\(most) 1 0 \(most) \(most) \(most) 0"
    let reading = try #require(ProcessReading(stat: [UInt8](line.utf8)))
    #expect(reading.time == .max && reading.priority == .max && reading.nice == .min && reading.resident == .max)
    let look = ProcessLook([reading], at: .max)
    #expect(look.processes[0].cpu == 0, "it starts after the end of time")
  }

  static let groups: [(String, JobName?)] = [
    ("0::/jobs/0x010b.2314\n", JobName(home: 0x010B, process: 2314)),
    ("1:cpu:/x\n0::/system.slice/mosd.service/jobs/0x010b.1/deeper\n", JobName(home: 0x010B, process: 1)),
    ("0::/\n", nil), ("0::/jobs\n", nil), ("0::/jobs/x\n", nil), ("0::/user.slice/0x010b.1\n", nil), ("", nil),
    ("4:pids:/jobs/0x010b.1\n", nil),
  ]

  @Test("a process belongs to the job that its control group is called by", arguments: groups)
  func job(text: String, job: JobName?) { #expect(ProcessReading.job(cgroup: [UInt8](text.utf8)) == job) }

  @Test("shared memory by statm, the acting user by status")
  func others() {
    #expect(ProcessReading.shared(statm: [UInt8]("1024 120 30 200 0 90 0\n".utf8)) == 120)
    #expect(ProcessReading.shared(statm: [UInt8]("1024".utf8)) == 0)
    let status = "Name:\tsh\nUmask:\t0022\nUid:\t1000\t33\t0\t0\nGid:\t5\t5\t5\t5\n"
    #expect(ProcessReading.user(status: [UInt8](status.utf8)) == 33)
    #expect(ProcessReading.user(status: [UInt8]("Name:\tsh\n".utf8)) == nil)
    #expect(ProcessReading.user(status: [UInt8]("Uid:\t1000\n".utf8)) == nil)
  }

  // MARK: Looks

  private static func reading(_ process: UInt32, time: UInt64, start: UInt64 = 0, resident: Int = 1) throws
    -> ProcessReading
  {
    var reading = try #require(ProcessReading(stat: stat(Int(process), "p\(process)")))
    reading.time = time
    reading.start = start
    reading.resident = UInt64(resident)
    return reading
  }

  @Test("the share of a processor is that since the look before; without one, that of the whole life")
  func shares() throws {
    // 100 ticks in a second: 5 s of a life of 10 s are a half.
    let first = ProcessLook([try Self.reading(1, time: 500), try Self.reading(2, time: 0)], at: 10_000)
    #expect(first.processes.map(\.cpu) == [500, 0])
    #expect(!first.isRate)
    let second = ProcessLook(
      [try Self.reading(1, time: 510), try Self.reading(2, time: 100), try Self.reading(3, time: 20, start: 1050)],
      at: 11_000, since: first)
    #expect(second.processes.map(\.cpu) == [100, 1000, 200])
    #expect(second.isRate)
  }

  @Test("a number that another process has by now is not taken for the same")
  func reused() throws {
    let first = ProcessLook([try Self.reading(1, time: 900, start: 5)], at: 10_000)
    let second = ProcessLook([try Self.reading(1, time: 50, start: 1020)], at: 11_000, since: first)
    #expect(second.processes[0].cpu == 500)
  }

  @Test("two looks at the same moment, and a clock that goes back, give no share")
  func noTime() throws {
    let first = ProcessLook([try Self.reading(1, time: 0)], at: 10_000)
    #expect(ProcessLook([try Self.reading(1, time: 9)], at: 10_000, since: first).processes[0].cpu == 0)
    #expect(ProcessLook([try Self.reading(1, time: 9)], at: 9_000, since: first).processes[0].cpu == 0)
  }

  @Test("the busiest come first; those that do nothing only as far as they are wanted")
  func busiest() throws {
    let readings = try [
      Self.reading(1, time: 0, resident: 90), Self.reading(2, time: 300, resident: 10),
      Self.reading(3, time: 700, resident: 50), Self.reading(4, time: 0, resident: 70),
    ]
    let look = ProcessLook(readings, at: 10_000)
    func numbers(_ order: ProcessOrder, _ most: Int, _ least: Int) -> [UInt32] {
      look.busiest(order, most: most, least: least).map(\.reading.process)
    }
    #expect(numbers(.cpu, 10, 0) == [3, 2])
    #expect(numbers(.cpu, 10, 3) == [3, 2, 1])
    #expect(numbers(.cpu, 1, 3) == [3])
    #expect(numbers(.memory, 3, 0) == [1, 4, 3])
    #expect(numbers(.time, 10, 0) == [3, 2, 1, 4])
    #expect(numbers(.time, 0, 0) == [])
  }

  @Test("a first question takes two looks; others within a quarter of a second none of their own")
  func plan() throws {
    let readings = [try Self.reading(1, time: 0)]
    let begun = ProcessLook(readings, at: 10_000)
    let whole = ProcessLook(readings, at: 10_500, since: begun)
    #expect(LookPlan.step(nil, at: 10_000) == .begin)
    #expect(LookPlan.step(begun, at: 10_100) == .begin)
    #expect(LookPlan.step(begun, at: 10_500) == .look)
    #expect(LookPlan.step(whole, at: 10_700) == .answer)
    #expect(LookPlan.step(whole, at: 10_800) == .look)
    #expect(LookPlan.step(whole, at: 40_501) == .begin, "what was half a minute ago says nothing of now")
    #expect(LookPlan.step(whole, at: 10_000) == .begin)
  }
}
