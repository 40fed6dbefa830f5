import Addresses
import Bytes
import MachineReadings
import Surveys

extension ProcessTop {
  /// The report as one line of JSON (RFC 8259), for programs: every node with what came of the question to it, and the processes in
  /// this order. Memory is in KiB, `cpu` in percent of one processor, `time` in seconds.
  public func json(_ report: SurveyReport) -> [UInt8] {
    var json = JSONText()
    json.object { json in
      json.array("nodes", of: report.nodes) { json, node in json.object { node.write(to: &$0) } }
      json.array("processes", of: rows(report)) { json, row in json.object { row.write(to: &$0) } }
    }
    return json.bytes + [UInt8]("\n")
  }
}

extension SurveyReport.Node {
  fileprivate func write(to json: inout JSONText) {
    json.member("id", idText(id))
    json.member("address", address.text)
    json.member("load", hundredths: UInt64(load))
    json.member("cpus", number: UInt64(processors))
    switch outcome {
    case .silent: json.member("answer", "none")
    case .notAsked: json.member("answer", "not asked")
    case .answered(let answer):
      json.member("answer", "came")
      json.member("processes", number: UInt64(answer.total))
      json.member("running", number: UInt64(answer.running))
      json.member("memoryTotal", number: UInt64(answer.memoryTotal))
      json.member("memoryAvailable", number: UInt64(answer.memoryAvailable))
    }
  }
}

extension ProcessTop.Row {
  fileprivate func write(to json: inout JSONText) {
    json.member("node", idText(node))
    json.member("pid", number: UInt64(process.process))
    json.member("uid", number: UInt64(process.user))
    json.member("priority", signed: process.priority)
    json.member("nice", signed: process.nice)
    json.member("virtual", number: UInt64(process.virtual))
    json.member("resident", number: UInt64(process.resident))
    json.member("shared", number: UInt64(process.shared))
    json.member("state", [process.state])
    json.member("cpu", tenths: UInt64(process.cpu))
    json.member("time", hundredths: UInt64(process.time))
    if let job = process.job { json.member("job", job.text) } else { json.null("job") }
    json.member("command", process.name)
  }
}
