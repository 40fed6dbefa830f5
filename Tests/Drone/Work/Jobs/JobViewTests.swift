import Addresses
import Bytes
import Foundation
import Testing

@testable import Jobs

/// What people see of jobs, and how they name them.
@Suite struct JobViewTests {
  static let names: [(String, JobName?)] = [
    ("0x010b.2314", JobName(home: 0x010B, process: 2314)), ("0xFFFF.4294967295", JobName(home: 0xFFFF, process: .max)),
    ("0x010b.0", nil), ("0x010b.", nil), ("0x010b", nil), ("010b.1", nil), ("0x10b.1", nil), ("0x010b.1.2", nil),
    ("0x010b.4294967296", nil), ("0x010b.-1", nil), ("0x010g.1", nil), ("", nil), (".", nil),
  ]

  @Test("a job is called by its home node and a process", arguments: names)
  func named(text: String, name: JobName?) { #expect(JobName([UInt8](text.utf8)) == name) }

  private static let answers = [
    NodeJobs(
      node: 0x0116,
      list: JobList(jobs: [
        JobRecord(
          name: JobName(home: 0x010B, process: 900), user: 1000, userName: [UInt8]("alice"), seconds: 3723,
          processor: 163_840, memory: 24 << 10, command: [UInt8]("cc -c a.c")),
        JobRecord(name: JobName(home: 0x0115, process: 7), user: 0, command: [UInt8]("x\u{1B}[2J".utf8)),
      ])), NodeJobs(node: 0x0115, list: JobList(jobs: [])), NodeJobs(node: 0x0117, list: nil),
    NodeJobs(
      node: 0x0115,
      list: JobList(jobs: [JobRecord(name: JobName(home: 0x010B, process: 80), user: 5, seconds: 59, command: [65])])),
  ]

  @Test("mps shows a line for each job, in the order of names, and nothing that would move the cursor")
  func table() {
    let table = JobTable(Self.answers)
    #expect(
      String(decoding: table.text, as: UTF8.self) == """
        JOB              USER      NODE       TIME       CPU MEMORY COMMAND
        0x010b.80        5         0x0115     0:59   0:00.00      0 A
        0x010b.900       alice     0x0116  1:02:03   2:43.84    24m cc -c a.c
        0x0115.7         0         0x0116     0:00   0:00.00      0 x?[2J

        """)
    #expect(table.silent == [0x0117])
  }

  @Test("as JSON it says the same, as others read it")
  func json() throws {
    let read = try JSONSerialization.jsonObject(with: Data(JobTable(Self.answers).json)) as? [String: Any]
    let jobs = read?["jobs"] as? [[String: Any]] ?? []
    #expect(jobs.map { $0["job"] as? String } == ["0x010b.80", "0x010b.900", "0x0115.7"])
    #expect(jobs[1]["user"] as? String == "alice")
    #expect(jobs[0]["user"] is NSNull)
    #expect(jobs[1]["home"] as? String == "0x010b")
    #expect(jobs[1]["cpu"] as? Double == 163.84)
    #expect(jobs[1]["memory"] as? Int == 24 << 10)
    #expect(jobs[1]["time"] as? Int == 3723)
    #expect(read?["silent"] as? [String] == ["0x0117"])
  }

  static let kills: [(String, UInt8?, Int)] = [
    ("0x010b.1", 15, 1), ("-9 0x010b.1 0x010b.2", 9, 2), ("-KILL 0x010b.1", 9, 1), ("-SIGINT 0x010b.1", 2, 1),
    ("-STOP 0x010b.1", nil, 0), ("-19 0x010b.1", nil, 0), ("-9", nil, 0), ("", nil, 0), ("17", nil, 0), ("-", nil, 0),
    ("--help", 15, 0),
  ]

  @Test("mkill takes the signals that reach a job, and names of jobs", arguments: kills)
  func killed(line: String, signal: UInt8?, jobs: Int) {
    let read = try? MkillOptions(line.split(separator: " ").map { [UInt8]($0.utf8) })
    #expect(read?.signal == signal && read?.jobs.count ?? 0 == jobs)
  }

