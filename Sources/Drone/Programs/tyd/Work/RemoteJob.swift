import Bytes
import Jobs
import Linux
import ProcessControl

/// A job that runs on another node, with this process's standard input and outputs, terminal and signals.
final class RemoteJob {
  enum Outcome {
    case status(Int32)
    case signal(UInt8)
    case refused(status: UInt8, [UInt8])
    case lost
  }

  private let place: FoundPlace
  private let request: JobRequest
  private let hasTerminal: Bool
  private let signals = SignalQueue()
  private var reader = JobFrameReader()
  private var outgoing: [UInt8] = []
  private var sent = 0
  /// Bytes of input that may still be sent.
  private var credit = Int(JobFrame.window)
  private var inputIsOver = false
  /// What is read before, a node that refuses the job would have taken from the next one.
  private var hasStarted = false
  private var outcome: Outcome?
  private var isRaw = false
  private var newsAreOver = false

  /// SIGPIPE: nobody reads an output any more.
  static let brokenPipe: Int32 = 13

  init(_ place: FoundPlace, _ request: JobRequest) {
    self.place = place
    self.request = request
    hasTerminal = request.terminal != nil
  }

  func run() -> Outcome {
    ignoreBrokenPipes()
    place.connection.descriptor.setWaiting(false)
    place.news.descriptor.setWaiting(false)
    outgoing = lengthPrefixed(request.bytes)
    takeTerminal()
    while outcome == nil { turn() }
    if isRaw { TransparentTerminal.end() }
    return outcome ?? .lost
  }

  /// In the shell's background the terminal is somebody else's.
  private func takeTerminal() {
    if hasTerminal, !isRaw, isForeground(0) { isRaw = TransparentTerminal.begin() }
  }

  private func turn() {
    let socket = place.connection.descriptor.number
    let readsInput =
      hasStarted && !inputIsOver && credit > 0 && outgoing.count - sent < 64 << 10
      && (!isTerminal(0) || isForeground(0))
    let ready = waitReady(
      [
        Interest(signals.number), Interest(socket, outgoing.isEmpty ? .readable : [.readable, .writable]),
        Interest(readsInput ? 0 : -1), Interest(newsAreOver ? -1 : place.news.descriptor.number),
      ], milliseconds: inputIsOver ? 60_000 : 1000)
    if !ready[0].isEmpty { takeSignals() }
    if !ready[1].isEmpty { takeFrames() }
    if !ready[2].isEmpty { readInput() }
    if outcome == nil, !ready[3].isEmpty { takeNews() }
    flush()
  }

  private func takeFrames() {
    guard let part = place.connection.receive(upTo: 256 << 10) else { return }
    if part.isEmpty { return lose() }
    reader.feed(part)
    do throws(ReadingError) {
      while outcome == nil, let frame = try reader.next() { receive(frame) }
    } catch {
      lose()
    }
  }

  private func lose() { if outcome == nil { outcome = .lost } }

  private func receive(_ frame: JobFrame) {
    switch frame {
    case .started: hasStarted = true
    case .output(let bytes): write(bytes, to: 1)
    case .error(let bytes): write(bytes, to: 2)
    case .taken(let count): credit = Int(min(UInt32(clamping: credit) + min(count, JobFrame.window), JobFrame.window))
    case .stopped(let signal): pause(signal)
    case .ended(.exited(let status)): outcome = .status(Int32(status))
    case .ended(.killed(let signal)): outcome = .signal(signal)
    case .refused(let status, let phrase): outcome = .refused(status: status, phrase)
    case .input, .inputEnd, .size, .signal: lose()
    }
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32) {
    // Nobody reads it any more: this process ends as the command would, and the job with it.
    if !writeAll(bytes, to: descriptor) { outcome = .signal(UInt8(RemoteJob.brokenPipe)) }
  }

  /// The job stands still: so does this process, for the shell that started it.
  private func pause(_ signal: UInt8) {
    if isRaw { TransparentTerminal.end() }
    isRaw = false
    dieBySignal(19)
    takeTerminal()
    tellSize()
    send(.signal(18))
  }

  private func tellSize() {
    guard hasTerminal, let size = TransparentTerminal.size() else { return }
    send(.size(columns: size.columns, rows: size.rows))
  }

  private func takeSignals() {
    while let signal = signals.next() {
      switch signal {
      case Signal.resize.rawValue: tellSize()
      case Signal.stop.rawValue:
        // A key's SIGTSTP would do nothing to a job without a terminal.
        send(.signal(19))
        flush()
        dieBySignal(19)
        send(.signal(18))
      case Signal.resume.rawValue:
        takeTerminal()
        send(.signal(18))
      case Signal.hangUp.rawValue, Signal.interrupt.rawValue, Signal.quit.rawValue, Signal.terminate.rawValue,
        Signal.user1.rawValue, Signal.user2.rawValue, 14:
        send(.signal(UInt8(truncatingIfNeeded: signal)))
      case RemoteJob.brokenPipe: outcome = .signal(UInt8(RemoteJob.brokenPipe))
      default: break
      }
    }
  }

  private func readInput() {
    let bytes = readStandardInput(upTo: min(credit, JobFrame.largest))
    if bytes.isEmpty {
      inputIsOver = true
      return send(.inputEnd)
    }
    credit -= bytes.count
    send(.input(bytes))
  }

  private func takeNews() {
    guard let bytes = try? place.news.descriptor.receiveSome(upTo: 1024) else { return }
    // A mosd that has ended, or is started again, leaves the job alone.
    if bytes.isEmpty { newsAreOver = true } else { lose() }
  }

  private func send(_ frame: JobFrame) { outgoing += frame.bytes }

  private func flush() {
    while sent < outgoing.count {
      guard let went = try? place.connection.descriptor.sendSome(outgoing, from: sent) else { return }
      if went == 0 { return }
      sent += went
    }
    outgoing = []
    sent = 0
  }
}
