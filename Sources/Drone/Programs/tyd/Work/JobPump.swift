import Bytes
import Jobs
import Linux
import ProcessControl

/// The first process of a job's namespaces: starts the job, carries its input and output, gives it signals, and says how it ended. When
/// it ends, the kernel ends everything that the job has left.
final class JobPump {
  private let socket: OpenSocket
  private let request: JobRequest
  private let identity: Identity
  private let group: OpenSocket
  private let network: JobNetwork
  private let root: JobRoot
  private let signals = SignalQueue()
  private var reader = JobFrameReader()
  private var job: Int32 = 0
  private var end: JobEnd?
  /// The pipes' or the terminal's ends that are here; nil once they are closed.
  private var input: OpenSocket?
  private var output: OpenSocket?
  private var error: OpenSocket?
  private var waitingInput: [UInt8] = []
  private var inputEnds = false
  private var outgoing: [UInt8] = []
  private var sent = 0

  /// More is not read from the job before it has gone out.
  private static let mostOutgoing = 256 << 10

  init(
    _ socket: OpenSocket, _ request: JobRequest, _ identity: Identity, group: OpenSocket, network: JobNetwork,
    root: JobRoot
  ) {
    self.socket = socket
    self.request = request
    self.identity = identity
    self.group = group
    self.network = network
    self.root = root
  }

  func run() -> Never {
    ignoreBrokenPipes()
    do throws(SystemError) {
      try root.mount()
      try changeRoot(to: root.folder)
      if network == .none { try? startLoopback() }
      closeDescriptors(but: [socket.descriptor.number, signals.number, group.descriptor.number])
      try start()
    } catch {
      send(.refused(status: error.isMissing ? 127 : error.isDenial ? 126 : 255, error.text))
      flushAll()
      endProcess(1)
    }
    socket.descriptor.setWaiting(false)
    send(.started)
    while end == nil || output != nil || error != nil {
      turn()
      if end != nil { drainLast() }
    }
    if let end { send(.ended(end)) }
    flushAll()
    endProcess(0)
  }

  // MARK: The beginning

  private func start() throws(SystemError) {
    var program = UserProgram(
      arguments: request.arguments, environment: request.environment, directory: Path(request.directory),
      identity: identity,
      mask: request.mask, limits: request.limits.map { ($0.soft, $0.hard) }, hasTerminal: request.terminal != nil)
    // This process is not in it: it says how the job ended, also when memory was what was short.
    program.group = group.descriptor.number
    if let size = request.terminal {
      let pair = try TerminalPair("/dev/ptmx")
      pair.master.setTerminalSize(columns: size.columns, rows: size.rows)
      pair.slave.give(to: identity.user, permissions: 0o620)
      try leadSession(on: pair.slave)
      if size.hasErrorApart {
        let errors = try Pipe()
        job = try program.start(pair.slave.number, pair.slave.number, errors.output.number)
        error = OpenSocket(errors.keepingInput())
        error?.descriptor.setWaiting(false)
      } else {
        job = try program.start(pair.slave.number, pair.slave.number, pair.slave.number)
      }
      pair.master.setWaiting(false)
      let master = OpenSocket(pair.keepingMaster())
      input = master
      output = master
      return
    }
    let inner = try Pipe()
    let outer = try Pipe()
    let errors = try Pipe()
    job = try program.start(inner.input.number, outer.output.number, errors.output.number)
    input = OpenSocket(inner.keepingOutput())
    output = OpenSocket(outer.keepingInput())
    error = OpenSocket(errors.keepingInput())
    for end in [input, output, error] { end?.descriptor.setWaiting(false) }
  }

  // MARK: A turn