  @Test("mps takes --json, and says what else it does not know")
  func mps() throws {
    #expect(try MpsOptions([]).isJSON == false && MpsOptions([[UInt8]("--json")]).isJSON)
    #expect(throws: WorkUsageError(sentence: [UInt8]("There is no option -x; see mps --help."))) {
      try MpsOptions([[UInt8]("-x")])
    }
  }

  static let mosd: [(String, Bool)] = [
    ("--work off", true), ("--work 1000 --work-for 0x010b,192.168.1.1", true), ("--limit 3", true), ("--drain", true),
    ("--stop", true),
    ("--work 0", false), ("--work", false), ("--work-for", false), ("--work-for anna", false), ("--limit 1001", false),
    ("--work-for 0x010b,", false), ("drain", false), ("--stop --work 4", false), ("--drain --stop", false),
    ("--foreground --limit 3", false),
  ]

  @Test("mosd works for whom it is told, as much as it is told", arguments: mosd)
  func told(line: String, isRight: Bool) throws {
    let read = try? MosdOptions(line.split(separator: " ").map { [UInt8]($0.utf8) })
    #expect((read != nil) == isRight)
    if line.contains("-for"), isRight {
      #expect(read?.homes == [.id(0x010B), .address(try #require(IPv4Address(text: [UInt8]("192.168.1.1"))))])
      #expect(read?.homes.map(NodeReference.text) == [UInt8]("0x010b,192.168.1.1"))
    }
  }

  @Test("mosd's counts are read as they were written, and what a later version adds is passed over")
  func counts() {
    var counts = WorkCounts()
    for (place, kind) in WorkCounts.Kind.allCases.enumerated() { counts[kind] = UInt64(place + 1) }
    counts[.written] = .max
    #expect(counts.text.starts(with: [UInt8]("given 1\ntaken 2\nrefused 3\nelsewhere 4\nhere 5\n".utf8)))
    #expect(WorkCounts(counts.text) == counts)
    #expect(WorkCounts([UInt8]("new 4\nread 8 9\ngiven x\n".utf8) + counts.text) == counts)
    #expect(WorkCounts([0xFF]) == WorkCounts())
  }

  @Test("a user has the name that passwd gives the number, the first of several, and none otherwise")
  func userNames() {
    let passwd = [UInt8](
      "root:x:0:0:root:/root:/bin/sh\n\nbad\n:x:7::\nanna:x:1000:1000::/:\ntoor:x:0:0::/:\nend:x:9:9".utf8)
    for (user, name) in [(0, "root"), (1000, "anna"), (9, "end"), (7, nil), (1, nil)] as [(UInt32, String?)] {
      #expect(userName(of: user, in: passwd) == name.map { [UInt8]($0.utf8) }, "\(user)")
    }
  }
}

@Suite struct LostNodesTests {
  /// When tyd held the node for dead, in milliseconds, by looks half a second apart; and whether the job is lost at the end.
  static let courses: [(String, dead: Range<UInt64>, until: UInt64, Bool)] = [
    ("a cable out for 3 s, seen dead at the earliest, 2.5 s, and alive within a second", 2500..<4000, 10_000, false),
    ("dead for less than the grace", 2500..<4299, 4299, false),
    ("dead for good", 4500..<60_000, 6500, true),
    ("alive again after it was lost", 2500..<8000, 9000, false),
  ]

  @Test("a job is lost with a node that stays dead, and not with one that comes back", arguments: courses)
  func lost(_ title: String, dead: Range<UInt64>, until end: UInt64, isLost: Bool) {
    var nodes = LostNodes()
    for now in stride(from: UInt64(0), through: end, by: 500) {
      nodes.observe(dead: dead.contains(now) ? [7, 9] : [9], at: now)
    }
    #expect(nodes.all.contains(7) == isLost, "\(title)")
    #expect(nodes.all.contains(9))
  }
}
