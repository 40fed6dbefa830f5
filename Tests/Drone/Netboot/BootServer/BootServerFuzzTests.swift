import Addresses
import Addressing
import BootServer
import TestSupport
import Testing

/// A server that everybody on the network may talk to: whatever comes, in whatever order.
@Suite struct BootServerFuzzTests {
  private static let own = IPv4Address(192, 168, 1, 11)
  private static let card = MACAddress(octets: [0x52, 0x54, 0, 0, 0, 0x11]) ?? .zero

  private static var network: ServedNetwork? {
    Netmask(prefixLength: 24).flatMap { try? ServedNetwork(own: own, netmask: $0) }
  }

  private static let questions: [[UInt8]] = (UInt8(0)...9).map { (type: UInt8) -> [UInt8] in
    var message = BOOTPMessage(
      operation: .request, transaction: 7, clientHardware: MACAddress(octets: [2, 0, 0, 0, 0, type]) ?? .zero)
    let extensions: [VendorExtension?] = [
      type == 0 ? nil : VendorExtension(.messageType, [type]),
      VendorExtension(.requestedAddress, [192, 168, 1, 100]),
      type % 2 == 0 ? VendorExtension(.serverIdentifier, own.octets) : nil,
      VendorExtension(.vendorClass, Array("PXEClient:Arch:00000".utf8)),
      VendorExtension(.parameterList, [1, 3, 66, 67]), VendorExtension(.architecture, [0, 0]),
      VendorExtension(.clientIdentifier, [UInt8](repeating: type, count: Int(type) * 28)),
      type % 3 == 0 ? VendorExtension(.overload, [3]) : nil,
    ]
    message.extensions = extensions.compactMap(\.self)
    if type > 5 { message.clientAddress = IPv4Address(192, 168, 1, 100) }
    return message.bytes
  }

  @Test(
    "any messages and ARP frames leave the DHCP server within its bounds, and it gives away nothing but its own range")
  func addresses() throws {
    let network = try #require(Self.network)
    let announcement = ARPPacket.announcement(IPv4Address(192, 168, 1, 100), by: Self.card).broadcastFrame.bytes
    let fault = Fuzzing.lives(of: 8).firstFault { generator in
      var server = DHCPServer(network, hardware: Self.card)
      var now: UInt64 = 0
      for _ in 0..<8 {
        now += UInt64.random(in: 0...400_000, using: &generator)
        var commands: [DHCPServer.Command]
        if UInt8.random(in: 0..<6, using: &generator) == 0 {
          commands = server.receive(arp: announcement.damaged(&generator), at: now)
        } else {
          let question = Self.questions.randomElement(using: &generator) ?? []
          let sender = [IPv4Address.unspecified, IPv4Address(192, 168, 1, 100), IPv4Address(10, 0, 0, 1)]
            .randomElement(using: &generator)
          commands = server.receive(
            Bool.random(using: &generator) ? question : question.damaged(&generator), from: sender ?? .unspecified,
            at: now)
        }
        var steps = 0
        while let due = server.nextDue, steps < 100 {
          now = max(now, due)
          commands += server.step(at: now)
          steps += 1
        }
        if steps == 100 { return "it never comes to rest" }
        for case .message(_, let address) in commands where !network.contains(address) {
          return "it sent to \(address)"
        }
        for case .frame(let bytes) in commands {
          guard let frame = EthernetFrame(bytes), frame.type == .ipv4 else { continue }
          guard let message = BOOTPMessage(frame: frame) else { return "a frame that is no reply: \(bytes)" }
          let given = message.yourAddress
          if given != .unspecified, !network.contains(given) || given == Self.own { return "it gave \(given)" }
        }
      }
      return nil
    }
    #expect(fault == nil)
  }

