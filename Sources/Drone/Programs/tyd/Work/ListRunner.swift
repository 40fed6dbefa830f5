import Bytes
import Jobs
import Linux
import ProcessControl

/// `mosrun -f`: runs a job for each line of a list. Gives the exit status.
func runList(_ list: MosrunOptions.List, _ template: CommandTemplate, at destination: Destination) -> Int32 {
  fillStandardDescriptors("/dev/null")
  let runner: ListRunner
  do throws(SystemError) { runner = try ListRunner(list, template, destination) } catch {
    return failMosrun(error.text)
  }
  return runner.run()
}

/// Carries out what a `ListRun` decides.
private final class ListRunner {
  private let template: CommandTemplate
  private let destination: Destination
  private let isTagged: Bool
  private let usualLimit = descriptorLimit
  private var plan: ListRun
  private let source: OpenSocket
  private var reader = JobListReader()
  private let log: OpenSocket?
  private let news: NewsOfRunners
  private let signals: SignalQueue
  private var tries: [JobTry] = []
  private let kept = KeptOutputs()
  private let outlet: Outlet
  /// Of jobs whose turn has not come: standard output and error.
  private var outputs: [Int: [KeptOutputs.Output]] = [:]
  private var listIsOver = false
  /// The first signal that ended this.
  private var fatalSignal: UInt8?
  private var hasFailed = false
  private var saidNoRoom = false

  /// Opens what is needed; so it fails before the first job begins.
  init(_ list: MosrunOptions.List, _ template: CommandTemplate, _ destination: Destination) throws(SystemError) {
    self.template = template
    self.destination = destination
    isTagged = list.isTagged
    source = OpenSocket(
      list.path.spells("-") ? try Descriptor(duplicating: 0) : try Descriptor(Path(list.path), .read))
    var log: OpenSocket?
    if let path = list.log {
      let file = OpenSocket(try Descriptor(Path(path), .replace))
      do throws(SystemError) { try file.descriptor.write([UInt8](JobLogLine.header)) } catch {
        throw SystemError(error.call, path, number: error.number)
      }
      log = file
    }
    self.log = log
    news = try NewsOfRunners()
    let slots = list.slots ?? min(destination.processors, MosrunOptions.List.mostSlots)
    plan = ListRun(slots: slots, retries: list.retries, isOrdered: !list.isTagged)
    outlet = Outlet(kept)
    // Two for each job, and what else there is. The jobs themselves get the usual limit.
    descriptorLimit = max(usualLimit, UInt64(slots) * 2 + 64)
    signals = SignalQueue()
    noticeChildren()
    ignoreBrokenPipes()
  }

  func run() -> Int32 {
    beginJobs()
    while !plan.isOver || !outlet.isEmpty {
      turn()
      beginJobs()
    }
    if let fatalSignal {
      dieBySignal(fatalSignal)
      return 128 + Int32(fatalSignal)
    }
    return hasFailed ? 255 : plan.exitStatus
  }

  // Jobs begin

  private func beginJobs() {
    while true {
      if let start = plan.next() {
        begin(start)
      } else if plan.wantsLine {
        do throws(JobListReader.Failure) {
          guard let line = try reader.next() else { break }
          plan.add(line: line)
        } catch {
          endList(error.phrase)
        }
      } else {
        break
      }
    }
    if listIsOver, plan.wantsLine { plan.endList() }
  }

  /// - Parameter phrase: why it cannot be read further.
  private func endList(_ phrase: [UInt8]) {
    fail([UInt8]("no job begins any more: ") + phrase)
    plan.endList()
  }

  private func begin(_ start: ListRun.Start) {
    let job = start.job
    if start.isAgain { drop(job.number) }
    do throws(SystemError) {
      tries.append(JobTry(job, try WorkProcess(hasErrorApart: true) { child(job) }, isTagged: isTagged))
    } catch {
      let isLater = plan.postpone(job.number)
      say([UInt8]("\(error.text), so ") + (isLater ? [UInt8]("fewer jobs run at once.") : [UInt8]("no job can begin.")))
      if !isLater {
        hasFailed = true
        end(signal: Signal.terminate.rawValue)
        show(plan.ended(job.number, succeeded: false))
      }
    }
  }

  /// What the process of a job does.
  private func child(_ job: ListedJob) -> Int32 {
    leaveTerminal()
    closeDescriptors(but: [news.output])
    descriptorLimit = usualLimit
    unblockSignals()
    guard let command = template.command(for: job.line) else {
      return failMosrun([UInt8]("job \(job.number) of the list is a command longer than can be run"), status: 126)
    }
    return runCommand(command, at: destination) { news.tell(job.number, $0) }
  }

  // What happens

