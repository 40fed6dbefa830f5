import Addresses
import Addressing
import Testing

@testable import BootServer

private let own = IPv4Address(192, 168, 1, 11)
private let card = mac(0x11)
private let client = mac(1)
private let machine: [UInt8] = [0] + (1...16)

/// What a boot ROM says; a type of 0 is none.
private func question(_ type: UInt8, _ change: (inout BOOTPMessage) -> Void = { _ in }) -> [UInt8] {
  var message = BOOTPMessage(operation: .request, transaction: 0x1234_5678, clientHardware: client)
  if type != 0 { message.add(.messageType, [type]) }
  message.add(.vendorClass, Array("PXEClient:Arch:00000:UNDI:002001".utf8))
  message.add(.machineIdentifier, machine)
  change(&message)
  return message.bytes
}

private func withoutClass(_ message: inout BOOTPMessage) { message.extensions.removeAll { $0.code == .vendorClass } }

/// What an offer and an acknowledgement have alike behind their type.
private let options: [UInt8] =
  [
    54, 4, 192, 168, 1, 11,  // server identifier
    60, 9,
  ] + Array("PXEClient".utf8) + [97, 17] + machine + [
    43, 4, 6, 1, 8, 255,  // PXE_DISCOVERY_CONTROL: the file of this offer and no more; the end
    255,
  ]

@Suite struct ProxyDHCPServerTests {
  private func server() throws -> ProxyDHCPServer { ProxyDHCPServer(try network(), hardware: card) }

  /// A reply from its first byte to its last option.
  private func fixed(client address: [UInt8]) -> [UInt8] {
    [
      2, 1, 6, 0,  // reply, Ethernet, six bytes of address
      0x12, 0x34, 0x56, 0x78,  // the client's transaction
      0, 0, 0, 0,  // seconds, flags
    ] + address + [
      0, 0, 0, 0,  // yiaddr: the address is another server's to give
      192, 168, 1, 11,  // siaddr: the TFTP server
      0, 0, 0, 0,  // giaddr
      0x52, 0x54, 0, 0, 0, 1,  // chaddr
    ] + [UInt8](repeating: 0, count: 10 + 64) + Array("pxelinux.0".utf8) + [UInt8](repeating: 0, count: 118)
      + [0x63, 0x82, 0x53, 0x63]  // cookie
  }

  @Test("a boot ROM that discovers is offered the file and no address, in a broadcast; each byte has its place")
  func offer() throws {
    var server = try server()
    let commands = server.receive(question(1), at: 0)
    guard case .frame(let bytes)? = commands.first, commands.count == 1 else { return #expect(Bool(false), "no offer") }
    var shown = bytes
    shown.replaceSubrange(24..<26, with: [0, 0])
    shown.replaceSubrange(40..<42, with: [0, 0])
    let expected: [UInt8] =
      [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,  // to everybody
        0x52, 0x54, 0, 0, 0, 0x11,  // from the server's card
        0x08, 0x00,  // IPv4
        0x45, 0, 0x01, 0x48, 0, 0, 0x40, 0, 64, 17, 0, 0,  // 328 bytes, do not fragment, UDP; check sums are read below
        192, 168, 1, 11, 255, 255, 255, 255,
        0, 67, 0, 68, 0x01, 0x34, 0, 0,  // ports, 308 bytes
      ] + fixed(client: [0, 0, 0, 0]) + [53, 1, 2] + options
    #expect(shown == expected + [UInt8](repeating: 0, count: 342 - expected.count))
    #expect(EthernetFrame(bytes).flatMap(BOOTPMessage.init(frame:)) != nil, "its check sums are right")
  }

  @Test("a boot ROM that asks port 4011 is told the same, at the port that it asks from", arguments: [3, 8] as [UInt8])
  func acknowledgement(_ type: UInt8) throws {
    var server = try server()
    let address = IPv4Address(192, 168, 1, 100)
    let commands = server.receive(
      request: question(type) { $0.clientAddress = address }, from: address, port: 2070, at: 0)
    let expected = fixed(client: [192, 168, 1, 100]) + [53, 1, 5] + options
    #expect(
      commands == [
        .answer(expected + [UInt8](repeating: 0, count: 300 - expected.count), to: address, port: 2070),
        .news(.leased(client, address, .rom)),
      ])
  }

