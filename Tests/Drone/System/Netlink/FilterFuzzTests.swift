import Addresses
import Netlink
import PacketFilter
import TestSupport
import Testing

/// Damaged datagrams of every kind, the packet filter's too, and what their parts mean.
@Suite struct FilterFuzzTests {
  /// What requests of all kinds look like, and so what answers look like.
  private static let samples: [[UInt8]] = {
    let address = InterfaceAddress(
      interface: 2, address: IPv4Address(192, 168, 1, 21), mask: .host, broadcast: .broadcast,
      label: Array("eth0".utf8),
      origin: 1)
    var route = Route.standard(gateway: IPv4Address(192, 168, 1, 1), interface: 2, metric: 9)
    route.table = 1000
    var link = MessageBody([0, 0, 1, 0, 2, 0, 0, 0, 67, 16, 1, 0, 0, 0, 0, 0])
    link.attribute(1, [0x52, 0x54, 0, 0x12, 0x34, 0x56])
    link.attribute(3, text: Array("eth0".utf8))
    link.attribute(4, native: 1500)
    link.attribute(16, [6])
    var failure = MessageBody([0xEF, 0xFF, 0xFF, 0xFF, 16, 0, 0, 0, 16, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    failure.attribute(1, text: Array("File exists".utf8))
    let requests = [
      .add(address), .replace(route), NetlinkRequest(type: 16, flags: [], body: link),
      NetlinkRequest(type: 2, flags: MessageFlags(rawValue: 0x200), body: failure),
      NetlinkRequest(type: 3, flags: .multipart, body: MessageBody([0, 0, 0, 0])),
    ]
    var batch = FilterBatch()
    batch.replace(.drone)
    batch.add(
      FilterSet(name: "s", kind: .address, flags: .timeout, timeout: 5, capacity: 9, elements: [[1, 2, 3, 4]]), to: "t")
    batch.append(
      FilterRule([
        .range(from: [0], to: [9]), .update(set: "s", timeout: 1), .counter(), .verdict(.jump("c")),
        .verdict(.goto("d")),
      ]), to: "c", of: "t")
    let cluster = FilterBatch.droneFilter(.initial, tableExists: true).requests
    return (requests + batch.requests + cluster).map { $0.encoded(sequence: 1) }
  }()

  @Test("any datagram gives messages or an error, and every part that it gives can be used")
  func everyDatagram() {
    let fault = Fuzzing.configured.firstFault { generator in
      let datagram = FilterFuzzTests.datagram(&generator)
      let messages: [NetlinkMessage]
      do throws(NetlinkParseError) {
        messages = try NetlinkMessage.list(in: datagram)
      } catch {
        return error.text.isEmpty ? "an error without words for \(datagram)" : nil
      }
      if messages.count > datagram.count / 16 { return "more messages than bytes for \(datagram)" }
      for message in messages {
        _ = try? NetlinkReply(message)
        _ = try? FilterMessage(message)
        guard let route = try? RouteMessage(message) else { continue }
        if let fault = self.fault(in: route) { return "\(fault) for \(datagram)" }
      }
      return nil
    }
    #expect(fault == nil)
  }

  @Test("what was read can be asked for and is read again as it was")
  func again() {
    let fault = Fuzzing.configured.firstFault { generator in
      let datagram = FilterFuzzTests.datagram(&generator)
      guard let first = try? NetlinkMessage.list(in: datagram).first, let route = try? RouteMessage(first) else {
        return nil
      }
      let request: NetlinkRequest
      switch route {
      case .address(let address): request = .add(address)
      case .route(let route): request = .replace(route)
      default: return nil
      }
      guard let message = try? NetlinkMessage.list(in: request.encoded(sequence: 1)).first else { return "nothing" }
      let second = try? RouteMessage(message)
      return second == route ? nil : "\(route) became \(String(describing: second)) for \(datagram)"
    }
    #expect(fault == nil)
  }

  @Test("any list of a machine's rules is judged, however damaged")
  func hostRules() {
    let host = FilterBatch.hostFilter().requests.map { $0.encoded(sequence: 1) }
    let fault = Fuzzing.configured.firstFault { generator in
      var rules = HostRules()
      for _ in 0..<6 {
        let message = host.randomElement(using: &generator) ?? []
        let damaged = Int.random(in: 0..<4, using: &generator) == 0 ? message.damaged(&generator) : message
        for read in (try? NetlinkMessage.list(in: damaged)) ?? [] { rules.add(read) }
      }
      for obstacle in rules.obstacles() where obstacle.text.isEmpty { return "an obstacle without words" }
      return nil
    }
    #expect(fault == nil)
  }

  /// One or two samples, with up to three places damaged; lengths are damaged more often than chance would.
  private static func datagram(_ generator: inout SeededGenerator) -> [UInt8] {
    var out = samples.randomElement(using: &generator) ?? []
    if Bool.random(using: &generator) { out += samples.randomElement(using: &generator) ?? [] }
    for _ in 0..<Int.random(in: 0...3, using: &generator) where !out.isEmpty {
      let index = Int.random(in: 0..<out.count, using: &generator)
      switch UInt8.random(in: 0..<6, using: &generator) {
      case 0: out[index] = UInt8.random(in: 0...255, using: &generator)
      case 1: out[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2: out.removeLast(out.count - index)
      case 3: out[index & ~3] = UInt8.random(in: 0...40, using: &generator)
      case 4: out[0] = UInt8.random(in: 0...255, using: &generator)
      default: out.insert(contentsOf: out[index...].prefix(20), at: index & ~3)
      }
    }
    return out
  }

  private func fault(in message: RouteMessage) -> String? {
    switch message {
    case .link(let link), .linkRemoved(let link):
      link.name.contains(0) ? "a name with a zero" : nil
    case .address(let address), .addressRemoved(let address):
      address.mask.prefixLength > 32 || address.label.contains(0) ? "an impossible address" : nil
    case .route(let route), .routeRemoved(let route):
      route.mask.prefixLength > 32 ? "an impossible route" : nil
    case .other: nil
    }
  }
}