  private func turn() {
    var wanted = [
      Interest(signals.number), Interest(plan.wantsLine ? source.descriptor.number : -1), Interest(news.input),
      Interest(outlet.descriptor, .writable),
    ]
    var isDue = false
    for one in tries {
      for stream in 0..<2 {
        let reads = reads(one, stream)
        wanted.append(Interest(reads ? one.streams[stream].descriptor : -1))
        // Others may hold a pipe open for longer than the job lasts: then it is never at its end.
        if reads, one.end != nil { isDue = true }
      }
    }
    let ready = waitReady(wanted, milliseconds: isDue ? 0 : signals.longestWait)
    // Before the outputs: what has ended writes no more.
    if !ready[0].isEmpty || signals.number < 0 { takeSignals() }
    if !ready[1].isEmpty { readList() }
    if !ready[2].isEmpty { takeNews() }
    for (place, one) in tries.enumerated() {
      for stream in 0..<2 where !ready[4 + 2 * place + stream].isEmpty || one.end != nil {
        if reads(one, stream) { read(one, stream) }
      }
    }
    for one in tries where one.isOver { finish(one) }
    tries.removeAll { $0.isOver }
    flush()
  }

  private func readList() {
    do throws(SystemError) {
      let part = try source.descriptor.read(upTo: 64 << 10)
      reader.feed(part)
      if part.isEmpty {
        reader.end()
        listIsOver = true
      }
    } catch {
      if !error.wouldBlock { endList([UInt8]("the list: ") + error.text) }
    }
  }

  private func takeNews() {
    for (number, runner) in news.take() { tries.first { $0.job.number == number }?.runner = runner }
  }

  private func takeSignals() {
    while let signal = signals.next() {
      switch signal {
      case Signal.hangUp.rawValue, Signal.interrupt.rawValue, Signal.quit.rawValue, Signal.terminate.rawValue:
        // Who says it twice does not wait for what is still to be shown.
        if fatalSignal != nil { outlet.close() }
        fatalSignal = fatalSignal ?? UInt8(truncatingIfNeeded: signal)
        end(signal: signal)
      case Signal.stop.rawValue: pause()
      case Signal.resume.rawValue, Signal.user1.rawValue, Signal.user2.rawValue, 14: tell(signal)
      default: break
      }
    }
    while let (process, ending) = collectChild() {
      let one = tries.first { $0.process.number == process }
      one?.end = JobEnd(ending)
      one?.ended = millisecondsSinceStart()
    }
  }

  /// Lets no further job begin, and tells those that run.
  private func end(signal: Int32) {
    tell(signal)
    show(plan.stop())
  }

  private func tell(_ signal: Int32) {
    for one in tries where one.end == nil { one.tell(signal) }
  }

  /// The shell that started this has it wait, and the jobs with it.
  private func pause() {
    // A process here without a terminal does not heed SIGTSTP; one that speaks for a job elsewhere hands it on.
    for one in tries where one.end == nil { one.tell(one.isHere ? 19 : Signal.stop.rawValue) }
    dieBySignal(19)
    tell(Signal.resume.rawValue)
  }

  // Outputs

  /// Whether this output of a job is to be read now.
  private func reads(_ one: JobTry, _ stream: Int) -> Bool {
    guard one.streams[stream].isOpen else { return false }
    switch plan.showing(one.job.number) {
    case .direct: return outlet.isEmpty
    case .kept: return true
    case .held: return outlet.isClosed
    }
  }

  private func read(_ one: JobTry, _ stream: Int) {
    guard let bytes = one.read(stream) else { return }
    let number = one.job.number
    if outlet.isClosed { return }
    if plan.showing(number) == .direct { return outlet.show(bytes, on: Int32(stream) + 1) }
    var both = outputs.removeValue(forKey: number) ?? [KeptOutputs.Output(), KeptOutputs.Output()]
    do throws(SystemError) {
      try kept.append(bytes, to: &both[stream])
      outputs[number] = both
    } catch {
      outputs[number] = both
      if !saidNoRoom {
        saidNoRoom = true
        say([UInt8]("no room in \(kept.folder.bytes) (\(error.text)): jobs wait with their outputs for their turn."))
      }
      show(plan.cannotKeep(number))
    }
  }

  private func show(_ numbers: [Int]) {
    for number in numbers {
      guard let both = outputs.removeValue(forKey: number) else { continue }
      for (stream, output) in both.enumerated() { outlet.show(output, on: Int32(stream) + 1) }
    }
  }

  private func drop(_ number: Int) {
    guard var both = outputs.removeValue(forKey: number) else { return }
    for stream in both.indices { kept.drop(&both[stream]) }
  }

  private func flush() {
    do throws(SystemError) { try outlet.flush() } catch {
      outlet.close()
      if error.isBrokenPipe {
        fatalSignal = fatalSignal ?? UInt8(RemoteJob.brokenPipe)
        end(signal: RemoteJob.brokenPipe)
      } else {
        fail([UInt8]("the output: ") + error.text)
        end(signal: Signal.terminate.rawValue)
      }
    }
  }

  private func finish(_ one: JobTry) {
    guard let end = one.end else { return }
    for stream in 0..<2 { outlet.show(one.endOfLines(stream), on: Int32(stream) + 1) }
    takeNews()
    if let log {
      do throws(SystemError) { try log.descriptor.write(one.logLine(end, template).bytes) } catch {
        if !hasFailed { fail([UInt8]("the job log: ") + error.text) }
      }
    }
    show(plan.ended(one.job.number, succeeded: end == .exited(0)))
  }

  private func fail(_ sentence: [UInt8]) {
    hasFailed = true
    say(sentence)
  }

  private func say(_ sentence: [UInt8]) { _ = failMosrun(sentence) }
}
