import Bytes

/// The lines of a job list, out of the parts in which it comes. Empty ones are left out; the last one needs no line feed.
public struct JobListReader: Sendable {
  private var bytes: [UInt8] = []
  /// Where the next line begins, and up to where no line ends.
  private var start = 0
  private var searched = 0
  private var isOver = false
  private var line: UInt64 = 0

  /// What a line may not be, as a phrase.
  public struct Failure: Error, Equatable, Sendable {
    public let phrase: [UInt8]
  }

  /// MAX_ARG_STRLEN (include/uapi/linux/binfmts.h), in which a zero byte has to find room.
  public static let longest = (128 << 10) - 1

  public init() {}

  public mutating func feed(_ part: [UInt8]) {
    bytes.removeFirst(start)
    searched -= start
    start = 0
    bytes += part
  }

  /// Nothing more comes.
  public mutating func end() { isOver = true }

  /// The next line that is not empty; nil while none is whole.
  public mutating func next() throws(Failure) -> [UInt8]? {
    while let end = endOfLine() {
      let found = [UInt8](bytes[start..<end])
      line += 1
      start = min(end + 1, bytes.count)
      searched = start
      if found.count > JobListReader.longest { throw tooLong(line) }
      if found.contains(0) {
        throw Failure(phrase: [UInt8]("line \(line) has a zero byte, which no command can be given"))
      }
      if !found.isEmpty { return found }
    }
    if bytes.count - start > JobListReader.longest { throw tooLong(line + 1) }
    return nil
  }

  private mutating func endOfLine() -> Int? {
    if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) { return end }
    searched = bytes.count
    return isOver && start < bytes.count ? bytes.count : nil
  }

  private func tooLong(_ line: UInt64) -> Failure {
    Failure(
      phrase: [UInt8](
        "line \(line) is longer than \(JobListReader.longest) bytes, the longest that a command can be given"))
  }
}

/// What a list's lines are to their jobs: commands for the shell, or arguments.
public struct CommandTemplate: Equatable, Sendable {
  /// Empty: each line is a command.
  public let words: [[UInt8]]

  public init(_ words: [[UInt8]]) { self.words = words }

  /// The command with the line in the place of each `{}`, or at its end if there is none. Nil when a word becomes longer than a program
  /// can be given, or all of them too many.
  public func command(for line: [UInt8]) -> [[UInt8]]? {
    if words.isEmpty { return [[UInt8]("sh"), [UInt8]("-c"), [UInt8]("--"), line] }
    var command: [[UInt8]] = []
    var isUsed = false
    var room = JobRequest.largest
    for word in words {
      var out: [UInt8] = []
      var rest = word[...]
      while let place = CommandTemplate.place(in: rest) {
        isUsed = true
        out += rest[..<place] + line
        rest = rest[(place + 2)...]
        if out.count > JobListReader.longest { return nil }
      }
      out += rest
      room -= out.count
      if out.count > JobListReader.longest || room < 0 { return nil }
      command.append(out)
    }
    return isUsed ? command : command + [line]
  }

  private static func place(in word: ArraySlice<UInt8>) -> Int? {
    word.indices.first { word[$0] == UInt8(ascii: "{") && $0 + 1 < word.endIndex && word[$0 + 1] == UInt8(ascii: "}") }
  }
}

extension MosrunOptions {
  /// What mosrun is told of a list of jobs.
  public struct List: Equatable, Sendable {
    /// `-` for standard input.
    public var path: [UInt8]
    /// The most jobs at once; nil for as many as there are processors.
    public var slots: Int?
    /// Lines are shown as they come, each with its job's line in front.
    public var isTagged = false
    /// How often a job that failed is tried again.
    public var retries = 0
    /// Where each try is recorded.
    public var log: [UInt8]?

    public init(path: [UInt8]) { self.path = path }

    public static let mostSlots = 500
    static let mostRetries = 100
  }
}
