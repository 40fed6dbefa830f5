import Addresses
import Addressing
import Foundation
import TestSupport
import Testing

@testable import BootServer

private let own = IPv4Address(192, 168, 1, 11)
private let card = mac(0x11)
private let client = mac(1)
private let machine: [UInt8] = [0] + (1...16)

/// What firmware says that boots: UEFI's PXE driver has the class `PXEClient`, its HTTP driver `HTTPClient`.
private func question(_ type: UInt8, _ architecture: UInt16, _ change: (inout BOOTPMessage) -> Void = { _ in })
  -> [UInt8]
{
  var message = BOOTPMessage(operation: .request, transaction: 0x1234_5678, clientHardware: client)
  message.add(.messageType, [type])
  message.add(.parameterList, [1, 3, 43, 54, 60, 66, 67, 97])
  message.add(.machineIdentifier, machine)
  message.add(.architecture, [UInt8(architecture >> 8), UInt8(truncatingIfNeeded: architecture)])
  let kind = architecture == 16 ? "HTTPClient" : "PXEClient"
  message.add(.vendorClass, Array("\(kind):Arch:\(String(format: "%05d", Int(architecture))):UNDI:003001".utf8))
  change(&message)
  return message.bytes
}

private func message(_ command: DHCPServer.Command) -> BOOTPMessage? {
  switch command {
  case .frame(let bytes): EthernetFrame(bytes).flatMap(BOOTPMessage.init(frame:))
  case .message(let bytes, _), .answer(let bytes, _, _): BOOTPMessage(bytes)
  case .news: nil
  }
}

/// What a message says behind its fixed fields.
private func options(_ message: BOOTPMessage?) -> [UInt8] { Array((message?.bytes ?? []).dropFirst(240)) }

@Suite struct FirmwareTests {
  private func alone(uefi: Bool = true) throws -> DHCPServer {
    DHCPServer(
      try network(range: "192.168.1.100-192.168.1.100"), hardware: card, serving: ServedFirmware(uefi: uefi))
  }
  private func beside(uefi: Bool = true) throws -> ProxyDHCPServer {
    ProxyDHCPServer(try network(), hardware: card, serving: ServedFirmware(uefi: uefi))
  }

  private func offer(_ server: inout DHCPServer, _ question: [UInt8]) -> [DHCPServer.Command] {
    var commands = server.receive(question, at: 0)
    while let due = server.nextDue { commands += server.step(at: due) }
    return commands
  }

  static let architectures: [(number: UInt16, file: String?)] = [
    (0, "pxelinux.0"),  // x86 BIOS
    (1, nil),  // NEC PC98
    (2, nil),  // Itanium
    (6, nil),  // x86 UEFI, of 32 bits
    (7, "drone-x64.efi"),  // x64 UEFI
    (9, "drone-x64.efi"),  // "EBC" for IANA, x64 in the field
    (10, nil), (11, nil),  // ARM of 32 and of 64 bits, UEFI
    (15, nil),  // x86 UEFI by HTTP
    (16, "http://192.168.1.11/drone-x64.efi"),  // x64 UEFI by HTTP
    (18, nil), (19, nil),  // ARM by HTTP
    (20, nil),  // a PC with a BIOS that boots by HTTP
    (0xFFFF, nil),
  ]

  @Test(
    "which file firmware is told of follows from its architecture, alone and beside a server",
    arguments: architectures.indices)
  func files(_ index: Int) throws {
    let (number, file) = Self.architectures[index]
    var server = try alone()
    let alone = offer(&server, question(1, number)).compactMap(message)
    #expect(alone.count == 1 && alone[0].yourAddress == IPv4Address(192, 168, 1, 100), "an address it gets")
    #expect(alone.first?.bootFile == Array((file ?? "").utf8), "\(number)")
    #expect(alone.first?.value(of: .bootFile) == file.map { Array($0.utf8) })
    #expect(server.withoutFile == (file == nil ? 1 : 0))

    var proxy = try beside()
    let answers = proxy.receive(question(1, number), at: 0)
    #expect(answers.compactMap(message).map(\.bootFile) == (file.map { [Array($0.utf8)] } ?? []), "\(number)")
    #expect(proxy.withoutFile == (file == nil ? 1 : 0))
  }

