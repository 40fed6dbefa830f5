import Addresses
import Addressing
import Testing

@testable import BootServer

private let own = IPv4Address(192, 168, 1, 11)
private let serverCard = mac(0x11)

func mac(_ last: UInt8) -> MACAddress {
  MACAddress(octets: [0x52, 0x54, 0, 0, 0, last] as [UInt8]) ?? .zero
}

func network(_ text: String = "192.168.1.11", prefix: UInt8 = 24, range: String? = nil) throws -> ServedNetwork {
  try ServedNetwork(
    own: #require(IPv4Address(text: Array(text.utf8))), netmask: #require(Netmask(prefixLength: prefix)),
    range: range.flatMap { AddressRange(text: Array($0.utf8)) })
}

/// A client's message with a DHCP type; 0 for BOOTP.
private func question(_ type: UInt8, from client: MACAddress, _ change: (inout BOOTPMessage) -> Void = { _ in })
  -> [UInt8]
{
  var message = BOOTPMessage(operation: .request, transaction: 0x1234_5678, clientHardware: client)
  if type != 0 { message.add(.messageType, [type]) }
  change(&message)
  return message.bytes
}

/// What a frame to a client says, and where it goes.
private func reply(_ command: DHCPServer.Command) -> (message: BOOTPMessage, destination: MACAddress)? {
  guard case .frame(let bytes) = command, let frame = EthernetFrame(bytes), let message = BOOTPMessage(frame: frame)
  else { return nil }
  return (message, frame.destination)
}

/// Asks, lets the probes pass, and gives the first reply.
private func answer(
  _ server: inout DHCPServer, _ payload: [UInt8], at start: UInt64 = 0
) -> (message: BOOTPMessage, destination: MACAddress)? {
  var commands = server.receive(payload, at: start)
  while let due = server.nextDue { commands += server.step(at: due) }
  return commands.compactMap(reply).first
}

@Suite struct DHCPServerTests {
  private func server(_ range: String? = nil) throws -> DHCPServer {
    DHCPServer(try network(range: range), hardware: serverCard)
  }

