import Addresses
import Addressing
import TestSupport
import Testing

@Suite struct AddressingFuzzTests {
  private static let hardware = MACAddress(octets: [0x52, 0x54, 0, 0x12, 0x34, 0x56]) ?? .zero
  private static let address = IPv4Address(192, 168, 1, 21)

  private static let reply: BOOTPMessage = {
    var message = BOOTPMessage(operation: .reply, transaction: 0xCAFE, clientHardware: hardware)
    message.yourAddress = address
    message.serverAddress = IPv4Address(192, 168, 1, 2)
    let extensions: [VendorExtension?] = [
      VendorExtension(.subnetMask, [255, 255, 255, 0]), VendorExtension(.routers, [192, 168, 1, 1, 192, 168, 1, 254]),
      VendorExtension(.nameServers, [8, 8, 8, 8]), VendorExtension(.hostName, Array("drone1".utf8)),
      VendorExtension(.domain, Array("lab.example\0".utf8)), VendorExtension(.timeServers, [192, 168, 1, 3]),
      VendorExtension(.mtu, [5, 120]), VendorExtension(.overload, [3]), VendorExtension(.bootFile, Array("x".utf8)),
    ]
    message.extensions = extensions.compactMap(\.self)
    return message
  }()

  private static func datagram(_ payload: [UInt8]) -> [UInt8]? {
    UDPDatagram(
      source: IPv4Address(192, 168, 1, 2), destination: .broadcast, sourcePort: BOOTPMessage.serverPort,
      destinationPort: BOOTPMessage.clientPort, payload: payload
    )?.ipv4
  }