  @Test("any messages get from a ProxyDHCP server at most one answer each, no address, and nothing for another network")
  func proxy() throws {
    let network = try #require(Self.network)
    let fault = Fuzzing.lives(of: 8).firstFault { generator in
      var server = ProxyDHCPServer(network, hardware: Self.card)
      var now: UInt64 = 0
      for _ in 0..<8 {
        now += UInt64.random(in: 0...400_000, using: &generator)
        let sample = Self.questions.randomElement(using: &generator) ?? []
        let question = Bool.random(using: &generator) ? sample : sample.damaged(&generator)
        let sender =
          [IPv4Address.unspecified, IPv4Address(192, 168, 1, 100), IPv4Address(10, 0, 0, 1)]
          .randomElement(using: &generator) ?? .unspecified
        let commands =
          Bool.random(using: &generator)
          ? server.receive(question, from: sender, at: now)
          : server.receive(request: question, from: sender, port: 68, at: now)
        let isROM = BOOTPMessage(question)?.value(of: .vendorClass)?.starts(with: Array("PXEClient".utf8)) == true
        if !commands.isEmpty, !isROM { return "it answered who is no boot ROM" }
        var answers = 0
        for command in commands {
          var reply: BOOTPMessage?
          switch command {
          case .frame(let bytes): reply = EthernetFrame(bytes).flatMap(BOOTPMessage.init(frame:))
          case .message(let bytes, let address), .answer(let bytes, let address, _):
            if !network.contains(address) { return "it sent to \(address)" }
            reply = BOOTPMessage(bytes)
          case .news: continue
          }
          answers += 1
          guard let reply, reply.operation == .reply else { return "no reply" }
          if reply.yourAddress != .unspecified { return "it gave \(reply.yourAddress)" }
        }
        if answers > 1 { return "\(answers) answers" }
      }
      return nil
    }
    #expect(fault == nil)
  }

  @Test("any frames leave a watch in a role that can be, and with its next search to come")
  func watch() throws {
    let network = try #require(Self.network)
    let fault = Fuzzing.lives(of: 8).firstFault { generator in
      var watch = ServerWatch(.alone, on: network, hardware: Self.card, random: 7, start: 0)
      for _ in 0..<8 {
        let now = watch.nextDue
        var commands = watch.step(at: now)
        for case .send(let question) in commands {
          guard let asked = EthernetFrame(question).flatMap({ UDPDatagram(ipv4: $0.payload) }) else { continue }
          guard var offer = BOOTPMessage(asked.payload) else { continue }
          offer.operation = .reply
          offer.yourAddress = IPv4Address(192, 168, 1, 100)
          let datagram = UDPDatagram(
            source: IPv4Address(192, 168, 1, 2), destination: .broadcast, sourcePort: 67, destinationPort: 68,
            payload: offer.bytes)
          let answer = EthernetFrame(
            destination: .broadcast, source: Self.card, type: .ipv4, payload: datagram?.ipv4 ?? []
          ).bytes
          commands += watch.receive(Bool.random(using: &generator) ? answer.damaged(&generator) : answer, at: now)
        }
        for case .become(.beside(let server)) in commands where !server.isHostAddress {
          return "beside \(server)"
        }
        if watch.nextDue < now { return "its time has gone" }
      }
      return nil
    }
    #expect(fault == nil)
  }

  @Test("any frames leave a search with a server that can be one, or going on to its end")
  func search() {
    var offer = BOOTPMessage(operation: .reply, transaction: 7, clientHardware: Self.card)
    offer.add(.messageType, [2])
    offer.add(.serverIdentifier, [192, 168, 1, 1])
    let datagram = UDPDatagram(
      source: IPv4Address(192, 168, 1, 2), destination: .broadcast, sourcePort: 67, destinationPort: 68,
      payload: offer.bytes)
    let sample = EthernetFrame(destination: Self.card, source: Self.card, type: .ipv4, payload: datagram?.ipv4 ?? [])
      .bytes
    let fault = Fuzzing.configured.firstFault { generator in
      var search = ServerSearch(hardware: Self.card, transaction: 7, start: 0)
      for case .yield(let server, _) in search.receive(sample.damaged(&generator)) {
        if !server.isHostAddress, server != IPv4Address(192, 168, 1, 2) { return "\(server) is no server" }
        if search.nextDue != nil { return "it goes on" }
      }
      var steps = 0
      while let due = search.nextDue, steps < 10 {
        _ = search.step(at: due)
        steps += 1
      }
      return steps < 10 ? nil : "it never ends"
    }
    #expect(fault == nil)
  }

