import Addresses
import Bytes
import Testing

@testable import Addressing

/// A server's reply with the given extensions, in a frame to our card.
func replyFrame(
  transaction: UInt32 = 0x1234_5678, hardware: MACAddress = ours, address: IPv4Address = drone,
  _ extensions: [VendorExtension?] = []
) -> EthernetFrame {
  var message = BOOTPMessage(operation: .reply, transaction: transaction, clientHardware: hardware)
  message.yourAddress = address
  message.serverAddress = gateway
  message.extensions = extensions.compactMap(\.self)
  let packet = UDPDatagram(
    source: gateway, destination: address, sourcePort: 67, destinationPort: 68, payload: message.bytes)
  return EthernetFrame(destination: hardware, source: theirs, type: .ipv4, payload: packet?.ipv4 ?? [])
}

@Suite struct BOOTPTests {
  @Test("a request is 300 bytes with the cookie and nothing after it")
  func request() {
    var message = BOOTPMessage(operation: .request, transaction: 0x1234_5678, clientHardware: ours)
    message.seconds = 3
    let bytes = message.bytes
    #expect(
      bytes.prefix(34) == [
        0x01,  // request
        0x01, 0x06,  // Ethernet, addresses of six bytes
        0x00,  // no relay on the way yet
        0x12, 0x34, 0x56, 0x78,  // transaction
        0x00, 0x03,  // three seconds since the first question
        0x00, 0x00,  // flags: a unicast answer reaches us
        0x00, 0x00, 0x00, 0x00,  // client's address: none
        0x00, 0x00, 0x00, 0x00,  // your address: the question
        0x00, 0x00, 0x00, 0x00,  // server
        0x00, 0x00, 0x00, 0x00,  // relay
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // our card
      ])
    #expect(bytes[34..<236].allSatisfy { $0 == 0 })  // server's name and boot file: any
    #expect([UInt8](bytes[236...]) == [0x63, 0x82, 0x53, 0x63, 0xFF] + [UInt8](repeating: 0, count: 59))  // cookie, end
    #expect(bytes.count == 300)
  }

  @Test("a request goes from nowhere to everybody, with right checksums")
  func requestFrame() throws {
    let message = BOOTPMessage(operation: .request, transaction: 1, clientHardware: ours)
    let frame = try #require(message.broadcastFrame)
    #expect(frame.destination == .broadcast)
    #expect(
      frame.payload.prefix(28) == [
        0x45, 0x00,  // IPv4, header of five words, ordinary service
        0x01, 0x48,  // 328 bytes in all
        0x00, 0x00, 0x40, 0x00,  // not to be fragmented, so without an identification
        0x40, 0x11,  // time to live 64, UDP
        0x39, 0xA6,  // header checksum
        0x00, 0x00, 0x00, 0x00,  // from nowhere
        0xFF, 0xFF, 0xFF, 0xFF,  // to everybody
        0x00, 0x44, 0x00, 0x43,  // from port 68 to 67
        0x01, 0x34,  // 308 bytes with this header
        0xB9, 0x5A,  // checksum
      ])
    #expect(UDPDatagram(ipv4: frame.payload)?.payload == message.bytes)
  }

  @Test("a reply with RFC 1533 extensions gives the whole configuration")
  func reply() throws {
    let frame = replyFrame([
      VendorExtension(.subnetMask, [255, 255, 255, 0]), VendorExtension(.routers, [0, 0, 0, 0, 192, 168, 1, 1]),
      VendorExtension(.nameServers, [192, 168, 1, 2, 192, 168, 1, 3]),
      VendorExtension(.hostName, [UInt8]("d1\0x".utf8)),
      VendorExtension(.domain, [UInt8]("example.org".utf8)), VendorExtension(.timeServers, [192, 168, 1, 4, 9]),
      VendorExtension(.mtu, [5, 120]),
    ])
    let configuration = try #require(BOOTPMessage(frame: frame)?.configuration)
    #expect(configuration.address == drone)
    #expect(configuration.netmask == Netmask(prefixLength: 24))
    #expect(configuration.gateway == gateway)
    #expect(configuration.server == gateway)
    #expect(configuration.nameServers == [IPv4Address(192, 168, 1, 2), IPv4Address(192, 168, 1, 3)])
    #expect(configuration.timeServers == [IPv4Address(192, 168, 1, 4)])
    #expect(configuration.hostName == [UInt8]("d1".utf8))
    #expect(configuration.domain == [UInt8]("example.org".utf8))
    #expect(configuration.mtu == 1400)
  }

  @Test(
    "without a mask, or with a mask that has holes, the address's class decides", arguments: [nil, [255, 0, 255, 0]])
  func classful(mask: [UInt8]?) {
    let frame = replyFrame([mask.flatMap { VendorExtension(.subnetMask, $0) }])
    #expect(BOOTPMessage(frame: frame)?.configuration?.effectiveNetmask == Netmask(prefixLength: 24))
  }

  @Test("a DHCP message is no BOOTP answer")
  func dhcp() {
    let frame = replyFrame([VendorExtension(.messageType, [2])])
    #expect(BOOTPMessage(frame: frame) != nil)
    #expect(BOOTPMessage(frame: frame)?.configuration == nil)
  }

  @Test(
    "an address that no host may have is refused",
    arguments: [.unspecified, .broadcast, IPv4Address(127, 0, 0, 1), IPv4Address(224, 0, 0, 1)] as [IPv4Address])
  func unusable(address: IPv4Address) {
    #expect(BOOTPMessage(frame: replyFrame(address: address))?.configuration == nil)
  }

  @Test("a vendor area without the cookie, or cut in an extension, gives what was readable")
  func damaged() throws {
    var message = BOOTPMessage(operation: .reply, transaction: 1, clientHardware: ours)
    message.yourAddress = drone
    message.extensions = [
      try #require(VendorExtension(.subnetMask, [255, 255, 0, 0])),
      try #require(VendorExtension(.routers, [1, 2, 3, 4])),
    ]
    let bytes = message.bytes
    #expect(BOOTPMessage([UInt8](bytes.prefix(236 + 4 + 6 + 3)))?.extensions == [message.extensions[0]])
    #expect(BOOTPMessage([UInt8](bytes.prefix(236)))?.extensions == [])
    #expect(BOOTPMessage([UInt8](bytes.prefix(235))) == nil)
    var other = bytes
    other[236] = 0
    #expect(BOOTPMessage(other)?.extensions == [])
  }
}

