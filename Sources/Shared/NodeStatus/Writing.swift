import Addresses
import Bytes

extension NodeStatus {
  /// The status as one line of JSON (RFC 8259), its line feed included.
  public var json: [UInt8] {
    var json = JSONText()
    json.object { json in
      json.member("node", idText(id))
      json.member("address", address.text)
      json.member("state", standing.word)
      if !obstacle.isEmpty { json.member("waits", obstacle) }
      json.member("cluster", hexadecimalText(cluster))
      json.member("fingerprint", hexadecimalText(fingerprint))
      json.member("canApprove", flag: mayApprove)
      json.member("encrypted", flag: isEncrypted)
      json.array("nodes", of: nodes) { json, node in json.object { node.write(to: &$0) } }
      json.array("tunnels", of: tunnels) { json, tunnel in json.object { tunnel.write(to: &$0) } }
      json.object("refused") { json in
        for counter in refused { json.member(named: counter.name, number: counter.count) }
      }
      if let packets = refusedPackets {
        json.object("refusedPackets") { json in
          json.member("late", number: packets.late)
          json.member("replayed", number: packets.replayed)
          json.member("unproven", number: packets.unproven)
        }
      }
      json.member("deaths", number: UInt64(deaths))
      json.array("short", of: shortages) { json, text in json.string(text) }
      json.array("kept", of: kept) { json, kept in json.object { kept.write(to: &$0) } }
      if let besideServer { json.member("beside", besideServer.text) }
      if let boots { json.array("boots", of: boots) { json, boot in json.object { boot.write(to: &$0) } } }
    }
    return json.bytes + [UInt8]("\n")
  }
}

extension NodeStatus.Node {
  fileprivate func write(to json: inout JSONText) {
    json.member("id", idText(id))
    json.member("address", address == .unspecified ? [] : address.text)
    json.member("state", state.word)
    json.member("fingerprint", hexadecimalText(fingerprint))
    json.member("canApprove", flag: mayApprove)
  }
}

extension NodeStatus.Tunnel {
  fileprivate func write(to json: inout JSONText) {
    json.member("address", address.text)
    json.member("spiIn", spiText(inboundSPI))
    json.member("spiOut", spiText(outboundSPI))
    json.member("rekeys", number: rekeys)
  }

  private func spiText(_ spi: UInt32) -> [UInt8] {
    var octets: [UInt8] = []
    octets.append(networkOrder: spi)
    return [UInt8]("0x") + hexadecimalText(octets)
  }
}

extension NodeStatus.KeptAddress {
  fileprivate func write(to json: inout JSONText) {
    json.member("address", address.text)
    json.member("seconds", number: seconds)
  }
}

extension NodeStatus.Boot {
  fileprivate func write(to json: inout JSONText) {
    json.member("mac", hardware.text)
    json.member("address", address.text)
    json.member("file", file)
    json.member("percent", number: percent)
    json.member("completed", number: completed)
  }
}
