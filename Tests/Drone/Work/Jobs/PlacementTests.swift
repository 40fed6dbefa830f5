import Bytes
import Testing

@testable import Jobs

/// Where a job goes, and what goes with it.
@Suite struct PlacementTests {
  private func node(
    _ id: UInt16, load: UInt32 = 0, processors: UInt32 = 1, free: UInt64 = 1 << 20, placed: UInt32 = 0
  ) -> Candidate {
    Candidate(id: id, load: load, processors: processors, freeMemory: free, placed: placed)
  }

  @Test("the least loaded of few nodes is asked first, and all others after it")
  func few() {
    let nodes = [node(1, load: 150), node(2, load: 20), node(3, load: 100, processors: 4), node(4, load: 0, free: 100)]
    #expect(orderOfAsking(nodes, random: (0, 0)) == [3, 2, 1, 4])
  }

  @Test("jobs that were just put somewhere count as load before it is told")
  func placed() {
    var nodes = [node(1), node(2), node(3)]
    var places: [UInt16] = []
    for _ in 0..<6 {
      let first = orderOfAsking(nodes, random: (0, 0))[0]
      places.append(first)
      nodes[Int(first) - 1].placed += 1
    }
    #expect(places == [1, 2, 3, 1, 2, 3])
  }

  @Test("of many nodes the better of two that chance names is asked first, whatever the numbers")
  func many() {
    let nodes = (1...20).map { node(UInt16($0), load: UInt32($0) * 10) }
    #expect(orderOfAsking(nodes, random: (7, 3)).first == 4)
    #expect(orderOfAsking(nodes, random: (.max, .max)).count == 20)
    #expect(Set(orderOfAsking(nodes, random: (19, 12))) == Set(1...20))
  }

  static let heads: [(String, [UInt8], ExecutableNeed)] = [
    (
      "ELF of 64 bits", [0x7F, 0x45, 0x4C, 0x46, 2, 1] + [UInt8](repeating: 0, count: 12) + [62, 0], .machine(.x86_64)
    ),
    ("ELF of 32 bits", [0x7F, 0x45, 0x4C, 0x46, 1, 1] + [UInt8](repeating: 0, count: 12) + [3, 0], .machine(.i386)),
    (
      "ELF with the highest byte first", [0x7F, 0x45, 0x4C, 0x46, 1, 2] + [UInt8](repeating: 0, count: 12) + [0, 8],
      .machine(ProgramMachine(number: 8))
    ),
    ("a script", [UInt8]("#!/bin/sh -e\n"), .interpreter([UInt8]("/bin/sh"))),
    ("a script with a blank", [UInt8]("#! /usr/bin/env python3\n"), .interpreter([UInt8]("/usr/bin/env"))),
    ("a script without a program", [UInt8]("#!\n/bin/sh"), .unknown), ("text", [UInt8]("echo"), .unknown),
    ("nothing", [], .unknown), ("half a header", [0x7F, 0x45, 0x4C, 0x46, 2, 1], .unknown),
  ]

