import Bytes
import DroneLayout
import Integrity
import KernelModules
import Linux
import ProcessControl
import Reporting
import Supervision
import SystemRoot

/// Bytes hashed at a time: about 3 ms of a Pentium at 133 MHz, the longest by which a pass exceeds its share.
private let pieceSize: UInt64 = 8192
/// The share of one processor that the looking may take, in nanoseconds per millisecond of the interval: what is left of
/// 1 % is for the piece that exceeds it and for the status.
private let share: UInt64 = 9_000
/// A round of content takes no longer than this, in milliseconds, even where the share alone would make it so.
private let longestRound: UInt64 = 58_000
/// How long process 1 has to obey before the drone is restarted without it.
private let obedience = 10_000

/// Watches the root. Ends only when it cannot begin.
func watch(_ options: WatchOptions) -> Int32 {
  let place: Descriptor
  do throws(Refusal) {
    place = try claimPlace()
  } catch {
    writeStandardError([UInt8]("certaintyd: ") + error.reason + [UInt8](".\n"))
    return CertaintydExit.impossible
  }
  setSacrificeOrder(.never)
  do throws(Refusal) {
    var watch = Watch(try readBaseline(digest: options.digest), options)
    watch.announce()
    watch.run()
  } catch {
    _ = consume place
    report(.failed, "certaintyd", error.reason + [UInt8]("; nothing watches the root"))
    return error.isPassing ? CertaintydExit.notNow : CertaintydExit.impossible
  }
  _ = consume place
  return CertaintydExit.impossible
}

/// The watch itself: what was seen at the start, and pass after pass the comparison with it.
private struct Watch {
  private let options: WatchOptions
  private var root: SystemRoot
  private var examination: Examination<SystemRoot>
  private var vigil = Vigil()
  private var status = WatchStatus()
  /// When the round of content that is going on began.
  private var roundBegan: UInt64 = 0
  private var processorAtFirstPass: UInt64 = 0

  init(_ baseline: consuming Baseline, _ options: WatchOptions) {
    self.options = options
    var root = SystemRoot()
    examination = Examination(baseline, root: &root, pieceSize: pieceSize, allowing: imagesModules())
    self.root = root
    status.process = UInt64(UInt32(bitPattern: processID))
    status.interval = options.interval
    status.entries = UInt64(clamping: examination.entryCount)
    status.total = examination.contents.total
    status.started = millisecondsSinceStart()
  }

  /// Tells people and process 1 that certaintyd finds changes from now on.
  func announce() {
    writeStatus()
    var text: [UInt8] = []
    appendDecimal(status.entries, to: &text)
    text += [UInt8](" entries of the root are known; any change restarts the drone")
    report(.ok, "certaintyd", text)
    announceReady()
  }

  mutating func run() {
    let now = millisecondsSinceStart()
    if options.delay > now { pause(milliseconds: Int(clamping: options.delay - now)) }
    var due = millisecondsSinceStart()
    status.since = due
    roundBegan = due
    processorAtFirstPass = processorNanoseconds()
    while true {
      pass()
      due &+= options.interval
      let now = millisecondsSinceStart()
      // After a stop (a debugger, a machine asleep) passes are not made up for.
      if due < now { due = now }
      while case let now = millisecondsSinceStart(), now < due { pause(milliseconds: Int(clamping: due - now)) }
    }
  }

  /// How many pieces of content a pass takes at least, so that a round comes to its end in time.
  private var fewestPieces: UInt64 {
    let pieces = examination.contents.pieceCount
    let passes = max(1, longestRound / options.interval)
    return (pieces &+ passes &- 1) / passes
  }

  /// Checks all metadata and as much content as the share allows, but at least enough to keep the round short.
  private mutating func pass() {
    let began = processorNanoseconds()
    var findings = examination.metadata(&root)
    let afterMetadata = processorNanoseconds()
    let budget = share &* options.interval
    let fewest = fewestPieces
    var hashed: UInt64 = 0
    var pieces: UInt64 = 0
    var rounds = examination.contents.rounds
    while pieces < examination.contents.pieceCount {
      let (piece, finding) = examination.content(&root)
      guard let piece else { break }
      if let finding { findings.append(finding) }
      hashed &+= piece.count
      pieces &+= 1
      if examination.contents.rounds != rounds {
        rounds = examination.contents.rounds
        let now = millisecondsSinceStart()
        status.round = now &- roundBegan
        roundBegan = now
      }
      // What cannot be read now is not tried again in this pass.
      if finding != nil { break }
      if pieces >= fewest, processorNanoseconds() &- began >= budget { break }
    }
    let ended = processorNanoseconds()
    status.passes &+= 1
    status.metadata = afterMetadata &- began
    status.content = ended &- afterMetadata
    status.hashed = hashed
    status.rounds = rounds
    status.last = millisecondsSinceStart()
    judge(findings)
    status.repeated = vigil.repeated
    status.processor = processorNanoseconds() &- processorAtFirstPass
    writeStatus()
  }

  private mutating func judge(_ findings: [Finding]) {
    switch vigil.judge(findings) {
    case .sound: break
    case .unsure(let finding, let isNew):
      if isNew { warn(finding, [UInt8]("; the next pass looks again")) }
    case .changed(let finding):
      alarm(finding)
    }
  }

  private func writeStatus() {
    try? replaceFile(WatchFiles.status, status.file)
  }
}

/// The names of the modules that this image brings along.
private func imagesModules() -> [[UInt8]] {
  guard let text = try? readFile(Path(DronePath.moduleTable), limit: ModuleTable.largest) else { return [] }
  return (try? ModuleTable.names(text: text)) ?? []
}

/// Restarts the drone: by process 1 in order, or without it when it does not obey.
private func alarm(_ finding: Finding) {
  warn(finding, [UInt8]("; the drone restarts"))
  sendSignal(.terminate, to: 1)
  // Process 1 ends this program among the first. If it has not, it hangs, and nothing is left that could be lost.
  let end = millisecondsSinceStart() &+ UInt64(obedience)
  while case let now = millisecondsSinceStart(), now < end { pause(milliseconds: Int(clamping: end - now)) }
  warn([UInt8]("certaintyd: process 1 does not restart the drone; restarting without it"))
  pause(milliseconds: 200)
  endMachine(.restart)
}

private func warn(_ finding: Finding, _ consequence: [UInt8]) {
  warn([UInt8]("certaintyd: ") + finding.text + consequence)
}

/// One line, in red on every console, and in the kernel's log.
private func warn(_ text: [UInt8]) {
  let line = text.map(printable)
  // Its consoles are left out there: they have just had it.
  try? writeFile("/dev/kmsg", [UInt8]("<4>") + line + [UInt8]("\n"))
  writeToConsoles([UInt8]("\r\n\u{1B}[1;31m") + line + [UInt8]("\u{1B}[0m\r\n"))
}
