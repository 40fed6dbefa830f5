import Bytes
import Jobs
import Linux
import ProcessControl

/// Runs a command once on every node, this one included, and shows equal answers once. The exit status is the worst.
func runEverywhere(_ start: JobStart) -> Int32 {
  var runs: [NodeRun] = []
  var tried: [UInt16] = []
  var worst: Int32 = 0
  while true {
    let place: PlaceOutcome = findPlace(start.ask(.next, tried: tried))
    switch place {
    case .failed(let node?, let sentence):
      tried.append(node)
      if let run = NodeRun(node, { failMosrun(sentence) }) { runs.append(run) }
    case .failed(nil, let sentence):
      if runs.isEmpty { return failMosrun(sentence) }
      for run in runs { run.finish() }
      showAnswers(runs)
      for run in runs { worst = max(worst, run.status) }
      return worst
    case .here(let own):
      tried.append(own)
      if let run = NodeRun(own, { runHere(start.command, on: own) }) { runs.append(run) }
    case .node(let place):
      tried.append(place.id)
      if let run = NodeRun(place.id, { runThere(start, place) }) { runs.append(run) }
    }
  }
}

private func runThere(_ start: JobStart, _ place: FoundPlace) -> Int32 {
  switch RemoteJob(place, start.request(at: place, terminal: false)).run() {
  case .status(let status): return status
  case .signal(let number): return 128 + Int32(number)
  case .refused(let status, let phrase):
    return failMosrun(place.name + [UInt8](" cannot run it: ") + phrase, status: Int32(status))
  case .lost: return failMosrun([UInt8]("the node ") + place.name + [UInt8](" was lost, and the job with it"))
  }
}

/// One node's run, in a process of its own whose outputs are kept.
private final class NodeRun {
  let node: UInt16
  private let process: WorkProcess
  private(set) var answer: [UInt8] = []
  private(set) var status: Int32 = 255

  /// The most bytes of an answer that are kept.
  private static let most = 4 << 20

  init?(_ node: UInt16, _ body: () -> Int32) {
    guard let process = try? WorkProcess(hasErrorApart: false, body) else { return nil }
    self.node = node
    self.process = process
  }

  func finish() {
    answer = process.everything(upTo: NodeRun.most)
    status = process.end.flatMap { JobEnd($0) }?.status ?? 255
  }
}

/// As `clush -b` shows them: the nodes that say the same, then what they say.
private func showAnswers(_ runs: [NodeRun]) {
  var shown = [Bool](repeating: false, count: runs.count)
  for (place, run) in runs.enumerated() where !shown[place] {
    var names: [[UInt8]] = []
    for other in place..<runs.count where runs[other].answer == run.answer && runs[other].status == run.status {
      shown[other] = true
      names.append(idText(runs[other].node))
    }
    let rule = [UInt8]("---------------\n")
    var head = rule + [UInt8](names.joined(separator: [UInt8](",")))
    if names.count > 1 { head += [UInt8](" (\(names.count))") }
    if run.status != 0 { head += [UInt8](" exit status \(run.status)") }
    writeStandardOutput(head + [UInt8]("\n") + rule + run.answer)
  }
}
