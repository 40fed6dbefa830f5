import Addresses
import Testing

@testable import VirtualNetwork

@Suite struct VirtualSwitchTests {
  /// A frame from the address that ends in `source` to the one that ends in `destination`; 255 is everybody.
  static func frame(_ source: UInt8, to destination: UInt8) -> [UInt8] {
    let target: [UInt8] =
      destination == 255 ? [UInt8](repeating: 255, count: 6) : [0x52, 0x54, 0, 0, 0, destination]
    return target + [0x52, 0x54, 0, 0, 0, source] + [0x08, 0x00] + [UInt8](repeating: 0, count: 46)
  }

  private static let multicast: [UInt8] =
    [0x01, 0x00, 0x5E, 0x40, 0, 1] + [0x52, 0x54, 0, 0, 0, 1] + [0x08, 0x00]

  @Test("what is for everybody, or for somebody unknown, goes to all others and never back")
  func flood() {
    var network = VirtualSwitch(ports: 4)
    #expect(network.forward(Self.frame(1, to: 255), from: 1, at: 0) == [0, 2, 3])
    #expect(network.forward(Self.multicast, from: 1, at: 0) == [0, 2, 3])
    #expect(network.forward(Self.frame(1, to: 9), from: 1, at: 0) == [0, 2, 3])
  }

  @Test("who has spoken is spoken to alone; who moves is found at the new port")
  func learning() {
    var network = VirtualSwitch(ports: 3)
    _ = network.forward(Self.frame(7, to: 255), from: 2, at: 0)
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 1) == [2])
    #expect(network.forward(Self.frame(8, to: 7), from: 2, at: 1) == [], "both at one port")
    _ = network.forward(Self.frame(7, to: 255), from: 1, at: 2)
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 3) == [1])
  }

  @Test("an address that is silent for long is forgotten, one that speaks is not")
  func ageing() {
    var network = VirtualSwitch(ports: 3, ageing: 1000)
    _ = network.forward(Self.frame(7, to: 255), from: 2, at: 0)
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 1000) == [2])
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 1001) == [1, 2])
    _ = network.forward(Self.frame(7, to: 255), from: 2, at: 1500)
    _ = network.forward(Self.frame(7, to: 255), from: 2, at: 2400)
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 3000) == [2])
  }

  @Test("one port cannot fill the table, and old addresses make room")
  func bounds() {
    var network = VirtualSwitch(ports: 2, ageing: 1000, addressesPerPort: 4)
    for source in 0..<200 { _ = network.forward(Self.frame(UInt8(source), to: 255), from: 0, at: 0) }
    #expect(network.knownAddresses == 4)
    _ = network.forward(Self.frame(201, to: 255), from: 1, at: 0)
    #expect(network.forward(Self.frame(1, to: 201), from: 0, at: 0) == [1])
    _ = network.forward(Self.frame(199, to: 255), from: 0, at: 1001)
    #expect(network.knownAddresses == 1)
  }

  @Test("an address that moves to a full port is known nowhere, rather than where it was")
  func movedToFullPort() {
    var network = VirtualSwitch(ports: 3, addressesPerPort: 1)
    _ = network.forward(Self.frame(7, to: 255), from: 1, at: 0)
    _ = network.forward(Self.frame(8, to: 255), from: 2, at: 0)
    _ = network.forward(Self.frame(7, to: 255), from: 2, at: 0)
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 0) == [1, 2])
  }

  @Test("an unplugged port hears nothing and is not heard, and is found again after it was plugged in")
  func unplugged() {
    var network = VirtualSwitch(ports: 3)
    _ = network.forward(Self.frame(7, to: 255), from: 2, at: 0)
    network.plug(2, false)
    #expect(network.forward(Self.frame(7, to: 255), from: 2, at: 1) == [])
    #expect(network.forward(Self.frame(1, to: 255), from: 0, at: 1) == [1])
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 1) == [1], "it is unknown now")
    #expect(network.counters[2].unplugged == 1)
    network.plug(2, true)
    #expect(network.forward(Self.frame(7, to: 255), from: 2, at: 2) == [0, 1])
    #expect(network.forward(Self.frame(1, to: 7), from: 0, at: 2) == [2])
  }

  @Test("what is shorter than an Ethernet header goes nowhere", arguments: [0, 1, 6, 12, 13])
  func tooShort(_ count: Int) {
    var network = VirtualSwitch(ports: 2)
    #expect(network.forward([UInt8](repeating: 0xFF, count: count), from: 0, at: 0) == [])
    #expect(network.counters[0].tooShort == 1)
  }

  @Test("a port that is not there is none", arguments: [-1, 2, .max])
  func noPort(_ port: Int) {
    var network = VirtualSwitch(ports: 2)
    #expect(network.forward(Self.frame(1, to: 255), from: port, at: 0) == [])
    network.plug(port, false)
    #expect(!network.isPlugged(port))
  }

  @Test("nobody teaches it that a group is somewhere")
  func group() {
    var network = VirtualSwitch(ports: 3)
    _ = network.forward(
      [UInt8](repeating: 2, count: 6) + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] + [8, 0], from: 1, at: 0)
    #expect(network.knownAddresses == 0)
    #expect(network.forward(Self.frame(1, to: 255), from: 0, at: 0) == [1, 2])
  }
}

@Suite struct PacketCaptureTests {
  @Test("a capture to the byte")
  func bytes() {
    #expect(
      PacketCapture.header == [
        0xD4, 0xC3, 0xB2, 0xA1,  // The mark, little-endian.
        2, 0, 4, 0,  // Version 2.4.
        0, 0, 0, 0, 0, 0, 0, 0,  // Time zone and accuracy.
        0x00, 0x10, 0x01, 0x00,  // The longest record: 69,632.
        1, 0, 0, 0,  // Ethernet.
      ])
    #expect(
      PacketCapture.record([9, 8, 7], at: 1_000_002) == [
        1, 0, 0, 0,  // Seconds.
        2, 0, 0, 0,  // Microseconds.
        3, 0, 0, 0, 3, 0, 0, 0,  // Captured and sent.
        9, 8, 7,
      ])
  }
}