@Suite struct UDPDatagramTests {
  let good = replyFrame().payload

  @Test("one wrong bit anywhere is noticed")
  func bits() throws {
    let right = try #require(UDPDatagram(ipv4: good))
    for position in good.indices {
      for bit in 0..<8 {
        var bytes = good
        bytes[position] ^= 1 << UInt8(bit)
        #expect(UDPDatagram(ipv4: bytes) != right, "byte \(position), bit \(bit)")
      }
    }
  }

  @Test("every cut is refused", arguments: [0, 1, 19, 20, 27, 28, 327])
  func cut(length: Int) { #expect(UDPDatagram(ipv4: [UInt8](good.prefix(length))) == nil) }

  @Test("padding after the packet is ignored")
  func padding() { #expect(UDPDatagram(ipv4: good + [1, 2, 3]) == UDPDatagram(ipv4: good)) }

  @Test("no checksum counts as right, and so does one that a card was to complete")
  func unfinishedChecksum() {
    var none = good
    none[26] = 0
    none[27] = 0
    #expect(UDPDatagram(ipv4: none) == UDPDatagram(ipv4: good))

    var sum = InternetChecksum()
    sum.add(good[12..<20])  // both addresses
    sum.add(17)  // UDP
    sum.add(UInt16(good.count - 20))
    var partial = good
    partial[26] = UInt8(sum.folded >> 8)
    partial[27] = UInt8(sum.folded & 0xFF)
    #expect(UDPDatagram(ipv4: partial) == UDPDatagram(ipv4: good))
  }

  @Test("fragments are refused", arguments: [0x20, 0x01] as [UInt8])
  func fragment(flags: UInt8) {
    var bytes = good
    bytes[6] = flags
    bytes[10...11] = [0, 0]
    var sum = InternetChecksum()
    sum.add(bytes.prefix(20))
    bytes[10...11] = [UInt8(sum.value >> 8), UInt8(sum.value & 0xFF)]
    #expect(UDPDatagram(ipv4: bytes) == nil)
  }

  @Test("more than a frame holds is not made into a datagram")
  func large() {
    func datagram(_ count: Int) -> UDPDatagram? {
      UDPDatagram(
        source: drone, destination: gateway, sourcePort: 1, destinationPort: 2,
        payload: [UInt8](repeating: 0, count: count))
    }
    #expect(datagram(1472)?.ipv4.count == 1500)
    #expect(datagram(1473) == nil)
  }

  @Test("the checksum is RFC 1071's own example")
  func example() {
    var sum = InternetChecksum()
    sum.add([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7])
    #expect(sum.folded == 0xDDF2)
    #expect(sum.value == 0x220D)
  }
}
