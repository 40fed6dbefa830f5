import Addresses
import Testing

@Suite struct IPv4AddressTests {
  @Test(
    "a dotted address is read and written back", arguments: ["0.0.0.0", "192.168.1.21", "255.255.255.255", "10.0.0.1"])
  func roundTrip(text: String) {
    #expect(IPv4Address(text: text.utf8).map { String(decoding: $0.text, as: UTF8.self) } == text)
  }

  @Test(
    "anything but four decimal parts is refused",
    arguments: [
      "", ".", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.1.1.1", "1..2.3", "a.b.c.d", " 1.2.3.4", "1.2.3.4 ",
      "-1.2.3.4", "1.2.3.0004",
    ])
  func refused(text: String) { #expect(IPv4Address(text: text.utf8) == nil) }

  @Test("the host name's eight digits are in network order")
  func hexadecimal() {
    #expect(String(decoding: IPv4Address(192, 168, 1, 21).hexadecimal, as: UTF8.self) == "c0a80115")
  }

  @Test(
    "a mask has contiguous ones",
    arguments: [(0xFFFF_FF00, 24), (0, 0), (0xFFFF_FFFF, 32), (0xFF00_0000, 8)] as [(UInt32, UInt8)])
  func masks(bits: UInt32, length: UInt8) {
    #expect(Netmask(IPv4Address(bits: bits))?.prefixLength == length)
    #expect(Netmask(prefixLength: length)?.bits == bits)
  }

  @Test("a mask with a hole is refused", arguments: [0xFF00_FF00, 1, 0x7FFF_FFFF] as [UInt32])
  func holes(bits: UInt32) { #expect(Netmask(IPv4Address(bits: bits)) == nil) }
}

@Suite struct MACAddressTests {
  @Test("both separators are read, never mixed")
  func separators() {
    let address = MACAddress(octets: [0x52, 0x54, 0, 0x12, 0x34, 0x56])
    #expect(MACAddress(text: "52:54:00:12:34:56".utf8) == address)
    #expect(MACAddress(text: "52-54-00-12-34-56".utf8) == address)
    #expect(MACAddress(text: "52-54:00-12-34-56".utf8) == nil)
    #expect(address.map { String(decoding: $0.text, as: UTF8.self) } == "52:54:00:12:34:56")
    #expect(address?.octets == [0x52, 0x54, 0, 0x12, 0x34, 0x56])
  }
}

@Suite struct IPv6AddressTests {
  @Test("a host can have any address but the unspecified one, the loopback, groups and IPv4 in other clothes")
  func hosts() {
    let cases: [(high: UInt64, low: UInt64, isHost: Bool)] = [
      (0, 0, false),
      (0, 1, false),
      (0, 0xFFFF_C0A8_0101, false),  // ::ffff:192.168.1.1
      (0xFF02_0000_0000_0000, 1, false),
      (0xFD00_0000_0000_0000, 1, true),
      (0xFE80_0000_0000_0000, 1, true),
      (0x2001_0DB8_0000_0000, 0, true),
    ]
    for (high, low, isHost) in cases {
      let address = IPv6Address(high: high, low: low)
      #expect(address.isHostAddress == isHost, "\(address.octets)")
      #expect(address.isLinkLocal == (high >> 48 == 0xFE80))
    }
  }
}