  @Test("the first bytes of a file say what it needs", arguments: heads)
  func needs(_ what: String, _ head: [UInt8], _ need: ExecutableNeed) { #expect(ExecutableNeed(head: head) == need) }

  static let trees: [(home: String, directory: String, trees: [String])] = [
    ("/home/a", "/home/a", ["/home/a"]), ("/home/a", "/home/a/src/x", ["/home/a"]),
    ("/home/a", "/srv/build", ["/home/a", "/srv/build"]), ("/home/a", "/tmp/x", ["/tmp/x", "/home/a"]),
    ("/home/a", "/", ["/home/a"]), ("/home/a", "/usr/src", ["/home/a"]), ("/home/a", "/proc/1", ["/home/a"]),
    ("/home/a", "/home", ["/home"]), ("/home/a", "/home/ab", ["/home/a", "/home/ab"]), ("", "/srv", ["/srv"]),
    ("/root", "/etc", ["/root"]), ("/", "/", []), ("relative", "/srv//x/.", ["/srv/x"]), ("/a/../etc", "/", []),
  ]

  @Test(
    "a job writes below its home folder and the folder that it starts in, and never to the system", arguments: trees)
  func folders(_ home: String, _ directory: String, _ expected: [String]) {
    let paths = WorkTrees(home: [UInt8](home.utf8), directory: [UInt8](directory.utf8)).paths
    #expect(paths.map { String(decoding: $0, as: UTF8.self) } == expected)
  }

  @Test("variables that name the display or the session stay at home")
  func environment() {
    for gone in ["DISPLAY=:0", "SSH_AUTH_SOCK=/x", "XDG_RUNTIME_DIR=/run/user/1", "TMPDIR=/x", "=x", "NOTHING"] {
      #expect(!travels([UInt8](gone.utf8)), "\(gone)")
    }
    for goes in ["PATH=/bin", "CC=gcc", "TERM=xterm", "LANG=", "DISPLAYS=1", "HOME=/root"] {
      #expect(travels([UInt8](goes.utf8)), "\(goes)")
    }
  }

  static let lines: [(String, MosrunOptions.Place?, [String])] = [
    ("hostname", .best, ["hostname"]), ("-h ls -l", .here, ["ls", "-l"]),
    ("-a uname -m", .everywhere, ["uname", "-m"]),
    ("-n 0x0115 id", .node([UInt8]("0x0115")), ["id"]), ("-- -x", .best, ["-x"]),
    ("-r make -j4", .best, ["make", "-j4"]),
    ("-n", nil, []), ("", nil, []), ("-x ls", nil, []), ("-a -r ls", nil, []),
  ]

  @Test("mosrun's options end at the command", arguments: lines)
  func options(_ line: String, _ place: MosrunOptions.Place?, _ command: [String]) {
    let options = try? MosrunOptions(line.split(separator: " ").map { [UInt8]($0.utf8) })
    #expect(options?.place == place)
    #expect((options?.command ?? []) == command.map { [UInt8]($0.utf8) })
  }

  static let lists: [(String, String, slots: Int?, isTagged: Bool, retries: Int, log: String?, command: [String])] = [
    ("-f list", "list", nil, false, 0, nil, []), ("-j 8 -f -", "-", 8, false, 0, nil, []),
    ("-f list -j8 -h gcc -c {}", "list", 8, false, 0, nil, ["gcc", "-c", "{}"]),
    ("-j 500 --retries 100 --joblog log -t -f l -r id", "l", 500, true, 100, "log", ["id"]),
    ("-n 0x0115 --tag --retries 0 -f l -- -x", "l", nil, true, 0, nil, ["-x"]),
  ]

  @Test("mosrun takes a list of jobs, with a command or without", arguments: lists)
  func list(
    _ line: String, _ path: String, _ slots: Int?, _ isTagged: Bool, _ retries: Int, _ log: String?, _ command: [String]
  ) throws {
    let options = try MosrunOptions(line.split(separator: " ").map { [UInt8]($0.utf8) })
    var list = MosrunOptions.List(path: [UInt8](path.utf8))
    list.slots = slots
    list.isTagged = isTagged
    list.retries = retries
    list.log = log.map { [UInt8]($0.utf8) }
    #expect(options.list == list)
    #expect(options.command == command.map { [UInt8]($0.utf8) })
  }

  static let refused: [(String, String)] = [
    ("-j 8 id", "-j is for a list of jobs: -f LIST, or -f - for standard input."),
    ("--tag id", "--tag is for a list of jobs: -f LIST, or -f - for standard input."),
    ("--retries 2 id", "--retries is for a list of jobs: -f LIST, or -f - for standard input."),
    ("--joblog x id", "--joblog is for a list of jobs: -f LIST, or -f - for standard input."),
    ("-f", "-f needs a file whose lines are jobs, or - for standard input."),
    ("-a -f list id", "-f and -a exclude each other: each job of a list runs on one node."),
    ("-f l -j 0", "-j needs the most jobs at once, from 1 to 500."),
    ("-f l -j501", "-j needs the most jobs at once, from 1 to 500."),
    ("-f l -j", "-j needs the most jobs at once, from 1 to 500."),
    ("-f l --retries 101", "--retries needs how often a job is tried again, from 0 to 100."),
    ("-f l --retries -1", "--retries needs how often a job is tried again, from 0 to 100."),
    ("-f l --joblog", "--joblog needs a file."),
  ]

  @Test("what does not belong to a list of jobs is refused with a sentence", arguments: refused)
  func refusal(_ line: String, _ sentence: String) {
    #expect(throws: MosrunOptions.Failure(sentence: [UInt8](sentence.utf8))) {
      try MosrunOptions(line.split(separator: " ").map { [UInt8]($0.utf8) })
    }
  }

  @Test("mosrun's help fits a terminal")
  func help() {
    let lines = "\(MosrunOptions.help)".split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 80 })
  }
}