  @Test(
    "a boot ROM that discovers is probed for, offered an address, and given it when it asks; each byte has its place")
  func boot() throws {
    var server = try server("192.168.1.100-192.168.1.100")
    let discover = question(1, from: mac(1)) {
      $0.add(.vendorClass, Array("PXEClient:Arch:00000:UNDI:002001".utf8))
      $0.add(.parameterList, [1, 3, 66, 67])
      $0.add(.architecture, [0, 0])
    }
    // Three ARP probes, and nothing else before they are over.
    var probes = 0
    var commands = server.receive(discover, at: 0)
    var time: UInt64 = 0
    while let due = server.nextDue {
      for case .frame(let bytes) in commands {
        let packet = try #require(EthernetFrame(bytes).flatMap(ARPPacket.init(frame:)))
        #expect(packet.target == IPv4Address(192, 168, 1, 100) && packet.sender == .unspecified)
        probes += 1
      }
      time = due
      commands = server.step(at: due)
    }
    #expect(probes == 3 && time == 300)
    guard case .frame(let offer) = commands.first else { return #expect(Bool(false), "no offer") }
    let expected: [UInt8] =
      [
        0x52, 0x54, 0, 0, 0, 1,  // to the client's card, which cannot answer ARP yet
        0x52, 0x54, 0, 0, 0, 0x11,  // from the server's
        0x08, 0x00,  // IPv4
        0x45, 0, 0x01, 0x48, 0, 0, 0x40, 0, 64, 17, 0xB5, 0xE5,  // 328 bytes, do not fragment, UDP, check sum
        192, 168, 1, 11, 192, 168, 1, 100,
        0, 67, 0, 68, 0x01, 0x34, 0, 0,  // ports, 308 bytes, the check sum is looked at below
        2, 1, 6, 0,  // reply, Ethernet, six bytes of address
        0x12, 0x34, 0x56, 0x78,  // the client's transaction
        0, 0, 0, 0,  // seconds, flags
        0, 0, 0, 0,  // ciaddr
        192, 168, 1, 100,  // yiaddr
        192, 168, 1, 11,  // siaddr: the TFTP server
        0, 0, 0, 0,  // giaddr
        0x52, 0x54, 0, 0, 0, 1,  // chaddr
      ] + [UInt8](repeating: 0, count: 10 + 64) + Array("pxelinux.0".utf8) + [UInt8](repeating: 0, count: 118) + [
        0x63, 0x82, 0x53, 0x63,  // cookie
        53, 1, 2,  // DHCPOFFER
        54, 4, 192, 168, 1, 11,  // server identifier
        51, 4, 0, 1, 0x51, 0x80,  // a day
        1, 4, 255, 255, 255, 0,  // mask
        66, 12,
      ] + Array("192.168.1.11".utf8) + [0, 67, 10] + Array("pxelinux.0".utf8) + [0, 255]  // a zero behind each name
      + [UInt8](repeating: 0, count: 10)  // up to the 300 bytes that a message has at least
    var shown = offer
    shown.replaceSubrange(40..<42, with: [0, 0])
    #expect(shown == expected)
    #expect(UDPDatagram(ipv4: Array(offer.dropFirst(14))) != nil, "its check sums are right")

    let request = question(3, from: mac(1)) {
      $0.add(.serverIdentifier, own.octets)
      $0.add(.requestedAddress, [192, 168, 1, 100])
      $0.add(.vendorClass, Array("PXEClient".utf8))
    }
    let given = server.receive(request, at: 600)
    #expect(given.compactMap(reply).first?.message.value(of: .messageType) == [5])
    #expect(given.contains(.news(.leased(mac(1), IPv4Address(192, 168, 1, 100), .rom))))
  }

  @Test("a card gets the same address whenever it asks, by DHCP and by BOOTP, also from a server that is new")
  func stable() throws {
    var server = try server()
    let first = try #require(answer(&server, question(1, from: mac(1)))?.message.yourAddress)
    #expect(server.network.canLease(first))
    #expect(answer(&server, question(0, from: mac(1)), at: 1000)?.message.yourAddress == first)
    // Known now, so that nobody has to wait for probes.
    let again = server.receive(question(1, from: mac(1)), at: 90_000)
    #expect(again.compactMap(reply).first?.message.yourAddress == first)
    var later = try self.server()
    #expect(answer(&later, question(1, from: mac(1)))?.message.yourAddress == first)
    #expect(answer(&later, question(1, from: mac(2)))?.message.yourAddress != first)
  }

  @Test("an address that somebody else has is not given away")
  func taken() throws {
    var server = try server("192.168.1.100-192.168.1.101")
    _ = server.receive(question(1, from: mac(1)), at: 0)
    var probed: IPv4Address?
    for index in [100, 101] as [UInt8] {
      let address = IPv4Address(192, 168, 1, index)
      let announcement = ARPPacket.announcement(address, by: mac(9)).broadcastFrame.bytes
      if probed == nil, !server.receive(arp: announcement, at: 10).isEmpty { probed = address }
    }
    let other = IPv4Address(192, 168, 1, probed == IPv4Address(192, 168, 1, 100) ? 101 : 100)
    var commands: [DHCPServer.Command] = []
    while let due = server.nextDue { commands += server.step(at: due) }
    #expect(commands.compactMap(reply).first?.message.yourAddress == other)
    // Both are in use now: the next client is not answered.
    #expect(answer(&server, question(1, from: mac(2)), at: 2000) == nil)
  }

  @Test("the client's own answer to a probe is no objection")
  func itself() throws {
    var server = try server("192.168.1.100-192.168.1.100")
    _ = server.receive(question(1, from: mac(1)), at: 0)
    let own = ARPPacket.announcement(IPv4Address(192, 168, 1, 100), by: mac(1)).broadcastFrame.bytes
    #expect(server.receive(arp: own, at: 10) == [])
    var commands: [DHCPServer.Command] = []
    while let due = server.nextDue { commands += server.step(at: due) }
    #expect(commands.compactMap(reply).count == 1)
  }

  private enum Outcome: Equatable { case given, refused, silent }

  /// What a client at .100, whose lease the server knows, may ask.
  private static let requests: [(name: String, outcome: Outcome, change: @Sendable (inout BOOTPMessage) -> Void)] = [
    (
      "selecting, of this server", .given,
      {
        $0.add(.serverIdentifier, own.octets)
        $0.add(.requestedAddress, [192, 168, 1, 100])
      }
    ),
    (
      "selecting, another address", .refused,
      {
        $0.add(.serverIdentifier, own.octets)
        $0.add(.requestedAddress, [192, 168, 1, 101])
      }
    ),
    (
      "selecting, of another server", .silent,
      {
        $0.add(.serverIdentifier, [192, 168, 1, 1])
        $0.add(.requestedAddress, [192, 168, 1, 100])
      }
    ),
    ("selecting, without naming the address", .given, { $0.add(.serverIdentifier, own.octets) }),
    ("rebooted, its own", .given, { $0.add(.requestedAddress, [192, 168, 1, 100]) }),
    ("rebooted, another", .refused, { $0.add(.requestedAddress, [192, 168, 1, 101]) }),
    ("rebooted, of another network", .refused, { $0.add(.requestedAddress, [10, 0, 0, 1]) }),
    ("rebooted, without an address", .silent, { _ in }),
    ("renewing, its own", .given, { $0.clientAddress = IPv4Address(192, 168, 1, 100) }),
    ("renewing, another", .refused, { $0.clientAddress = IPv4Address(192, 168, 1, 101) }),
    ("renewing, of another network", .silent, { $0.clientAddress = IPv4Address(10, 0, 0, 1) }),
  ]

  @Test("a request is granted, refused or left to others as RFC 2131 says", arguments: requests.indices)
  func request(_ index: Int) throws {
    let (name, outcome, change) = Self.requests[index]
    var server = try server("192.168.1.100-192.168.1.100")
    server.receive(KnownAddress(mac(1), IPv4Address(192, 168, 1, 100)), at: 0)
    let commands = server.receive(question(3, from: mac(1), change), at: 10)
    var found = Outcome.silent
    for command in commands {
      var message: BOOTPMessage?
      if case .message(let bytes, let address) = command {
        message = BOOTPMessage(bytes)
        #expect(address == IPv4Address(192, 168, 1, 100), "\(name): renewals go through the kernel")
      } else if let (said, destination) = reply(command) {
        message = said
        if said.value(of: .messageType) == [6] { #expect(destination == .broadcast) }
      }
      if let type = message?.value(of: .messageType) { found = type == [5] ? .given : .refused }
    }
    #expect(found == outcome, "\(name)")
  }

  @Test(
    "who renews with a server that restarted keeps its address; who remembers one that it does not know gets no answer")
  func restarted() throws {
    var server = try server()
    let renewing = question(3, from: mac(1)) { $0.clientAddress = IPv4Address(192, 168, 1, 77) }
    #expect(
      server.receive(renewing, at: 0).contains(.news(.leased(mac(1), IPv4Address(192, 168, 1, 77), .dhcp))))
    #expect(answer(&server, question(1, from: mac(1)), at: 10)?.message.yourAddress == IPv4Address(192, 168, 1, 77))
    let thief = question(3, from: mac(2)) { $0.clientAddress = IPv4Address(192, 168, 1, 77) }
    #expect(!server.receive(thief, at: 20).contains { if case .news = $0 { true } else { false } })
    let stranger = question(3, from: mac(3)) { $0.add(.requestedAddress, [192, 168, 1, 78]) }
    #expect(server.receive(stranger, at: 30) == [])
  }

  @Test(
    "who has an address and asks everybody is answered through the kernel and in a frame; who asks this server, once")
  func rebinding() throws {
    var server = try server()
    let address = IPv4Address(192, 168, 1, 77)
    let asking = question(3, from: mac(1)) { $0.clientAddress = address }
    func answers(_ commands: [DHCPServer.Command]) -> [DHCPServer.Command] {
      commands.filter { if case .news = $0 { false } else { true } }
    }
    let alone = answers(server.receive(asking, at: 0))
    guard case .message(let bytes, address)? = alone.first, alone.count == 1 else {
      return #expect(Bool(false), "\(alone)")
    }
    let both = answers(server.receive(asking, toEverybody: true, at: 10))
    #expect(both.count == 2 && both.first == alone.first)
    let framed = try #require(both.last.flatMap(reply))
    #expect(framed.destination == mac(1) && framed.message == BOOTPMessage(bytes))
  }

  /// Asked for, and given; in seconds.
  private static let times: [(wanted: [UInt8], given: UInt32)] = [
    ([0, 0, 0, 120], 120), ([0, 0, 0, 5], 20), ([0, 2, 0, 0], 86_400), ([255, 255, 255, 255], 86_400),
    ([0, 120], 86_400),
  ]

  @Test("a client gets the time that it asks for, from twenty seconds to a day", arguments: times.indices)
  func leaseTime(_ index: Int) throws {
    let (wanted, given) = Self.times[index]
    var server = try server()
    let offer = answer(&server, question(1, from: mac(1)) { $0.add(.leaseTime, wanted) })
    let seconds = offer?.message.value(of: .leaseTime)?.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    #expect(seconds == given)
  }

  @Test("a declined address is left alone, a released one stays its card's until another needs it")
  func declined() throws {
    var server = try server("192.168.1.100-192.168.1.100")
    server.receive(KnownAddress(mac(1), IPv4Address(192, 168, 1, 100)), at: 0)
    #expect(server.receive(question(7, from: mac(1)), at: 10) == [])
    #expect(answer(&server, question(1, from: mac(2)), at: 20)?.message.yourAddress == IPv4Address(192, 168, 1, 100))
    let decline = question(4, from: mac(2)) {
      $0.add(.serverIdentifier, own.octets)
      $0.add(.requestedAddress, [192, 168, 1, 100])
    }
    #expect(server.receive(decline, at: 2000).count == 1)
    #expect(answer(&server, question(1, from: mac(3)), at: 3000) == nil)
    #expect(answer(&server, question(1, from: mac(3)), at: 700_000) != nil)
  }

  @Test("who has an address and asks for the rest is told it")
  func inform() throws {
    var server = try server()
    let commands = server.receive(question(8, from: mac(1)) { $0.clientAddress = IPv4Address(192, 168, 1, 50) }, at: 0)
    guard case .message(let bytes, let address)? = commands.first else { return #expect(Bool(false), "no answer") }
    let message = try #require(BOOTPMessage(bytes))
    #expect(address == IPv4Address(192, 168, 1, 50) && message.yourAddress == .unspecified)
    #expect(message.value(of: .messageType) == [5] && message.value(of: .leaseTime) == nil)
  }

  @Test("a reply goes to everybody only when the client cannot take another")
  func broadcast() throws {
    var server = try server()
    #expect(answer(&server, question(1, from: mac(1)))?.destination == mac(1))
    #expect(
      answer(&server, question(1, from: mac(2)) { $0.wantsBroadcast = true }, at: 9000)?.destination == .broadcast)
  }

  @Test("firmware that could not run the boot file gets an address and no file")
  func architecture() throws {
    var server = try server()
    let efi = try #require(answer(&server, question(1, from: mac(1)) { $0.add(.architecture, [0, 7]) }))
    #expect(efi.message.bootFile == [] && efi.message.serverAddress == .unspecified)
    let bios = try #require(answer(&server, question(1, from: mac(2)) { $0.add(.architecture, [0, 0]) }, at: 9000))
    #expect(bios.message.bootFile == Array("pxelinux.0".utf8))
  }

  @Test("relays, replies, the server's own questions and odd ones are not answered")
  func ignored() throws {
    var server = try server()
    let relayed = question(1, from: mac(1)) { $0.relayAddress = IPv4Address(10, 0, 0, 1) }
    #expect(server.receive(relayed, at: 0).count == 1, "one note")
    #expect(server.receive(relayed, at: 1) == [] && server.relayed == 2)
    #expect(server.receive(question(1, from: serverCard), at: 2) == [])
    #expect(server.receive(question(2, from: mac(1)), at: 3) == [])
    #expect(server.receive(question(99, from: mac(1)), at: 4) == [])
    #expect(server.receive([], at: 5) == [] && server.nextDue == nil)
  }

  @Test(
    "the client's identifier comes back with every answer, as RFC 6842 wants",
    arguments: [
      [1, 0x52, 0x54, 0, 0x12, 0x34, 0x56], [255, 0, 0, 0, 1, 0, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8],
    ] as [[UInt8]])
  func identifier(_ identifier: [UInt8]) throws {
    var server = try server()
    let offer = try #require(answer(&server, question(1, from: mac(1)) { $0.add(.clientIdentifier, identifier) }))
    #expect(offer.message.value(of: .clientIdentifier) == identifier)
    for wanted in [offer.message.yourAddress, IPv4Address(10, 0, 0, 1)] {
      let request = question(3, from: mac(1)) {
        $0.add(.requestedAddress, wanted.octets)
        $0.add(.serverIdentifier, own.octets)
        $0.add(.clientIdentifier, identifier)
      }
      let reply = try #require(server.receive(request, at: 600).compactMap(reply).first)
      #expect(reply.message.value(of: .messageType) == [wanted == offer.message.yourAddress ? 5 : 6])
      #expect(reply.message.value(of: .clientIdentifier) == identifier)
    }
    #expect(answer(&server, question(1, from: mac(2)), at: 700)?.message.value(of: .clientIdentifier) == nil)
  }

  @Test("an offer is that of an ordinary DHCP server with a boot file, also to a boot ROM that asks for more")
  func noProxy() throws {
    var server = try server()
    let offer = try #require(
      answer(
        &server,
        question(1, from: mac(1)) {
          $0.add(.vendorClass, Array("PXEClient:Arch:00000:UNDI:002001".utf8))
          $0.add(.parameterList, [1, 3, 43, 54, 60, 66, 67, 128, 135])
        }))
    #expect(offer.message.value(of: .vendorClass) == nil && offer.message.value(of: .init(43)) == nil)
    #expect(offer.message.bootFile == Array("pxelinux.0".utf8) && offer.message.serverAddress == own)
  }

