import Addresses
import Bytes
import DroneLayout
import NodeStatus

extension ClusterTable {
  /// The table as one line of JSON (RFC 8259), for programs: every node with its state, in the order of ids. Loads are in
  /// programs, memory in MiB, times in seconds, speeds in MHz.
  public var json: [UInt8] {
    var json = JSONText()
    json.object { json in
      json.member("node", idText(own))
      json.member("state", standing.word)
      json.member("cluster", hexadecimalText(fingerprint))
      json.member("name", name)
      json.array("nodes", of: sorted { _ in true }) { json, node in json.object { node.write(to: &$0) } }
    }
    return json.bytes + [UInt8]("\n")
  }
}

extension ClusterTable.Node {
  fileprivate func write(to json: inout JSONText) {
    json.member("id", idText(id))
    if address == .unspecified { json.null("address") } else { json.member("address", address.text) }
    json.member("state", state.word)
    json.member("cpus", number: UInt64(cpus))
    json.member("speed", number: UInt64(speed))
    json.member("load", hundredths: UInt64(load))
    json.member("memoryTotal", number: UInt64(memoryTotal))
    json.member("memoryFree", number: UInt64(memoryFree))
    json.member("uptime", number: UInt64(uptime))
    json.member("version", version.text)
    json.member("isOwn", flag: isOwn)
    json.member("canApprove", flag: mayApprove)
  }
}
