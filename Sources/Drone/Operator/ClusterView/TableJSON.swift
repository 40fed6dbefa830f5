import Addresses
import Bytes
import DroneLayout

extension ClusterTable {
  /// The table as one line of JSON (RFC 8259), for programs: every node with its state, in the order of ids. Loads are in
  /// programs, memory in MiB, times in seconds, speeds in MHz.
  public var json: [UInt8] {
    var out = [UInt8]("{\"node\":\"")
    appendID(own, to: &out)
    out += [UInt8]("\",\"state\":\"") + [UInt8](standing.word) + [UInt8]("\",\"cluster\":\"")
    for byte in fingerprint { out += hexadecimalByte(byte) }
    out += [UInt8]("\",\"name\":\"")
    for byte in name {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
      out.append((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
    }
    out += [UInt8]("\",\"nodes\":[")
    var isFirst = true
    for node in sorted({ _ in true }) {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      append(node, to: &out)
    }
    out += [UInt8]("]}\n")
    return out
  }

  private func append(_ node: Node, to out: inout [UInt8]) {
    func number(_ name: StaticString, _ value: UInt64) {
      out += [UInt8](",\"") + [UInt8](name) + [UInt8]("\":")
      appendDecimal(value, to: &out)
    }
    out += [UInt8]("{\"id\":\"")
    appendID(node.id, to: &out)
    out += [UInt8]("\",\"address\":")
    if node.address == .unspecified {
      out += [UInt8]("null")
    } else {
      out += [UInt8]("\"") + node.address.text + [UInt8]("\"")
    }
    out += [UInt8](",\"state\":\"") + [UInt8](node.state.word) + [UInt8]("\"")
    number("cpus", UInt64(node.cpus))
    number("speed", UInt64(node.speed))
    number("load", UInt64(node.load / 100))
    out.append(UInt8(ascii: "."))
    out.append(UInt8(ascii: "0") + UInt8(node.load / 10 % 10))
    out.append(UInt8(ascii: "0") + UInt8(node.load % 10))
    number("memoryTotal", UInt64(node.memoryTotal))
    number("memoryFree", UInt64(node.memoryFree))
    number("uptime", UInt64(node.uptime))
    out +=
      [UInt8](",\"version\":\"") + node.version.text + [UInt8]("\",\"isOwn\":") + [UInt8](node.isOwn ? "true" : "false")
    out += [UInt8](",\"canApprove\":") + [UInt8](node.mayApprove ? "true}" : "false}")
  }
}