  @Test("a hundred computers that are switched on at once all have their offers within a second")
  func crowd() throws {
    var server = try server()
    var commands: [DHCPServer.Command] = []
    for last in 100..<200 as Range<UInt8> { commands += server.receive(question(1, from: mac(last)), at: 0) }
    while let due = server.nextDue, due < 1000 { commands += server.step(at: due) }
    let offers = commands.compactMap(reply)
    #expect(Set(offers.map(\.message.clientHardware)).count == 100)
    #expect(Set(offers.map(\.message.yourAddress)).count == 100 && server.unanswered == 0)
  }

  @Test("questions that get no answer are counted, and told of more and more rarely")
  func unanswered() throws {
    var server = try server("192.168.1.100-192.168.1.101")
    var notes = 0
    for last in 1...10 as ClosedRange<UInt8> {
      for case .news(.note) in server.receive(question(1, from: mac(last)), at: 0) { notes += 1 }
    }
    #expect(server.unanswered == 8 && notes == 4)
  }

  @Test("nothing goes to another network, whatever a question says of its client, and nobody there is answered")
  func elsewhere() throws {
    let far = IPv4Address(203, 0, 113, 9)
    for type in [0, 1, 3, 8] as [UInt8] {
      var server = try server()
      #expect(server.receive(question(type, from: mac(1)) { $0.clientAddress = far }, at: 0) == [])
      #expect(server.receive(question(type, from: mac(1)), from: far, at: 1) == [])
      #expect(server.nextDue == nil)
    }
  }

