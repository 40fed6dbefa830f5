import Addresses
import Bytes
import DroneLayout
import NodeStatus

extension ClusterTable {
  /// The table as text.
  public var text: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(160 &+ nodes.count &* 80)
    out += [UInt8]("table ")
    appendDecimal(ClusterTable.version, to: &out)
    appendWord(UInt64(nodes.count), to: &out)
    out.append(space)
    appendID(own, to: &out)
    out.append(space)
    append(standing.word, to: &out)
    out.append(space)
    out += hexadecimalText(fingerprint)
    out.append(space)
    for byte in name.prefix(64) { out.append(printable(byte)) }
    out.append(newline)
    for node in nodes { append(node, to: &out) }
    return out
  }

  private func append(_ node: Node, to out: inout [UInt8]) {
    appendID(node.id, to: &out)
    out.append(space)
    if node.address == .unspecified {
      out.append(UInt8(ascii: "-"))
    } else {
      var shift: UInt32 = 32
      while shift > 0 {
        shift -= 8
        appendDecimal(UInt64(node.address.bits >> shift & 0xFF), to: &out)
        if shift > 0 { out.append(UInt8(ascii: ".")) }
      }
    }
    out.append(space)
    append(node.state.word, to: &out)
    appendWord(UInt64(node.cpus), to: &out)
    appendWord(UInt64(node.speed), to: &out)
    appendWord(UInt64(node.load), to: &out)
    appendWord(UInt64(node.memoryTotal), to: &out)
    appendWord(UInt64(node.memoryFree), to: &out)
    appendWord(UInt64(node.uptime), to: &out)
    out.append(space)
    out += node.version.text
    out.append(space)
    if node.isOwn { out.append(UInt8(ascii: "o")) }
    if node.mayApprove { out.append(UInt8(ascii: "a")) }
    if !node.isOwn && !node.mayApprove { out.append(UInt8(ascii: "-")) }
    out.append(newline)
  }

  private func append(_ word: StaticString, to out: inout [UInt8]) { word.withUTF8Buffer { out += $0 } }

  private func appendWord(_ number: UInt64, to out: inout [UInt8]) {
    out.append(space)
    appendDecimal(number, to: &out)
  }
}

let space = UInt8(ascii: " ")
let newline = UInt8(ascii: "\n")
