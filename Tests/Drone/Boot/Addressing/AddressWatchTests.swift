import Addresses
import Addressing
import Testing

/// Any frame of somebody who has nothing to do with the drone's address.
let talk = ARPPacket(
  operation: .request, senderHardware: theirs, sender: gateway, targetHardware: .zero,
  target: IPv4Address(192, 168, 1, 77)
).broadcastFrame.bytes

/// The holder's kernel answers a probe.
let holdersAnswer = ARPPacket(
  operation: .reply, senderHardware: theirs, sender: drone, targetHardware: ours, target: .unspecified
).broadcastFrame.bytes

private let probe = ARPPacket.probe(drone, by: ours).broadcastFrame.bytes
private let announcement = ARPPacket.announcement(drone, by: ours).broadcastFrame.bytes

@Suite struct AddressWatchTests {
  private func watch(hasHeard: Bool) -> AddressWatch {
    AddressWatch(drone, hardware: ours, hasHeard: hasHeard, start: 0)
  }

  /// Runs a watch by its own clock until nothing is due, and gives what it sent, and when it said that nothing is due.
  private func run(_ watch: inout AddressWatch, from start: UInt64) -> (sent: [UInt64: [[UInt8]]], end: UInt64) {
    var now = start
    var sent: [UInt64: [[UInt8]]] = [:]
    while true {
      for case .send(let frame) in watch.step(at: now) { sent[now, default: []].append(frame) }
      guard let time = watch.nextDue else { return (sent, now) }
      #expect(time > now)
      now = time
    }
  }

  @Test("behind a card that hears, probes follow after 1 and 2 s, an announcement with the second, and 3 s are the end")
  func hearing() {
    var watch = watch(hasHeard: true)
    let (sent, end) = run(&watch, from: 0)
    #expect(sent == [1000: [probe], 2000: [probe, announcement]])
    #expect(end == 3000)
    #expect(watch.isStanding)
  }

  @Test("behind a deaf card probes go on, more and more rarely, and the address stays new")
  func deaf() {
    var watch = watch(hasHeard: false)
    var sent: [UInt64] = []
    while let due = watch.nextDue, due < 1_000_000 {
      if !watch.step(at: due).isEmpty { sent.append(due) }
    }
    #expect(sent == (0..<10).map { 1000 << $0 })
    #expect(!watch.isStanding)
  }

  @Test(
    "the first sound, whatever it is, begins the three seconds", arguments: [0, 500, 1500, 20_000, 50_000] as [UInt64])
  func firstSound(time: UInt64) {
    var watch = watch(hasHeard: false)
    run(&watch, until: time)
    #expect(watch.receive(talk, at: time) == [])
    let (sent, end) = run(&watch, from: time)
    #expect(sent == [time + 1000: [probe], time + 2000: [probe, announcement]])
    #expect(end == time + 3000)
  }

  @Test("a new address is given up to whoever uses it", arguments: [10, 1001, 2999] as [UInt64])
  func new(time: UInt64) {
    var watch = watch(hasHeard: true)
    run(&watch, until: time)
    #expect(watch.receive(holdersAnswer, at: time) == [.yield(to: theirs)])
  }

  @Test(
    "a holder who is heard first when the switch opens has the address, however late",
    arguments: [32_001, 64_001] as [UInt64])
  func afterSpanningTree(time: UInt64) {
    var watch = watch(hasHeard: false)
    run(&watch, until: time - 1)
    #expect(watch.receive(holdersAnswer, at: time) == [.yield(to: theirs)])
  }

  @Test("an address that stands is defended, once in ten seconds, and never given up")
  func standing() {
    var watch = watch(hasHeard: true)
    _ = run(&watch, from: 0)
    var defences: [UInt64] = []
    var news: [UInt64] = []
    // Somebody forges a packet every 100 ms for an hour.
    for now in stride(from: 10_000 as UInt64, through: 3_610_000, by: 100) {
      for command in watch.receive(holdersAnswer, at: now) {
        switch command {
        case .send(let frame):
          #expect(frame == announcement)
          defences.append(now)
        case .report(let rival):
          #expect(rival == theirs)
          news.append(now)
        case .yield: return #expect(Bool(false), "given up at \(now)")
        }
      }
      #expect(watch.step(at: now) == [] && watch.nextDue == nil)
    }
    #expect(defences.count == 361)
    #expect(zip(defences, defences.dropFirst()).allSatisfy { $1 - $0 >= 10_000 })
    #expect(news == [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000, 2_560_000])
  }

  @Test("our own packets, other people's talk and a mere question are no conflict")
  func others() {
    var watch = watch(hasHeard: true)
    #expect(watch.receive(announcement, at: 1) == [])
    #expect(watch.receive(talk, at: 1) == [])
    #expect(watch.receive(ARPPacket.probe(drone, by: theirs).broadcastFrame.bytes, at: 1) == [])
    #expect(watch.receive([], at: 1) == [])
  }

  private func run(_ watch: inout AddressWatch, until end: UInt64) {
    var now: UInt64 = 0
    while now <= end {
      _ = watch.step(at: now)
      guard let time = watch.nextDue else { return }
      now = time
    }
  }
}

@Suite struct DeclineTests {
  @Test("a declined lease names the address, its server and the client, and claims no address")
  func decline() {
    let message = BOOTPMessage.decline(
      drone, leasedBy: gateway, hardware: ours, identifier: [1] + ours.octets, transaction: 0x1234_5678)
    #expect(message.operation == .request)
    #expect(message.clientAddress == .unspecified)
    #expect(
      Array(message.bytes[240...].prefix(25)) == [
        53, 1, 4,  // message type: decline
        50, 4, 192, 168, 1, 21,  // the address
        54, 4, 192, 168, 1, 1,  // whose lease it is
        61, 7, 1, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,  // the client: Ethernet
        255,  // end
      ])
  }
}