  private func turn() {
    // Whoever does not hear is not heard.
    let mayHear = outgoing.count - sent < 2 * JobPump.mostOutgoing
    let mayRead = outgoing.count - sent < JobPump.mostOutgoing
    let isTerminal = request.terminal != nil
    var writing: Readiness = []
    if !outgoing.isEmpty { writing = .writable }
    let ready = waitReady(
      [
        Interest(signals.number), Interest(socket.descriptor.number, mayHear ? writing.union(.readable) : writing),
        Interest(waitingInput.isEmpty ? -1 : input?.descriptor.number ?? -1, .writable),
        Interest(mayRead ? output?.descriptor.number ?? -1 : -1),
        Interest(mayRead ? error?.descriptor.number ?? -1 : -1),
      ], milliseconds: 60_000)
    if !ready[0].isEmpty { takeSignals() }
    if ready[1].contains(.writable) { flush() }
    if ready[1].contains(.readable) || ready[1].contains(.broken) { takeFrames() }
    if !ready[2].isEmpty { writeInput(isTerminal) }
    if !ready[3].isEmpty, !take(from: output, as: { .output($0) }) { output = nil }
    if !ready[4].isEmpty, !take(from: error, as: { .error($0) }) { error = nil }
    flush()
  }

  /// The job has ended: what it left behind is ended, and what it had written is passed on.
  private func drainLast() {
    _ = sendSignalToAll(.kill)
    if !take(from: output, as: { .output($0) }) { output = nil }
    if !take(from: error, as: { .error($0) }) { error = nil }
  }

  private func takeSignals() {
    while signals.next() != nil {}
    while let (process, ending) = collectChild(noticingStops: true) {
      guard process == job else { continue }
      if case .stopped(let signal) = ending {
        send(.stopped(signal: UInt8(truncatingIfNeeded: signal)))
      } else {
        end = JobEnd(ending)
      }
    }
  }

  private func takeFrames() {
    guard let part = socket.receive(upTo: 64 << 10) else { return }
    // Whoever waited is gone.
    if part.isEmpty { endProcess(1) }
    reader.feed(part)
    do throws(ReadingError) {
      while let frame = try reader.next() { receive(frame) }
    } catch {
      endProcess(1)
    }
  }

  private func receive(_ frame: JobFrame) {
    switch frame {
    case .input(let bytes):
      waitingInput += bytes
      // It has sent more than it may.
      if waitingInput.count > Int(JobFrame.window) { endProcess(1) }
      writeInput(request.terminal != nil)
    case .inputEnd:
      inputEnds = true
      writeInput(request.terminal != nil)
    case .size(let columns, let rows): input?.descriptor.setTerminalSize(columns: columns, rows: rows)
    case .signal(let number): if end == nil { sendSignal(number: number, toGroup: job) }
    case .started, .output, .error, .taken, .stopped, .ended, .refused: endProcess(1)
    }
  }

  private func writeInput(_ isTerminal: Bool) {
    var done = 0
    if let input {
      while done < waitingInput.count {
        do throws(SystemError) { done += try input.descriptor.writeSome(waitingInput, from: done) } catch {
          if error.wouldBlock { break }
          // Nobody reads it: it is gone, as with a pipe.
          done = waitingInput.count
          if !isTerminal { self.input = nil }
        }
      }
    } else {
      done = waitingInput.count
    }
    if done > 0 {
      waitingInput.removeFirst(done)
      send(.taken(UInt32(clamping: done)))
    }
    if inputEnds, waitingInput.isEmpty, !isTerminal { input = nil }
  }

  /// False once there is nothing more to come.
  private func take(from end: OpenSocket?, as frame: ([UInt8]) -> JobFrame) -> Bool {
    guard let end else { return false }
    do throws(SystemError) {
      guard let part = try end.descriptor.receiveSome(upTo: JobFrame.largest) else { return self.end == nil }
      if part.isEmpty { return false }
      send(frame(part))
      return true
    } catch {
      // A terminal whose last user has gone says EIO.
      return false
    }
  }

  // MARK: What goes out

  private func send(_ frame: JobFrame) { outgoing += frame.bytes }

  private func flush() {
    while sent < outgoing.count {
      guard let went = try? socket.descriptor.sendSome(outgoing, from: sent) else { endProcess(1) }
      if went == 0 { return }
      sent += went
    }
    outgoing = []
    sent = 0
  }

  private func flushAll() {
    while !outgoing.isEmpty {
      flush()
      if !outgoing.isEmpty, !waitWritable(socket.descriptor.number, milliseconds: 20_000) { return }
    }
  }
}