  @Test("what a ROM asks for by number it finds as an option as well, and its identifier comes back")
  func asked() throws {
    var server = try server()
    let commands = server.receive(
      question(1) {
        $0.add(.parameterList, [66, 67])
        $0.add(.clientIdentifier, [1, 2, 3])
        $0.add(.architecture, [0, 0])
      }, at: 0)
    guard case .frame(let bytes)? = commands.first else { return #expect(Bool(false), "no offer") }
    let message = try #require(EthernetFrame(bytes).flatMap(BOOTPMessage.init(frame:)))
    #expect(message.value(of: .bootServer) == own.text && message.value(of: .bootFile) == Array("pxelinux.0".utf8))
    #expect(message.value(of: .clientIdentifier) == [1, 2, 3])
    #expect(message.value(of: .leaseTime) == nil && message.value(of: .subnetMask) == nil)
  }

  private static let silent: [(name: String, question: [UInt8])] = [
    ("a computer that runs", question(1, withoutClass)),
    (
      "another class",
      question(1) {
        withoutClass(&$0); $0.add(.vendorClass, Array("udhcp 1.35.0".utf8))
      }
    ),
    ("BOOTP", question(0)),
    ("a request for an address of another network", question(3) { $0.add(.requestedAddress, [10, 0, 0, 1]) }),
    ("a request for the server's own", question(3) { $0.add(.requestedAddress, own.octets) }),
    ("one without an address", question(3)),
    ("a decline", question(4)), ("a release", question(7)), ("who asks for the rest", question(8)),
    ("a type that there is not", question(99)),
    ("what a relay forwards", question(1) { $0.relayAddress = IPv4Address(192, 168, 1, 2) }),
    ("a reply", question(1) { $0.operation = .reply }),
    ("the server's own card", question(1) { $0.clientHardware = card }),
    ("a client elsewhere", question(1) { $0.clientAddress = IPv4Address(10, 0, 0, 1) }),
    ("nothing", []),
  ]

  @Test("whoever is no boot ROM gets no answer at all, at neither port", arguments: silent.indices)
  func others(_ index: Int) throws {
    let (name, question) = Self.silent[index]
    var server = try server()
    #expect(server.receive(question, at: 0) == [], "\(name)")
    let message = BOOTPMessage(question)
    // At port 4011 a request needs no address, and who asks for the rest is answered.
    if message?.type != .request, message?.type != .inform {
      #expect(server.receive(request: question, from: IPv4Address(192, 168, 1, 100), port: 68, at: 0) == [], "\(name)")
    }
  }

  @Test("nothing goes to another network, nor to the server itself")
  func elsewhere() throws {
    var server = try server()
    for far in [IPv4Address(10, 0, 0, 1), .unspecified, .broadcast, own, IPv4Address(192, 168, 1, 255)] {
      #expect(server.receive(request: question(3), from: far, port: 68, at: 0) == [], "\(far)")
    }
    #expect(server.receive(question(1), from: IPv4Address(10, 0, 0, 1), at: 0) == [])
    let strangers = question(3) { $0.clientAddress = IPv4Address(10, 0, 0, 1) }
    #expect(server.receive(request: strangers, from: IPv4Address(192, 168, 1, 100), port: 68, at: 0) == [])
  }

  @Test("which address a boot ROM has is heard when it takes the other server's offer")
  func heard() throws {
    var server = try server()
    let request = question(3) {
      $0.add(.requestedAddress, [192, 168, 1, 100])
      $0.add(.serverIdentifier, [192, 168, 1, 1])
    }
    #expect(server.receive(request, at: 0) == [.news(.leased(client, IPv4Address(192, 168, 1, 100), .rom))])
  }

  @Test(
    "in a second 256 are answered, at both ports together; the others are counted, and told of more and more rarely")
  func flood() throws {
    var server = try server()
    func answers(_ commands: [ProxyDHCPServer.Command]) -> Int {
      commands.count { if case .news = $0 { false } else { true } }
    }
    var answered = 0
    var notes = 0
    for number in 0..<400 {
      let commands =
        number % 2 == 0
        ? server.receive(question(1), at: 999)
        : server.receive(request: question(3), from: IPv4Address(192, 168, 1, 100), port: 68, at: 999)
      answered += answers(commands)
      for case .news(.note) in commands { notes += 1 }
    }
    #expect(answered == 256 && server.unanswered == 144 && notes == 8)
    #expect(answers(server.receive(question(1), at: 1000)) == 1)
  }
}