  @Test("any frame gives a packet or none, never a trap")
  func frames() {
    let packets = [
      ARPPacket.probe(AddressingFuzzTests.address, by: AddressingFuzzTests.hardware),
      ARPPacket.reverseRequest(by: AddressingFuzzTests.hardware),
    ]
    let bootp = EthernetFrame(
      destination: .broadcast, source: AddressingFuzzTests.hardware, type: .ipv4,
      payload: AddressingFuzzTests.datagram(AddressingFuzzTests.reply.bytes) ?? [])
    let samples = packets.map(\.broadcastFrame.bytes) + [bootp.bytes]
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = samples.randomElement(using: &generator).map { $0.damaged(&generator) } ?? []
      guard let frame = EthernetFrame(bytes) else { return bytes.count < 14 ? nil : "no frame for \(bytes)" }
      if !frame.bytes.starts(with: bytes) { return "a frame that became another: \(bytes)" }
      if let packet = ARPPacket(frame: frame), !frame.payload.starts(with: packet.bytes) {
        return "an ARP packet that became another: \(bytes)"
      }
      if let message = BOOTPMessage(frame: frame) { return self.fault(in: message).map { "\($0): \(bytes)" } }
      return nil
    }
    #expect(fault == nil)
  }

  @Test("whatever a stranger sends, an address that stands is kept, and answers are rare")
  func standing() {
    let address = AddressingFuzzTests.address
    let other = MACAddress(octets: [2, 0, 0, 0, 0, 11]) ?? .zero
    let samples = [ARPPacket.announcement(address, by: other), .probe(address, by: other)].map(\.broadcastFrame.bytes)
    let fault = Fuzzing.configured.firstFault { generator in
      var watch = AddressWatch(address, hardware: AddressingFuzzTests.hardware, hasHeard: true, start: 0)
      _ = watch.step(at: 3000)
      var now: UInt64 = 3000
      var defence: UInt64?
      for _ in 0..<20 {
        now += UInt64.random(in: 0...6000, using: &generator)
        let whole = samples.randomElement(using: &generator) ?? []
        let bytes = UInt8.random(in: 0..<4, using: &generator) == 0 ? whole.damaged(&generator) : whole
        for command in watch.receive(bytes, at: now) {
          switch command {
          case .yield: return "given up for \(bytes)"
          case .send:
            if let defence, now - defence < 10_000 { return "two defences, \(defence) and \(now)" }
            defence = now
          case .report: break
          }
        }
      }
      return watch.step(at: now).isEmpty && watch.nextDue == nil ? nil : "something to do at \(now)"
    }
    #expect(fault == nil)
  }

  @Test("any BOOTP reply gives a configuration that can be used, or none")
  func replies() {
    let sample = AddressingFuzzTests.reply.bytes
    let fault = Fuzzing.configured.firstFault { generator in
      // Most faults in the long empty fields change nothing: aim at what is read.
      var bytes = UInt8.random(in: 0..<2, using: &generator) == 0 ? sample.damaged(&generator) : sample
      if bytes.count > 240 { bytes.replaceSubrange(240..., with: [UInt8](bytes[240...]).damaged(&generator)) }
      guard let message = BOOTPMessage(bytes) else { return nil }
      return self.fault(in: message).map { "\($0): \(bytes)" }
    }
    #expect(fault == nil)
  }

  @Test("a datagram comes out as it was put in, and a damaged one is no trap")
  func datagrams() {
    let fault = Fuzzing.configured.firstFault { generator in
      let payload = AddressingFuzzTests.reply.bytes.damaged(&generator)
      guard let packet = AddressingFuzzTests.datagram(payload) else {
        return payload.count > 1472 ? nil : "no datagram"
      }
      if UDPDatagram(ipv4: packet)?.payload != payload { return "a payload that changed: \(payload)" }
      let damaged = packet.damaged(&generator)
      if let datagram = UDPDatagram(ipv4: damaged), datagram.payload.count + 28 > damaged.count {
        return "more payload than packet: \(damaged)"
      }
      return nil
    }
    #expect(fault == nil)
  }

  @Test("whatever the environment of a lease holds, the record is one short line that says the same")
  func leases() {
    let mutator = Mutator([
      "eth0", "192.168.1.21", "10.0.0.1", "255.255.255.0", "24", " ", ",", "\n", "\0", "drone1", "lab.example",
      "$(reboot)",
      "ip=1.2.3.4", "=", "é", "0", "127.0.0.1", String(repeating: "x", count: 90), "%", "20", "0.0.0.0/0 ",
      "10.0.0.0/8 192.168.1.1", "192.168.1.1/32 0.0.0.0 ", "1400", "65535",
    ])
    let events = ["bound", "renew", "deconfig", "nak", "leasefail", "other"].map { Array($0.utf8) }
    let fault = Fuzzing.configured.firstFault { generator in
      let event = events.randomElement(using: &generator) ?? []
      var values: [[UInt8]] = []
      for _ in 0..<13 { values.append(mutator.bytes(&generator, pieces: 0...5)) }
      let names: [StaticString] = [
        "interface", "ip", "mask", "subnet", "router", "serverid", "dns", "ntpsrv", "hostname", "domain",
        "staticroutes", "msstaticroutes", "mtu",
      ]
      var environment: [String: [UInt8]] = [:]
      for (name, value) in zip(names, values) { environment["\(name)"] = value }
      // Half of the cases have what a lease cannot do without.
      if UInt8.random(in: 0..<2, using: &generator) == 0 {
        environment["interface"] = Array("eth0".utf8)
        environment["ip"] = Array("192.168.1.21".utf8)
      }
      guard let lease = LeaseEvent(event: event, variable: { environment["\($0)"] }) else { return nil }
      let record = lease.record
      if record.count >= 4096 { return "a record of \(record.count) bytes: \(environment)" }
      if !record.dropLast().allSatisfy({ (0x20...0x7E).contains($0) }) || record.last != 0x0A {
        return "no line: \(record)"
      }
      guard let again = LeaseEvent(record: record) else { return "a record that cannot be read: \(record)" }
      if again != lease { return "a lease that became another: \(record)" }
      if case .bound(let configuration) = lease.kind, !isConsistent(configuration) { return "no way: \(configuration)" }
      return nil
    }
    #expect(fault == nil)
  }

  /// Every gateway among the routes can be reached by those before it.
  private func isConsistent(_ configuration: AddressConfiguration) -> Bool {
    var links = [(configuration.address, configuration.effectiveNetmask)]
    for route in configuration.reachableRoutes {
      guard let gateway = route.gateway else {
        links.append((route.network, route.mask))
        continue
      }
      if gateway == configuration.address || !links.contains(where: { $1?.sameNetwork(gateway, $0) == true }) {
        return false
      }
    }
    return true
  }

  private func fault(in message: BOOTPMessage) -> String? {
    guard let configuration = message.configuration else { return nil }
    let addresses = [configuration.address] + [configuration.gateway, configuration.server].compactMap(\.self)
    let all = addresses + configuration.nameServers + configuration.timeServers
    if !all.allSatisfy(\.isHostAddress) { return "an address that no host has" }
    if BOOTPMessage(message.bytes) != message { return "a message that became another" }
    return nil
  }
}
