import Bytes
import Jobs
import Linux

/// One try of a job of a list, in a process of its own.
final class JobTry {
  let job: ListedJob
  let process: WorkProcess
  /// Standard output and error.
  private(set) var streams: [Stream]
  /// Nil as long as none is found.
  var runner: Runner?
  var end: JobEnd?
  var ended: UInt64 = 0
  private let begun = millisecondsSinceStart()
  private let timeOfDay = millisecondsSince1970()
  private var received: UInt64 = 0

  struct Stream {
    fileprivate let pipe: OpenSocket
    fileprivate var lines: TaggedLines?
    fileprivate(set) var isOpen = true
    /// How many bytes have come since the job ended.
    fileprivate var late = 0

    var descriptor: Int32 { pipe.descriptor.number }
  }

  /// What a pipe can hold (/proc/sys/fs/pipe-max-size): more than that comes from others than the job.
  private static let mostLate = 1 << 20

  init(_ job: ListedJob, _ process: WorkProcess, isTagged: Bool) {
    self.job = job
    self.process = process
    streams = [process.output, process.error].map { pipe in
      pipe.descriptor.setWaiting(false)
      return Stream(pipe: pipe, lines: isTagged ? TaggedLines(job.line) : nil)
    }
  }

  /// It has ended, and its outputs have been read.
  var isOver: Bool { end != nil && !streams.contains { $0.isOpen } }

  var isHere: Bool { if case .here = runner { true } else { false } }

  func tell(_ signal: Int32) {
    sendSignal(number: UInt8(truncatingIfNeeded: signal), toGroupOfChild: process.number)
  }

  /// What has come and can be shown; nil for nothing.
  func read(_ stream: Int) -> [UInt8]? {
    guard let bytes = streams[stream].pipe.receive(upTo: 64 << 10) else {
      // Others still have the pipe, and the job has not.
      if end != nil { streams[stream].isOpen = false }
      return nil
    }
    if stream == 0 { received += UInt64(bytes.count) }
    if end != nil { streams[stream].late += bytes.count }
    if bytes.isEmpty || streams[stream].late > JobTry.mostLate { streams[stream].isOpen = false }
    return streams[stream].lines?.take(bytes) ?? bytes
  }

  /// The last line of an output, if nothing ended it.
  func endOfLines(_ stream: Int) -> [UInt8] { streams[stream].lines?.end() ?? [] }

  func logLine(_ end: JobEnd, _ template: CommandTemplate) -> JobLogLine {
    let command: [UInt8] = template.words.isEmpty ? job.line : joined(template.command(for: job.line) ?? template.words)
    let host: [UInt8]
    switch runner {
    case .here(let id?), .node(let id): host = idText(id)
    // GNU parallel's word for its own computer.
    case .here(nil): host = [UInt8](":")
    case nil: host = [UInt8]("-")
    }
    return JobLogLine(
      number: job.number, host: host, start: timeOfDay, duration: ended &- begun, received: received, end: end,
      command: command)
  }

  private func joined(_ words: [[UInt8]]) -> [UInt8] { [UInt8](words.joined(separator: [UInt8](" "))) }
}

/// Who runs a list's jobs, as their processes say it.
final class NewsOfRunners {
  private let pipe: Pipe

  /// A job's number, whether this node runs it, and the node's id, 0 if that is not known.
  private static let length = 7

  init() throws(SystemError) {
    pipe = try Pipe()
    pipe.input.setWaiting(false)
  }

  var input: Int32 { pipe.input.number }
  var output: Int32 { pipe.output.number }

  /// Writes whole, whoever else does (PIPE_BUF, pipe(7)).
  func tell(_ number: Int, _ runner: Runner) {
    var bytes: [UInt8] = []
    bytes.append(networkOrder: UInt32(clamping: number))
    switch runner {
    case .here(let id):
      bytes.append(1)
      bytes.append(networkOrder: id ?? 0)
    case .node(let id):
      bytes.append(0)
      bytes.append(networkOrder: id)
    }
    _ = writeAll(bytes, to: output)
  }

  func take() -> [(number: Int, runner: Runner)] {
    var news: [(number: Int, runner: Runner)] = []
    while let bytes = try? pipe.input.read(upTo: NewsOfRunners.length), bytes.count == NewsOfRunners.length {
      let id = UInt16(networkOrder: bytes[5...])
      let runner: Runner = bytes[4] == 1 ? .here(id == 0 ? nil : id) : .node(id)
      news.append((Int(UInt32(networkOrder: bytes[..<4])), runner))
    }
    return news
  }
}