  @Test(
    "a node without a file for UEFI gives such firmware an address and says so; beside a server it is silent",
    arguments: [7, 9, 16] as [UInt16])
  func without(_ number: UInt16) throws {
    var server = try alone(uefi: false)
    let commands = offer(&server, question(1, number))
    #expect(commands.compactMap(message).map(\.bootFile) == [[]])
    let note =
      "no boot file for firmware of architecture \(number) (option 93) of 52:54:00:00:00:01 (1 such questions so far)"
    #expect(commands.contains(.news(.note(Array(note.utf8)))))
    var proxy = try beside(uefi: false)
    #expect(proxy.receive(question(1, number), at: 0) == [.news(.note(Array(note.utf8)))])
    #expect(proxy.receive(request: question(3, number), from: IPv4Address(192, 168, 1, 100), port: 4011, at: 0) == [])
  }

  @Test("an offer to UEFI by TFTP, byte by byte")
  func offerByTFTP() throws {
    var server = try alone()
    let offer = try #require(offer(&server, question(1, 7)).compactMap(message).first)
    #expect(offer.serverAddress == own)
    let expected: [UInt8] =
      [
        53, 1, 2,  // DHCPOFFER
        54, 4, 192, 168, 1, 11,  // server identifier
        51, 4, 0, 1, 0x51, 0x80,  // a day
        1, 4, 255, 255, 255, 0,  // mask
        66, 12,
      ] + Array("192.168.1.11".utf8) + [0, 67, 13] + Array("drone-x64.efi".utf8) + [0, 255]
    #expect(options(offer).starts(with: expected))
  }

  @Test("an offer to UEFI by HTTP has the class that makes it one, and the whole address of the file, byte by byte")
  func offerByHTTP() throws {
    var server = try alone()
    let offer = try #require(offer(&server, question(1, 16)).compactMap(message).first)
    let expected: [UInt8] =
      [
        53, 1, 2, 54, 4, 192, 168, 1, 11, 51, 4, 0, 1, 0x51, 0x80, 1, 4, 255, 255, 255, 0,
        60, 10,
      ] + Array("HTTPClient".utf8) + [66, 12] + Array("192.168.1.11".utf8) + [0, 67, 33]
      + Array("http://192.168.1.11/drone-x64.efi".utf8) + [0, 255]
    #expect(options(offer).starts(with: expected))
    // What firmware has chosen is acknowledged in the same words.
    let given = server.receive(
      question(3, 16) {
        $0.add(.serverIdentifier, own.octets)
        $0.add(.requestedAddress, [192, 168, 1, 100])
      }, at: 600)
    #expect(options(given.compactMap(message).first).starts(with: [53, 1, 5] + expected.dropFirst(3)))
    #expect(given.contains(.news(.leased(client, IPv4Address(192, 168, 1, 100), .rom))))
  }

  @Test(
    "beside a server UEFI is offered the file without PXE's options, and told it at port 4011",
    arguments: [7, 9] as [UInt16])
  func proxyByTFTP(_ number: UInt16) throws {
    var server = try beside()
    let expected: [UInt8] =
      [
        54, 4, 192, 168, 1, 11,  // server identifier
        60, 9,
      ] + Array("PXEClient".utf8) + [97, 17] + machine + [66, 12] + Array("192.168.1.11".utf8)
      + [0, 67, 13] + Array("drone-x64.efi".utf8) + [0, 255]
    let offer = try #require(server.receive(question(1, number), at: 0).compactMap(message).first)
    #expect(options(offer).starts(with: [53, 1, 2] + expected))
    #expect(offer.serverAddress == own && offer.yourAddress == .unspecified)
    let address = IPv4Address(192, 168, 1, 100)
    // EDK II asks from port 4011 and listens there.
    let asked = server.receive(
      request: question(3, number) { $0.clientAddress = address }, from: address, port: 4011, at: 0)
    let answer = try #require(asked.compactMap(message).first)
    #expect(options(answer).starts(with: [53, 1, 5] + expected) && answer.bootFile == Array("drone-x64.efi".utf8))
    #expect(asked.last == .news(.leased(client, address, .rom)))
  }

