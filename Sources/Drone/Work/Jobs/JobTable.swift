import Addresses
import Bytes

/// The jobs of the cluster, as `mps` shows them: in the order of their names, each with the node that runs it.
public struct JobTable: Sendable {
  private var rows: [(node: UInt16, job: JobRecord)] = []
  /// Nodes that did not answer.
  public private(set) var silent: [UInt16] = []

  public init(_ answers: [NodeJobs]) {
    for answer in answers {
      guard let list = answer.list else {
        silent.append(answer.node)
        continue
      }
      for job in list.jobs { rows.append((answer.node, job)) }
    }
    rows.sort { ($0.job.name.home, $0.job.name.process, $0.node) < ($1.job.name.home, $1.job.name.process, $1.node) }
  }

  public func nodes(of name: JobName) -> [UInt16] { rows.filter { $0.job.name == name }.map { $0.node } }

  /// A heading and a line for each job. Nothing in it is a control character, whatever a member said.
  public var text: [UInt8] {
    var out = [UInt8]("JOB              USER      NODE       TIME       CPU MEMORY COMMAND\n")
    for (node, job) in rows {
      let user = job.userName.isEmpty ? decimalText(job.user) : job.userName.map(printable)
      out += left(job.name.text, 17) + left(user, 10) + idText(node)
      out += right(durationText(job.seconds), 9)
      out += right(timeText(UInt32(clamping: job.processor / 10)), 10)
      out += right(memoryText(UInt32(clamping: job.memory)), 7) + [UInt8(ascii: " ")]
      out += job.command.map(printable) + [UInt8(ascii: "\n")]
    }
    return out
  }

  /// One line of JSON (RFC 8259). Times are in seconds, memory is in KiB.
  public var json: [UInt8] {
    var json = JSONText()
    json.object { json in
      json.array("jobs", of: rows) { json, row in
        json.object { json in
          json.member("job", row.job.name.text)
          json.member("home", idText(row.job.name.home))
          json.member("node", idText(row.node))
          json.member("uid", number: UInt64(row.job.user))
          if row.job.userName.isEmpty { json.null("user") } else { json.member("user", row.job.userName) }
          json.member("time", number: UInt64(row.job.seconds))
          json.member("cpu", hundredths: row.job.processor / 10)
          json.member("memory", number: row.job.memory)
          json.member("command", row.job.command)
        }
      }
      json.array("silent", of: silent) { json, node in json.string(idText(node)) }
    }
    return json.bytes + [UInt8(ascii: "\n")]
  }
}

/// Seconds as `2:43`, and from an hour on as `1:02:43`.
private func durationText(_ seconds: UInt32) -> [UInt8] {
  func twoDigits(_ value: UInt32) -> [UInt8] { (value < 10 ? [UInt8(ascii: "0")] : []) + decimalText(value) }
  let minutes = seconds / 60
  let end = [UInt8(ascii: ":")] + twoDigits(seconds % 60)
  if minutes < 60 { return decimalText(minutes) + end }
  return decimalText(minutes / 60) + [UInt8(ascii: ":")] + twoDigits(minutes % 60) + end
}