  @Test("any packets leave the TFTP server within its bounds, and it never reads beyond a file")
  func transfers() throws {
    let network = try #require(Self.network)
    let size = 3000
    func request(_ words: [String]) -> [UInt8] { [0, 1] + words.flatMap { Array($0.utf8) + [0] } }
    let packets: [[UInt8]] = [
      request(["chaos/bzImage", "octet"]), request(["chaos/bzImage", "octet", "blksize", "1408", "tsize", "0"]),
      request(["pxelinux.0", "netascii", "timeout", "3"]),
      request(["chaos/bzImage", "octet", "blksize", "64", "windowsize", "16"]), [0, 2, 65, 0, 66, 0], [0, 4, 0, 0],
      [0, 4, 0, 1],
      [0, 4, 0, 2],
      [0, 5, 0, 8, 0], [0, 3, 0, 1, 1],
    ]
    let fault = Fuzzing.lives(of: 12).firstFault { generator in
      var server = TFTPServer(network, files: [.init(Array("chaos/bzImage".utf8), size: size)], ports: 3)
      var beyond = false
      func read(_ file: Int, _ offset: Int, _ count: Int) -> [UInt8]? {
        if file != 0 || offset < 0 || count < 0 || offset + count > size { beyond = true }
        return [UInt8](repeating: 1, count: max(count, 0))
      }
      var now: UInt64 = 0
      for _ in 0..<12 {
        now += UInt64.random(in: 0...3000, using: &generator)
        let packet = packets.randomElement(using: &generator) ?? []
        let bytes = Bool.random(using: &generator) ? packet : packet.damaged(&generator)
        let peer = TFTPServer.Peer(
          IPv4Address(192, 168, 1, UInt8.random(in: 100...102, using: &generator)), port: 2000)
        let port = Int.random(in: -1...3, using: &generator)
        var commands =
          port < 0
          ? server.receive(request: bytes, from: peer, at: now, read: read)
          : server.receive(bytes, on: port, from: peer, at: now, read: read)
        if let due = server.nextDue, due <= now { commands += server.step(at: now, read: read) }
        for command in commands {
          switch command {
          case .send(let bytes, _, let port):
            if bytes.count > 1472 || !(0..<3).contains(port) { return "\(bytes.count) bytes from port \(port)" }
          case .answer, .news: break
          }
        }
        if beyond { return "it read beyond the file" }
      }
      return nil
    }
    #expect(fault == nil)
  }

  @Test(
    "whatever the network loses and copies, a client has every byte in its place, and without silence at most two blocks are sent for each"
  )
  func windows() {
    let fault = Fuzzing.lives(of: 100).firstFault { generator in
      let window = Int.random(in: 1...16, using: &generator)
      guard var transfer = try? WindowTransfer(size: 8 * 90 + 5, blockSize: 8, window: window) else {
        return "no transfer"
      }
      let (loss, copies) = (Int.random(in: 0...20, using: &generator), Int.random(in: 0...20, using: &generator))
      transfer.run(until: 5000) { _, _ in
        let number = Int.random(in: 0..<100, using: &generator)
        return number < loss ? 0 : number < loss + copies ? 2 : 1
      }
      if transfer.server.nextDue != nil { return "it goes on after \(transfer.packets) packets" }
      let most = 2 * 92 + (window + 1) * (transfer.timeouts + 1)
      if transfer.packets > most {
        return "\(transfer.packets) packets, \(transfer.timeouts) timeouts, window \(window)"
      }
      return transfer.client.isDone && !transfer.client.content.elementsEqual((0..<725).map(WindowTransfer.byte))
        ? "a wrong byte" : nil
    }
    #expect(fault == nil)
  }

  @Test("any line of news is read as what it says, or not at all")
  func news() {
    let lines = [
      "leased 52:54:00:00:00:01 192.168.1.100 rom", "sent 192.168.1.100 40 chaos/bzImage", "broken 192.168.1.100 a",
      "note something", "ready", "role alone", "role 192.168.1.1", "known 52:54:00:00:00:01 192.168.1.100",
      "public 1024 \(String(repeating: "a5", count: 32))\n",
    ].map { Array($0.utf8) }
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = lines.randomElement(using: &generator).map { $0.damaged(&generator) } ?? []
      if let news = BootNews(line: bytes), BootNews(line: [UInt8](news.line.dropLast())) != news { return "\(bytes)" }
      if let known = KnownAddress(line: bytes), KnownAddress(line: [UInt8](known.line.dropLast())) != known {
        return "\(bytes)"
      }
      if let part = PublicPart(text: bytes), PublicPart(text: part.text) != part { return "\(bytes)" }
      return nil
    }
    #expect(fault == nil)
  }
}