  @Test("beside a server firmware that boots by HTTP is offered the file's address and no other")
  func proxyByHTTP() throws {
    var server = try beside()
    let offer = try #require(server.receive(question(1, 16), at: 0).compactMap(message).first)
    let expected: [UInt8] =
      [53, 1, 2, 54, 4, 192, 168, 1, 11, 60, 10] + Array("HTTPClient".utf8) + [97, 17] + machine + [66, 12]
      + Array("192.168.1.11".utf8) + [0, 67, 33] + Array("http://192.168.1.11/drone-x64.efi".utf8) + [0, 255]
    #expect(options(offer).starts(with: expected) && offer.yourAddress == .unspecified)
  }

  // MARK: As EDK II does it

  /// How EDK II's PXE driver sorts an offer (`PxeBcParseDhcp4Packet`).
  private enum Kind { case dhcpOnly, dhcpBINL, dhcpPXE10, proxyBINL, proxyPXE10 }

  private func kind(_ offer: BOOTPMessage) -> Kind {
    let isProxy = offer.yourAddress == .unspecified
    let isPXE = offer.value(of: .vendorClass)?.starts(with: Array("PXEClient".utf8)) == true
    let hasDiscovery = isPXE && (offer.value(of: .vendorOptions) ?? []).contains(6)
    if hasDiscovery { return isProxy ? .proxyPXE10 : .dhcpPXE10 }
    if isPXE { return isProxy ? .proxyBINL : .dhcpBINL }
    return .dhcpOnly
  }

  /// What the driver fetches in the end; `atPort4011` asks there.
  private func choose(_ offers: [BOOTPMessage], atPort4011: () -> BOOTPMessage?) -> (IPv4Address, [UInt8])? {
    // The first offer of kind PXE10 without an address is never kept (`PxeBcCacheDhcp4Offer`).
    let kept = offers.filter { kind($0) != .proxyPXE10 }
    guard let address = kept.first(where: { $0.yourAddress != .unspecified }) else { return nil }
    if kind(address) == .dhcpOnly, kept.contains(where: { kind($0) == .proxyBINL }) {
      guard let reply = atPort4011(), !reply.bootFile.isEmpty else { return nil }
      return (reply.serverAddress, reply.bootFile)
    }
    return kind(address) == .dhcpOnly && !address.bootFile.isEmpty ? (address.serverAddress, address.bootFile) : nil
  }

  @Test("by EDK II's rules its PXE driver finds the file, alone and beside a server that names none")
  func driver() throws {
    var server = try alone()
    let only = try #require(choose(offer(&server, question(1, 7)).compactMap(message)) { nil })
    #expect(only.0 == own && only.1 == Array("drone-x64.efi".utf8))

    var proxy = try beside()
    var theirs = BOOTPMessage(operation: .reply, transaction: 0x1234_5678, clientHardware: client)
    theirs.yourAddress = IPv4Address(192, 168, 1, 100)
    theirs.add(.messageType, [2])
    let offers = [theirs] + proxy.receive(question(1, 7), at: 0).compactMap(message)
    let found = try #require(
      choose(offers) {
        proxy.receive(
          request: question(3, 7) { $0.clientAddress = theirs.yourAddress }, from: theirs.yourAddress, port: 4011, at: 0
        ).compactMap(message).first
      })
    #expect(found.0 == own && found.1 == Array("drone-x64.efi".utf8))
  }

  @Test("the words of the one file for UEFI are those of the served prompt's standard label")
  func sameWords() throws {
    let text = documentText("isolinux/pxemaster.cfg")
    let label = try #require(text.split(separator: "\n").first { $0.hasPrefix("DEFAULT ") }?.dropFirst(8))
    let section = try #require(text.range(of: "LABEL \(label)\n"))
    let append = try #require(text[section.upperBound...].split(separator: "\n").first { $0.contains("APPEND ") })
    let words = append.split(separator: " ").dropFirst().filter { !$0.hasPrefix("initrd=") }
    #expect("\(UnifiedDrone.commandLine)" == words.joined(separator: " "))
  }
}
