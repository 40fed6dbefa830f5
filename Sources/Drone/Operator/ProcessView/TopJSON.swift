import Addresses
import Bytes
import MachineReadings
import Surveys

extension ProcessTop {
  /// The report as one line of JSON (RFC 8259), for programs: every node with what came of the question to it, and the processes in
  /// this order. Memory is in KiB, `cpu` in percent of one processor, `time` in seconds.
  public func json(_ report: SurveyReport) -> [UInt8] {
    var out = [UInt8]("{\"nodes\":[")
    for (index, node) in report.nodes.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out += [UInt8]("{\"id\":\"") + idText(node.id) + [UInt8]("\",\"address\":\"") + node.address.text
      out += [UInt8]("\",\"load\":") + fraction(UInt64(node.load), digits: 2)
      out += [UInt8](",\"cpus\":") + decimalText(UInt64(node.processors)) + [UInt8](",\"answer\":")
      switch node.outcome {
      case .silent: out += [UInt8]("\"none\"}")
      case .notAsked: out += [UInt8]("\"not asked\"}")
      case .answered(let answer):
        out += [UInt8]("\"came\",\"processes\":") + decimalText(UInt64(answer.total))
        out += [UInt8](",\"running\":") + decimalText(UInt64(answer.running))
        out += [UInt8](",\"memoryTotal\":") + decimalText(UInt64(answer.memoryTotal))
        out += [UInt8](",\"memoryAvailable\":") + decimalText(UInt64(answer.memoryAvailable)) + [UInt8]("}")
      }
    }
    out += [UInt8]("],\"processes\":[")
    for (index, row) in rows(report).enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      append(row, to: &out)
    }
    return out + [UInt8]("]}\n")
  }

  private func append(_ row: Row, to out: inout [UInt8]) {
    let process = row.process
    func member(_ name: StaticString, _ value: [UInt8]) {
      out += [UInt8](",\"") + [UInt8](name) + [UInt8]("\":") + value
    }
    out += [UInt8]("{\"node\":\"") + idText(row.node) + [UInt8]("\"")
    member("pid", decimalText(UInt64(process.process)))
    member("uid", decimalText(UInt64(process.user)))
    member("priority", signedText(process.priority))
    member("nice", signedText(process.nice))
    member("virtual", decimalText(UInt64(process.virtual)))
    member("resident", decimalText(UInt64(process.resident)))
    member("shared", decimalText(UInt64(process.shared)))
    member("state", quoted([process.state]))
    member("cpu", fraction(UInt64(process.cpu), digits: 1))
    member("time", fraction(UInt64(process.time), digits: 2))
    member("command", quoted(process.name))
    out.append(UInt8(ascii: "}"))
  }

  /// Whatever is not printable ASCII is a question mark, as on the screen.
  private func quoted(_ text: [UInt8]) -> [UInt8] {
    var out = [UInt8(ascii: "\"")]
    for byte in text {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
      out.append((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
    }
    return out + [UInt8(ascii: "\"")]
  }
}
