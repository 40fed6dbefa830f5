import Addresses
import Addressing
import TestSupport
import Testing

@Suite struct AddressInquiryTests {
  @Test("questions go out at once, then after 1, 2, 4, 8, 16, 16 seconds")
  func schedule() {
    var inquiry = AddressInquiry(.rarp, hardware: ours, transaction: 0, start: 500)
    var now: UInt64 = 500
    var gaps: [UInt64] = []
    for _ in 0..<7 {
      #expect(inquiry.step(at: now, random: 0) != nil)
      #expect(inquiry.step(at: now, random: 0) == nil)
      gaps.append(inquiry.nextDue - now)
      now = inquiry.nextDue
    }
    #expect(gaps == [1000, 2000, 4000, 8000, 16000, 16000, 16000])
  }

  @Test("chance makes an interval up to a quarter longer", arguments: [0, 1, 249, 250, .max] as [UInt32])
  func chance(random: UInt32) {
    var inquiry = AddressInquiry(.bootp, hardware: ours, transaction: 0, start: 0)
    _ = inquiry.step(at: 0, random: random)
    #expect((1000..<1250).contains(inquiry.nextDue))
  }

  @Test("a BOOTP question says how long has been waited")
  func seconds() throws {
    var inquiry = AddressInquiry(.bootp, hardware: ours, transaction: 7, start: 0)
    let question = inquiry.step(at: 65_000, random: 0)
    let bytes = try #require(question)
    let payload = try #require(EthernetFrame(bytes).flatMap { UDPDatagram(ipv4: $0.payload) }?.payload)
    let message = try #require(BOOTPMessage(payload))
    #expect(message.seconds == 65)
    #expect(message.transaction == 7)
  }

  @Test("a BOOTP answer is for our card and our question")
  func bootp() {
    let inquiry = AddressInquiry(.bootp, hardware: ours, transaction: 0x1234_5678, start: 0)
    #expect(inquiry.receive(replyFrame().bytes)?.address == drone)
    #expect(inquiry.receive(replyFrame(transaction: 1).bytes) == nil)
    #expect(inquiry.receive(replyFrame(hardware: theirs).bytes) == nil)
    #expect(inquiry.receive(replyFrame([VendorExtension(.messageType, [2])]).bytes) == nil)
  }

  @Test("a RARP answer is for our card")
  func rarp() {
    let inquiry = AddressInquiry(.rarp, hardware: ours, transaction: 0, start: 0)
    func answer(_ operation: ARPPacket.Operation, _ target: MACAddress, _ address: IPv4Address) -> AddressConfiguration?
    {
      inquiry.receive(
        ARPPacket(
          operation: operation, senderHardware: theirs, sender: gateway, targetHardware: target, target: address
        ).broadcastFrame.bytes)
    }
    #expect(answer(.reverseReply, ours, drone)?.address == drone)
    #expect(answer(.reverseReply, ours, drone)?.server == gateway)
    #expect(answer(.reverseReply, theirs, drone) == nil)
    #expect(answer(.reverseRequest, ours, drone) == nil)
    #expect(answer(.reply, ours, drone) == nil)
    #expect(answer(.reverseReply, ours, .unspecified) == nil)
  }

  @Test("any bytes give an answer or none, never a trap", arguments: 0..<8 as Range<UInt64>)
  func anyBytes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let inquiries = [AddressInquiry.Method.bootp, .rarp].map {
      AddressInquiry($0, hardware: ours, transaction: 0x1234_5678, start: 0)
    }
    let probe = AddressProbe(drone, hardware: ours, start: 0)
    let seeds = [
      replyFrame([VendorExtension(.subnetMask, [255, 255, 255, 0]), VendorExtension(.routers, [1, 2, 3, 4])]).bytes,
      ARPPacket.reverseRequest(by: ours).broadcastFrame.bytes, ARPPacket.probe(drone, by: theirs).broadcastFrame.bytes,
    ]
    for round in 0..<5000 {
      // Half pure chance, half a good frame with a few bytes changed and a new end.
      var bytes = round % 2 == 0 ? generator.bytes(Int(generator.next() % 400)) : seeds[round / 2 % seeds.count]
      if round % 2 == 1 {
        for _ in 0...generator.next() % 4 {
          bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
        }
        bytes = [UInt8](bytes.prefix(Int(generator.next() % UInt64(bytes.count + 40))))
      }
      for inquiry in inquiries {
        if let answer = inquiry.receive(bytes) { #expect(answer.address.isHostAddress) }
      }
      _ = probe.receive(bytes)
      // Behind the checksums, too, which chance hardly ever gets right.
      if let message = BOOTPMessage(bytes) { #expect(BOOTPMessage(message.bytes)?.extensions == message.extensions) }
      if bytes.count > 42 { _ = BOOTPMessage([UInt8](bytes.dropFirst(42)))?.configuration }
    }
  }
}
