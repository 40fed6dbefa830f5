import Bytes
import Linux
import ProcessControl
import Reporting
import Supervision
import TydCommand

/// Runs a node: in the foreground until it is in the cluster (or for ever, with --debug), then in the background. Gives the
/// exit status of the process that the shell waits for.
func run(_ command: TydCommand, arguments: [[UInt8]]) -> Int32 {
  let places = Places()
  setCreationMask(0o077)
  let lock: ProcessFile
  do throws(SystemError) {
    try makeDirectory(places.run, permissions: 0o700)
    guard let held = try ProcessFile(places.processFile) else {
      return fail("tyd runs here already; tyd --status says how it stands, tyd --leave ends it.")
    }
    lock = held
  } catch {
    return fail(error.text + [UInt8]("; tyd must be run by root."))
  }
  let report = Report(log: places.log, isSilent: command.isSilent, isDebugging: command.isDebugging)
  if command.isDebugging || command.isResuming {
    return work(command, arguments, places, lock, report: report, word: nil)
  }
  do throws(SystemError) {
    let pipe = try Pipe()
    switch try forkProcess() {
    case .child: return work(command, arguments, places, lock, report: report, word: pipe)
    case .parent(let child): return wait(for: child, pipe.keepingInput())
    }
  } catch {
    report.step(.failed, "tyd", error.text)
    return 1
  }
}

/// Waits for the word of the process that stays: a byte when the node is in, nothing when it failed.
private func wait(for child: Int32, _ word: consuming Descriptor) -> Int32 {
  if (try? word.read(upTo: 1))?.isEmpty == false { return 0 }
  if case .exited(let status)? = waitForChild(child) { return status == 0 ? toldToEnd : status }
  return fail("the process that was to stay was killed.")
}

/// The end of a pipe by which the process in the foreground is told that the node is in.
final class ForegroundWord {
  private let pipe: Descriptor

  init(_ pipe: consuming Descriptor) { self.pipe = pipe }

  func say() { try? pipe.write([1]) }
}

private func work(
  _ command: TydCommand, _ arguments: [[UInt8]], _ places: Places, _ lock: borrowing ProcessFile, report: Report,
  word: consuming Pipe?
) -> Int32 {
  do throws(Failure) {
    do throws(SystemError) { try lock.name(processID) } catch { throw Failure(error) }
    let plan = command.bootsOthers ? try BootPlan(command, places, report) : nil
    let node = try Node(command, arguments, places, report, booting: plan)
    if let word { node.foreground = ForegroundWord(word.keepingOutput()) }
    // Whoever fills a drone's memory is to lose a program of his own. On a full Linux its administrator says so.
    if case .drone = MachineKind.current { setSacrificeOrder(.last) }
    try node.start()
    try node.run()
  } catch {
    // Process 1 tries it again and again: the log is told once.
    let isKnown = (try? readFile(places.failure, limit: 4096)) == error.sentence
    report.step(.failed, "tyd", error.sentence, isLogged: !isKnown)
    if !isKnown { try? replaceFile(places.failure, error.sentence, permissions: 0o600) }
    return error.status
  }
  return 0
}

/// Why tyd ends before its time, as a sentence.
struct Failure: Error {
  let sentence: [UInt8]
  /// The exit status.
  var status: Int32 = 1

  init(_ sentence: [UInt8]) { self.sentence = sentence }
  init(_ sentence: StaticString, status: Int32 = 1) {
    self.sentence = [UInt8](sentence)
    self.status = status
  }
  init(_ error: SystemError) { sentence = error.text }
}
