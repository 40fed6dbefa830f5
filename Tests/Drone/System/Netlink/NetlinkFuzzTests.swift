import Addresses
import Netlink
import TestSupport
import Testing

@Suite struct NetlinkFuzzTests {
  /// Datagrams as the kernel sends them, each of several messages.
  private static let samples: [[UInt8]] = {
    guard let mask = Netmask(prefixLength: 24) else { return [] }
    let address = InterfaceAddress(
      interface: 2, address: IPv4Address(192, 168, 1, 21), mask: mask,
      broadcast: IPv4Address(192, 168, 1, 255), label: Array("eth0".utf8))
    let route = Route.standard(gateway: IPv4Address(192, 168, 1, 1), interface: 2, metric: 5)
    let requests: [NetlinkRequest] = [
      .setLink(index: 2, up: true), .setLink(index: 2, mtu: 1400), .add(address), .remove(address), .replace(route),
      .remove(route), .listLinks,
    ]
    let messages = requests.map { $0.encoded(sequence: 7) }
    // An error answer (type 2) that explains itself: flags 0x200, error -22, the request's header, a text attribute.
    var refusal = NetlinkRequest(type: 2, flags: [], body: MessageBody([0xEA, 0xFF, 0xFF, 0xFF])).encoded(sequence: 7)
    refusal += messages[0].prefix(16)
    refusal[7] = 2
    refusal += [12, 0, 1, 0] + Array("refused\0".utf8)
    refusal[0] = UInt8(refusal.count)
    return messages + [messages.flatMap(\.self), refusal, messages[2] + refusal + messages[4]]
  }()

  @Test("any datagram gives messages that lie within it, or an error")
  func everyDatagram() {
    let fault = Fuzzing.configured.firstFault { generator in
      let sample = NetlinkFuzzTests.samples.randomElement(using: &generator) ?? []
      let datagram = sample.damaged(&generator)
      return self.fault(in: datagram).map { "\($0) for \(datagram)" }
    }
    #expect(fault == nil)
  }

  private func fault(in datagram: [UInt8]) -> String? {
    guard let messages = try? NetlinkMessage.list(in: datagram) else { return nil }
    var position = 0
    for message in messages {
      let payload = message.payload
      if payload.startIndex < position + 16 || payload.endIndex > datagram.count { return "a payload out of place" }
      position = payload.endIndex
      _ = try? NetlinkReply(message)
      _ = try? RouteMessage(message)
      for start in [0, 4, 8, 12, 16] {
        guard let attributes = try? Attribute.list(in: payload.dropFirst(start)) else { continue }
        for attribute in attributes where !attribute.value.isEmpty {
          let value = attribute.value
          if value.startIndex < payload.startIndex || value.endIndex > payload.endIndex {
            return "a value out of place"
          }
          _ = try? attribute.nested()
          _ = try? attribute.address()
          _ = try? attribute.native32()
          _ = try? attribute.bigEndian64()
        }
      }
    }
    return nil
  }
}
