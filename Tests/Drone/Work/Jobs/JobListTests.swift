import Bytes
import TestSupport
import Testing

@testable import Jobs

/// What a list of jobs says, and what is said of its jobs.
@Suite struct JobListTests {
  private static func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

  private static func lines(_ parts: [[UInt8]]) throws(JobListReader.Failure) -> [[UInt8]] {
    var reader = JobListReader()
    var lines: [[UInt8]] = []
    for part in parts {
      reader.feed(part)
      while let line = try reader.next() { lines.append(line) }
    }
    reader.end()
    while let line = try reader.next() { lines.append(line) }
    return lines
  }

  static let lists: [(String, [String])] = [
    ("", []), ("\n\n\n", []), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb\n", ["a", "b"]), ("\na b\t\n\nc", ["a b\t", "c"]),
    ("a\r\n", ["a\r"]), (" \n", [" "]),
  ]

  @Test("every line but the empty ones is a job, the last one without a line feed as well", arguments: lists)
  func list(_ text: String, _ lines: [String]) throws {
    #expect(try Self.lines([Self.bytes(text)]) == lines.map(Self.bytes))
    #expect(try Self.lines(text.utf8.map { [$0] }) == lines.map(Self.bytes), "byte by byte")
  }

  @Test("a line is given as soon as it is whole")
  func early() throws {
    var reader = JobListReader()
    reader.feed(Self.bytes("one\ntw"))
    #expect(try reader.next() == Self.bytes("one"))
    #expect(try reader.next() == nil)
    reader.feed(Self.bytes("o\n"))
    #expect(try reader.next() == Self.bytes("two"))
  }

  @Test("a line may hold every byte but zero and line feed")
  func everyByte() throws {
    let line = [UInt8](1...255).filter { $0 != 10 }
    #expect(try Self.lines([line + [10] + line]) == [line, line])
  }

  static let longest = [UInt8](repeating: 65, count: JobListReader.longest)
  static let refused: [(String, [UInt8], String)] = [
    ("a zero byte", bytes("a\n\nb\0c\n"), "line 3 has a zero byte, which no command can be given"),
    ("a zero byte at the end", [65, 10, 0], "line 2 has a zero byte, which no command can be given"),
    (
      "a byte too many", [10] + longest + [65, 10],
      "line 2 is longer than 131071 bytes, the longest that a command can be given"
    ),
    (
      "no end in sight", longest + [65, 65],
      "line 1 is longer than 131071 bytes, the longest that a command can be given"
    ),
  ]

  @Test("a line that no command can be given is refused with its number", arguments: refused)
  func refusal(_ what: String, _ list: [UInt8], _ phrase: String) throws {
    #expect(throws: JobListReader.Failure(phrase: Self.bytes(phrase))) { try Self.lines([list]) }
    #expect(try Self.lines([Self.longest + [10]]) == [Self.longest])
  }

  static let commands: [([String], String, [String])] = [
    ([], "echo a | wc", ["sh", "-c", "--", "echo a | wc"]), (["gcc", "-c"], "a b.c", ["gcc", "-c", "a b.c"]),
    (["cp", "{}", "{}.old"], "x", ["cp", "x", "x.old"]), (["echo", "{}{}-{"], "x", ["echo", "xx-{"]),
    (["{}", "--version"], "gcc", ["gcc", "--version"]), (["echo", "{}"], "{}", ["echo", "{}"]),
    (["echo", "{", "}"], "x", ["echo", "{", "}", "x"]), (["echo", "{{}}"], "x", ["echo", "{x}"]),
  ]

  @Test("a line is a command of its own, stands for each {}, or comes last", arguments: commands)
  func command(_ words: [String], _ line: String, _ command: [String]) {
    #expect(CommandTemplate(words.map(Self.bytes)).command(for: Self.bytes(line)) == command.map(Self.bytes))
  }

  @Test("a command longer than can be run is none")
  func tooLong() {
    #expect(CommandTemplate([Self.bytes("echo"), Self.bytes("{}")]).command(for: Self.longest) != nil)
    #expect(CommandTemplate([Self.bytes("echo"), Self.bytes("{}{}")]).command(for: Self.longest) == nil)
    #expect(CommandTemplate([[UInt8]](repeating: Self.bytes("{}"), count: 17)).command(for: Self.longest) == nil)
  }

