import Addresses
import Addressing
import Testing

@Suite struct ARPTests {
  @Test("a probe claims no address")
  func probe() {
    #expect(
      ARPPacket.probe(drone, by: ours).broadcastFrame.bytes == [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,  // to everybody
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // from our card
        0x08, 0x06,  // ARP
        0x00, 0x01,  // hardware: Ethernet
        0x08, 0x00,  // protocol: IPv4
        0x06, 0x04,  // lengths of the two kinds of address
        0x00, 0x01,  // request
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // sender's card
        0x00, 0x00, 0x00, 0x00,  // sender's address: none yet, or it would go into the neighbours' tables
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // target's card: unknown
        0xC0, 0xA8, 0x01, 0x15,  // target: 192.168.1.21
      ] + [UInt8](repeating: 0, count: 18))  // Ethernet's shortest frame has 60 bytes
  }

  @Test("an announcement names the address as sender and target")
  func announcement() {
    #expect(
      ARPPacket.announcement(drone, by: ours).bytes == [
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04,  // IPv4 over Ethernet
        0x00, 0x01,  // request
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // sender's card
        0xC0, 0xA8, 0x01, 0x15,  // sender: 192.168.1.21
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // target's card: nobody's
        0xC0, 0xA8, 0x01, 0x15,  // target: 192.168.1.21
      ])
  }

  @Test("a RARP request asks by our own card's address")
  func reverseRequest() {
    #expect(
      ARPPacket.reverseRequest(by: ours).broadcastFrame.bytes.prefix(42) == [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,  // to everybody
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // from our card
        0x80, 0x35,  // RARP
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04,  // IPv4 over Ethernet
        0x00, 0x03,  // reverse request
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // sender's card
        0x00, 0x00, 0x00, 0x00,  // sender's address: unknown
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // the card that is asked about: the same
        0x00, 0x00, 0x00, 0x00,  // its address: the question
      ])
  }

  static let operations: [ARPPacket.Operation] = [.request, .reply, .reverseRequest, .reverseReply]

  @Test("a packet survives the wire", arguments: operations)
  func roundTrip(operation: ARPPacket.Operation) {
    let packet = ARPPacket(
      operation: operation, senderHardware: theirs, sender: gateway, targetHardware: ours, target: drone)
    #expect(EthernetFrame(packet.broadcastFrame.bytes).flatMap(ARPPacket.init(frame:)) == packet)
  }

  @Test("every shorter packet is refused", arguments: 0..<28)
  func short(length: Int) {
    #expect(ARPPacket(ARPPacket.probe(drone, by: ours).bytes.prefix(length)) == nil)
  }

  @Test("other networks than IPv4 over Ethernet are refused", arguments: 0..<8)
  func foreign(position: Int) {
    var bytes = ARPPacket.probe(drone, by: ours).bytes
    bytes[position] ^= 0x40
    #expect(ARPPacket(bytes) == nil)
  }

  @Test("a RARP operation under ARP's frame type is refused")
  func mixed() {
    var frame = ARPPacket.reverseRequest(by: ours).broadcastFrame
    frame.type = .arp
    #expect(ARPPacket(frame: frame) == nil)
  }
}

@Suite struct AddressProbeTests {
  private func frame(
    _ operation: ARPPacket.Operation, _ hardware: MACAddress, _ sender: IPv4Address, _ target: IPv4Address
  )
    -> [UInt8]
  {
    ARPPacket(
      operation: operation, senderHardware: hardware, sender: sender, targetHardware: .zero, target: target
    ).broadcastFrame.bytes
  }

  @Test("three probes go out, and 0.3 s after the first the address is free")
  func schedule() {
    var probe = AddressProbe(drone, hardware: ours, start: 1000)
    let question = ARPPacket.probe(drone, by: ours).broadcastFrame.bytes
    #expect(probe.step(at: 1000) == [.send(question)])
    #expect(probe.step(at: 1000) == [] && probe.nextDue == 1100)
    #expect(probe.step(at: 1099) == [])
    #expect(probe.step(at: 1100) == [.send(question)])
    #expect(probe.step(at: 1200) == [.send(question)])
    #expect(probe.step(at: 1201) == [] && probe.nextDue == 1300)
    #expect(probe.step(at: 1300) == [.use] && probe.nextDue == nil)
  }

  @Test("whoever uses the address, or probes for it too, is its holder")
  func holders() {
    let probe = AddressProbe(drone, hardware: ours, start: 0)
    #expect(probe.receive(frame(.reply, theirs, drone, .unspecified)) == theirs)
    #expect(probe.receive(frame(.request, theirs, drone, gateway)) == theirs)
    #expect(probe.receive(frame(.request, theirs, .unspecified, drone)) == theirs)
  }

  @Test("our own frames and other people's talk are no conflict")
  func others() {
    let probe = AddressProbe(drone, hardware: ours, start: 0)
    #expect(probe.receive(frame(.request, ours, .unspecified, drone)) == nil)
    #expect(probe.receive(frame(.reply, ours, drone, gateway)) == nil)
    #expect(probe.receive(frame(.reply, theirs, gateway, drone)) == nil)
    #expect(probe.receive(frame(.request, theirs, gateway, drone)) == nil)
    #expect(probe.receive([]) == nil)
  }
}

@Suite("Whose frame it is")
struct FrameOriginTests {
  private let ours = MACAddress(high: 0x5254, low: 0x0012_3456)
  private let theirs = MACAddress(high: 0x0200, low: 0x0000_000B)

  @Test("of ARP it is the packet's sender, whatever source its frame claims; of everything else the frame's source")
  func origin() {
    let packet = ARPPacket(
      operation: .reply, senderHardware: theirs, sender: IPv4Address(192, 168, 1, 21), targetHardware: .zero,
      target: .unspecified)
    var frame = packet.broadcastFrame
    #expect(frame.origin == theirs)
    // Who takes an address away by ARP puts its holder's own address in front.
    frame.source = ours
    #expect(frame.origin == theirs)
    frame.type = .ipv4
    #expect(frame.origin == ours)
    frame.payload = []
    frame.type = .arp
    #expect(frame.origin == ours)
  }
}
