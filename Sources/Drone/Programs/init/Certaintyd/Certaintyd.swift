import DroneLayout
import Bytes
import Integrity
import Linux
import Supervision
import SystemRoot

/// Runs `certaintyd`; returns its exit status. Without options it never ends by itself, unless it cannot begin.
func runCertaintyd(_ arguments: [[UInt8]]) -> Int32 {
  let options: WatchOptions
  do throws(WatchOptions.ParseError) {
    options = try WatchOptions(arguments)
  } catch {
    writeStandardError([UInt8]("certaintyd: ") + error.reason + [UInt8]("; certaintyd --help lists them.\n"))
    return CertaintydExit.impossible
  }
  switch options.action {
  case .help:
    printOut([UInt8](WatchOptions.help))
    return 0
  case .status: return showStatus()
  case .once: return checkOnce()
  case .watch: return watch(options)
  }
}

/// Writes to standard output; what does not go there is lost.
func printOut(_ text: [UInt8]) { writeStandardOutput(text) }

/// Why certaintyd cannot do its work: one phrase.
struct Refusal: Error {
  var reason: [UInt8]
  /// For want of something that may be there soon.
  var isPassing = false
}

/// Reads the baseline and adds its own file to it. `expected`: the digest that this file must have.
func readBaseline(digest expected: [UInt8]? = nil) throws(Refusal) -> Baseline {
  let file = Path([UInt8](Baseline.path))
  let text: [UInt8]
  do throws(SystemError) {
    text = try readFile(file, limit: Baseline.largest)
  } catch {
    throw Refusal(reason: error.text, isPassing: Difference.unreadable(errno: error.number).isPassing)
  }
  let digest = contentDigest(text)
  if let expected, expected != digest {
    throw Refusal(reason: file.bytes + [UInt8](" is not the one that the drone started with"))
  }
  do throws(Baseline.ParseError) {
    return try .sealed(text, digest: digest)
  } catch {
    throw Refusal(reason: file.bytes + [UInt8](" cannot be used: ") + error.text)
  }
}

/// `certaintyd --once`: compares everything with what was sealed, except times, which only a process from the start knows.
private func checkOnce() -> Int32 {
  let baseline: Baseline
  do throws(Refusal) {
    baseline = try readBaseline()
  } catch {
    writeStandardError([UInt8]("certaintyd: ") + error.reason + [UInt8](".\n"))
    return CertaintydExit.impossible
  }
  var root = SystemRoot()
  var examination = Examination(baseline, root: &root, pieceSize: 4096)
  let findings = examination.everything(&root)
  for finding in findings { printOut(finding.text.map(printable) + [UInt8]("\n")) }
  if findings.contains(where: { !$0.difference.isPassing }) { return CertaintydExit.different }
  return findings.isEmpty ? CertaintydExit.same : CertaintydExit.impossible
}

/// `certaintyd --status`.
private func showStatus() -> Int32 {
  guard let file = try? readFile(WatchFiles.status, limit: 4096), let status = WatchStatus(file: file),
    runningProcess() == status.process
  else {
    printOut([UInt8]("certaintyd does not run: nothing watches the root.\n"))
    return CertaintydExit.different
  }
  printOut(status.text(now: millisecondsSinceStart()))
  return CertaintydExit.same
}

/// Where a running certaintyd leaves what others need of it.
enum WatchFiles {
  static let folder = Path(DronePath.certaintyd)
  static let process = folder / "pid"
  static let status = folder / "status"
}

/// The certaintyd that the file names; nil when there is none, or another program has its process id by now.
private func runningProcess() -> UInt64? {
  guard let text = try? readFile(WatchFiles.process, limit: 32) else { return nil }
  let digits = [UInt8](text.prefix { $0 != UInt8(ascii: "\n") })
  guard let number = decimal(digits), let name = try? readFile("/proc" / digits / "comm", limit: 32),
    name.spells("certaintyd\n")
  else { return nil }
  return number
}

/// Takes the place of the one certaintyd and notes its process id. The descriptor holds the place until it is closed.
func claimPlace() throws(Refusal) -> Descriptor {
  do throws(SystemError) {
    try makeDirectory(WatchFiles.folder)
    let file = try Descriptor(WatchFiles.process, .keep)
    if file.lock() {
      try file.empty()
      try file.write(decimalText(processID) + [UInt8]("\n"))
      return file
    }
  } catch {
    throw Refusal(reason: error.text)
  }
  var reason = [UInt8]("it runs already")
  if let process = runningProcess() {
    reason += [UInt8](" as process ")
    appendDecimal(process, to: &reason)
  }
  throw Refusal(reason: reason + [UInt8]("; end that one first: killall certaintyd"))
}

extension Baseline.ParseError {
  /// The error as a phrase.
  fileprivate var text: [UInt8] {
    switch self {
    case .heading: return [UInt8]("it is no baseline")
    case .line(let number):
      return [UInt8]("line ") + decimalText(number) + [UInt8](" is no entry")
    case .cut: return [UInt8]("its end is missing")
    }
  }
}