  @Test("a tagged output has its job's line in front of every line of its own, and ends each")
  func tags() {
    var lines = TaggedLines(Self.bytes("a\u{1b}\t"))
    #expect(lines.take(Self.bytes("on")).isEmpty)
    #expect(lines.take(Self.bytes("e\n\ntw")) == Self.bytes("a??\tone\na??\t\n"))
    #expect(lines.end() == Self.bytes("a??\ttw\n"))
    #expect(lines.end().isEmpty)
    let long = lines.take([UInt8](repeating: 65, count: TaggedLines.longest))
    #expect(long.count == TaggedLines.longest + 5 && long.last == 10)
  }

  static let ends: [(JobEnd, String)] = [(.exited(0), "0\t0"), (.exited(3), "3\t0"), (.killed(signal: 9), "0\t9")]

  @Test("the job log is GNU parallel's", arguments: ends)
  func log(_ end: JobEnd, _ text: String) {
    let line = JobLogLine(
      number: 7, host: idText(0x010b), start: 1_395_849_577_083, duration: 4, received: 8, end: end,
      command: Self.bytes("echo a\nb\t\u{e9}"))
    #expect(line.bytes == Self.bytes("7\t0x010b\t1395849577.083\t     0.004\t0\t8\t\(text)\techo a b\t\u{e9}\n"))
    #expect("\(JobLogLine.header)".split(separator: "\t").count == 9)
  }
}

/// Where outputs lie that are not shown yet.
@Suite struct SpoolTests {
  /// A file, and what was written to it.
  private struct File {
    var spool = Spool()
    var bytes: [UInt8] = []

    /// As one that takes no more than so much at once.
    mutating func append(_ text: [UInt8], to output: inout Spool.Output, atMost: Int) {
      var rest = text[...]
      while !rest.isEmpty {
        let piece = spool.room(in: &output, for: rest.count)
        let went = min(piece.count, atMost)
        let end = Int(piece.offset) + went
        if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        bytes.replaceSubrange(Int(piece.offset)..<end, with: rest.prefix(went))
        spool.fill(&output, went)
        rest = rest.dropFirst(went)
      }
    }

    mutating func take(_ output: inout Spool.Output) -> [UInt8] {
      guard let piece = spool.first(of: output) else { return [] }
      spool.takeBack(&output)
      return [UInt8](bytes[Int(piece.offset)..<Int(piece.offset) + piece.count])
    }
  }

  @Test("outputs that grow beside each other come out as they went in")
  func random() {
    let fault = Fuzzing.one(in: 200).firstFault { generator in
      var file = File()
      var outputs = [Spool.Output](repeating: .init(), count: 5)
      var expected = [[UInt8]](repeating: [], count: 5)
      for _ in 0..<40 {
        let one = Int.random(in: 0..<5, using: &generator)
        switch UInt8.random(in: 0..<10, using: &generator) {
        case 0:
          var shown: [UInt8] = []
          while !outputs[one].isEmpty { shown += file.take(&outputs[one]) }
          if shown != expected[one] { return "another output came out" }
          file.spool.takeBackAll(&outputs[one])
          expected[one] = []
        case 1:
          file.spool.takeBackAll(&outputs[one])
          expected[one] = []
        default:
          let text = [UInt8](
            repeating: .random(in: 0...255, using: &generator), count: .random(in: 0..<40_000, using: &generator))
          file.append(text, to: &outputs[one], atMost: Int.random(in: 1...20_000, using: &generator))
          expected[one] += text
        }
      }
      for one in 0..<5 { file.spool.takeBackAll(&outputs[one]) }
      return file.spool.isEmpty ? nil : "the file is not free"
    }
    #expect(fault == nil)
  }

  @Test("what was shown makes room for what comes")
  func reuse() {
    var file = File()
    var output = Spool.Output()
    for _ in 0..<10 {
      var other = Spool.Output()
      file.append([UInt8](repeating: 1, count: 50_000), to: &other, atMost: 50_000)
      file.append([2], to: &output, atMost: 1)
      while !file.take(&other).isEmpty {}
    }
    #expect(file.bytes.count <= 5 * Int(Spool.block))
    #expect(!file.spool.isEmpty)
    #expect(file.take(&output) == [UInt8](repeating: 2, count: 10))
    #expect(file.spool.isEmpty)
  }
}