  @Test("a question whose options stand in the fields of the names is read whole")
  func overload() throws {
    var server = try server("192.168.1.100-192.168.1.100")
    server.receive(KnownAddress(mac(1), IPv4Address(192, 168, 1, 100)), at: 0)
    var bytes = question(3, from: mac(1)) { $0.add(.overload, [3]) }
    bytes.replaceSubrange(44..<51, with: [50, 4, 192, 168, 1, 100, 255])  // sname
    bytes.replaceSubrange(108..<115, with: [54, 4] + own.octets + [255])  // file
    let reply = try #require(server.receive(bytes, at: 1).compactMap(reply).first)
    #expect(reply.message.value(of: .messageType) == [5])
  }

  @Test("a flood of invented cards takes bounded room, and offers that nobody takes are free again after a minute")
  func flood() throws {
    var server = try server("192.168.1.100-192.168.1.110")
    for last in 1...200 as ClosedRange<UInt8> { _ = answer(&server, question(1, from: mac(last)), at: 0) }
    #expect(answer(&server, question(1, from: mac(250)), at: 1000) == nil)
    #expect(answer(&server, question(1, from: mac(250)), at: 70_000) != nil)
  }

  static let ranges: [(own: String, prefix: UInt8, given: String?, range: String?)] = [
    ("192.168.1.11", 24, nil, "192.168.1.16-192.168.1.248"),
    ("10.1.2.3", 16, nil, "10.1.2.16-10.1.2.248"),
    ("192.168.1.11", 28, nil, "192.168.1.1-192.168.1.14"),
    ("192.168.1.2", 30, nil, "192.168.1.1-192.168.1.2"),
    ("192.168.1.2", 31, nil, nil),
    ("192.168.1.11", 24, "192.168.1.100-192.168.1.120", "192.168.1.100-192.168.1.120"),
    ("192.168.1.11", 24, "192.168.2.1-192.168.2.9", nil),
    ("192.168.1.11", 24, "192.168.1.200-192.168.1.255", nil),
    ("10.1.2.3", 16, "10.1.0.1-10.1.250.1", nil),
  ]

  @Test(
    "the addresses that are given away are those of 2003, or what was asked for, and always of this network",
    arguments: ranges.indices)
  func range(_ index: Int) throws {
    let (own, prefix, given, range) = Self.ranges[index]
    let found = try? network(own, prefix: prefix, range: given)
    #expect(found.map { String(decoding: AddressRange($0.first, $0.last).text, as: UTF8.self) } == range)
    if let found { #expect(!found.canLease(found.own)) }
  }
}
