import Addresses
import Addressing
import Bytes
import Testing

@Suite struct CardTests {
  private func card(_ index: Int32, _ name: String) -> Card {
    Card(index: index, name: [UInt8](name.utf8), hardware: MACAddress(octets: [2, 0, 0, 0, 0, UInt8(index)]) ?? .zero)
  }

  private var cards: [Card] { [card(5, "eth10"), card(3, "eth2"), card(9, "eth0")] }

  @Test("all cards stand in the order that people count in")
  func order() {
    #expect(Card.candidates(named: nil, booted: nil, among: cards).map(\.index) == [9, 3, 5])
  }

  @Test("a named card is the only one, or none")
  func named() {
    #expect(Card.candidates(named: [UInt8]("eth2".utf8), booted: ours, among: cards).map(\.index) == [3])
    #expect(Card.candidates(named: [UInt8]("eth7".utf8), booted: nil, among: cards).isEmpty)
  }

  @Test("the card that the machine was booted from is the only one, if it is there")
  func booted() {
    #expect(Card.candidates(named: nil, booted: cards[0].hardware, among: cards).map(\.index) == [5])
    #expect(Card.candidates(named: nil, booted: theirs, among: cards).count == 3)
  }
}

@Suite struct AddressTaskTests {
  private let first = Card(index: 2, name: [UInt8]("eth0".utf8), hardware: ours, linkSince: 0)
  private let second = Card(index: 3, name: [UInt8]("eth1".utf8), hardware: theirs, linkSince: 0)
  private let fixed: AddressTask.Goal
  private let configuration: AddressConfiguration

  init() throws {
    configuration = try #require(AddressConfiguration(address: drone))
    fixed = .fixed(configuration)
  }

  private func unlinked(_ card: Card) -> Card {
    var card = card
    card.linkSince = nil
    return card
  }

  /// Runs a task by its own clock until `end`, and gives all commands with their times.
  private func run(_ task: inout AddressTask, from start: UInt64 = 0, until end: UInt64, _ cards: [Card])
    -> [(time: UInt64, command: AddressTask.Command)]
  {
    var now = start
    var out: [(time: UInt64, command: AddressTask.Command)] = []
    while now <= end {
      out += task.step(at: now, cards) { 0 }.map { (now, $0) }
      guard let next = task.nextDue else { break }
      #expect(next > now)
      now = next
    }
    return out
  }

  private func isSending(_ command: AddressTask.Command) -> Bool {
    if case .send = command { true } else { false }
  }

  @Test("a fixed address is probed for, announced and set within 0.6 s, and no DHCP client is wanted")
  func fixedAddress() {
    var task = AddressTask(fixed)
    let commands = run(&task, until: 1000, [first, second])
    #expect(commands.last?.command == .configure(card: 2, configuration, .fixed))
    #expect(commands.last.map { $0.time <= 600 } == true)
    #expect(commands.count == 5)  // three probes and the announcement before it
    #expect(task.stage == .settled(card: 2, .fixed))
    #expect(task.dhcpCards == [])
    #expect(task.listening == [.init(card: 2, type: .arp)])
  }

  @Test("an address in use is watched: for its first seconds with all that is heard, then for its own packets alone")
  func watching() {
    var task = AddressTask(fixed)
    let commands = run(&task, until: 60_000, [first])
    #expect(commands.suffix(7).allSatisfy { isSending($0.command) })
    #expect(commands.dropLast(7).last?.command == .configure(card: 2, configuration, .fixed))
    #expect(task.listening == [.init(card: 2, type: .arp)], "nothing was heard yet")
    task.receive(talk, on: 2, at: 60_000)
    #expect(run(&task, from: 60_000, until: 99_000, [first]).map(\.time) == [61_000, 62_000, 62_000])
    #expect(task.nextDue == nil)
    #expect(task.listening == [.init(card: 2, type: .arp, sender: drone)])
    #expect(!task.isIdle)
  }

  @Test("a fixed address whose holder is heard after it was set is taken away for good")
  func lateConflict() {
    var task = AddressTask(fixed)
    _ = run(&task, until: 1600, [first])
    task.receive(holdersAnswer, on: 3, at: 1600)  // on another card's wire
    #expect(task.step(at: 1600, [first]) { 0 } == [])
    task.receive(holdersAnswer, on: 2, at: 1601)
    #expect(task.step(at: 1601, [first]) { 0 } == [.withdraw(card: 2, drone, .fixed, holder: theirs)])
    #expect(run(&task, from: 1602, until: 99_000, [first]).isEmpty)
    #expect(task.stage == .ended)
    #expect(task.isIdle)
  }

  @Test("an address that has been used for some time stays, and whoever else uses it is reported and answered")
  func contested() {
    var task = AddressTask(fixed)
    _ = run(&task, until: 1000, [first])
    task.receive(talk, on: 2, at: 1000)
    _ = run(&task, from: 1000, until: 60_000, [first])
    task.receive(holdersAnswer, on: 2, at: 60_000)
    task.receive(holdersAnswer, on: 2, at: 60_001)
    #expect(
      task.step(at: 60_001, [first]) { 0 } == [
        .send(card: 2, frame: ARPPacket.announcement(drone, by: ours).broadcastFrame.bytes),
        .contested(card: 2, drone, rival: theirs),
      ])
    #expect(task.stage == .settled(card: 2, .fixed))
  }

  @Test("an address that somebody took away by hand is neither asked for nor defended")
  func removed() {
    var task = AddressTask(fixed)
    _ = run(&task, until: 1000, [first])
    task.receiveLoss(of: gateway, on: 2)
    task.receiveLoss(of: drone, on: 3)
    #expect(!task.isIdle)
    task.receiveLoss(of: drone, on: 2)
    #expect(task.isIdle)
    task.receive(holdersAnswer, on: 2, at: 1001)
    #expect(run(&task, from: 1001, until: 99_000, [first]).isEmpty)
  }

  @Test(
    "a lease whose holder is heard is declined, and all cards ask again after ten seconds", arguments: [nil, [0, 7]])
  func lateConflictOfLease(identifier: [UInt8]?) {
    var lease = configuration
    lease.server = gateway
    var task = AddressTask(.ask([.dhcp, .bootp]), identifier: identifier)
    _ = task.step(at: 0, [first, second]) { 0 }
    task.receive(.bound(lease), on: 2)
    _ = task.step(at: 5, [first, second]) { 0 }
    task.receive(holdersAnswer, on: 2, at: 1010)
    let decline = BOOTPMessage.decline(
      drone, leasedBy: gateway, hardware: ours, identifier: identifier ?? [1] + ours.octets, transaction: 9)
    #expect(
      task.step(at: 1010, [first, second]) { 9 } == [
        .withdraw(card: 2, drone, .dhcp, holder: theirs),
        .send(card: 2, frame: decline.broadcastFrame?.bytes ?? []),
      ])
    #expect(task.stage == .searching)
    #expect(task.dhcpCards == [])
    #expect(task.listening == [])
    #expect(task.nextDue == 11_010)
    #expect(task.step(at: 11_009, [first, second]) { 0 } == [])
    #expect(task.dhcpCards == [])
    _ = task.step(at: 11_010, [first, second]) { 0 }
    #expect(task.dhcpCards == [2, 3])
  }

  @Test("a RARP address whose holder is heard after it was set is asked for again after ten seconds")
  func lateConflictOfRARP() {
    var task = AddressTask(.ask(.rarp))
    _ = task.step(at: 0, [first]) { 0 }
    task.receive(
      ARPPacket(
        operation: .reverseReply, senderHardware: theirs, sender: gateway, targetHardware: ours, target: drone
      ).broadcastFrame.bytes, on: 2, at: 10)
    _ = run(&task, from: 10, until: 1600, [first])
    #expect(task.stage == .settled(card: 2, .rarp))
    task.receive(holdersAnswer, on: 2, at: 1601)
    #expect(task.step(at: 1601, [first]) { 0 } == [.withdraw(card: 2, drone, .rarp, holder: theirs)])
    let sent = run(&task, from: 1602, until: 12_000, [first])
    #expect(sent.map(\.time) == [11_601])
  }

  @Test("a taken address is reported with its holder and never set")
  func taken() {
    var task = AddressTask(fixed)
    _ = task.step(at: 0, [first]) { 0 }
    task.receive(holdersAnswer, on: 2, at: 10)
    #expect(task.step(at: 10, [first]) { 0 } == [.conflict(card: 2, drone, .fixed, holder: theirs)])
    #expect(run(&task, from: 11, until: 60_000, [first]).isEmpty)
    #expect(task.stage == .ended)
  }

  @Test("a fixed address waits for a link, and an earlier card is preferred while links come up")
  func links() {
    var task = AddressTask(fixed)
    #expect(run(&task, until: 5000, [unlinked(first), unlinked(second)]).isEmpty)
    #expect(task.stage == .searching)
    #expect(task.step(at: 100, [unlinked(first), second]) { 0 } == [])
    #expect(task.nextDue == 1000)
    #expect(task.step(at: 900, [first, second]) { 0 }.count == 1)
    #expect(task.listening == [.init(card: 2, type: .arp)])

    var other = AddressTask(fixed)
    let commands = run(&other, until: 2000, [unlinked(first), second])
    #expect(commands.last?.command == .configure(card: 3, configuration, .fixed))
  }

  @Test("a link that goes while its card is being probed starts the choice again")
  func lostLink() {
    var task = AddressTask(fixed)
    _ = task.step(at: 0, [first]) { 0 }
    _ = task.step(at: 100, [unlinked(first)]) { 0 }
    #expect(task.listening == [])
    let commands = run(&task, from: 5000, until: 6000, [first])
    #expect(commands.last?.command == .configure(card: 2, configuration, .fixed))
  }

  @Test("all linked cards ask at once, BOOTP a second after DHCP and RARP another later")
  func asking() {
    var task = AddressTask(.ask([.dhcp, .bootp, .rarp]))
    #expect(task.step(at: 0, [first, second]) { 0 } == [])
    #expect(task.dhcpCards == [2, 3])
    let sent = run(&task, from: 1, until: 2000, [first, second]).map { $0.time }
    #expect(sent == [1000, 1000, 2000, 2000, 2000, 2000])
  }

  @Test("without DHCP the first question goes out at once")
  func bootpAlone() {
    var task = AddressTask(.ask([.bootp, .rarp]))
    #expect(task.step(at: 0, [first]) { 0 }.count == 2)
    #expect(task.dhcpCards == [])
  }

  @Test("the first lease wins and only its client goes on; a renewed lease is passed on")
  func lease() {
    var task = AddressTask(.ask([.dhcp, .bootp, .rarp]))
    _ = task.step(at: 0, [first, second]) { 0 }
    task.receive(.deconfigured, on: 2)
    task.receive(.bound(configuration), on: 3)
    task.receive(.bound(configuration), on: 2)  // too late
    #expect(task.step(at: 5, [first, second]) { 0 } == [.configure(card: 3, configuration, .dhcp)])
    #expect(task.dhcpCards == [3])
    _ = run(&task, from: 5, until: 9000, [first, second])
    #expect(task.listening == [.init(card: 3, type: .arp, sender: drone)])
    task.receive(.bound(configuration), on: 3)
    #expect(task.step(at: 9001, [first, second]) { 0 } == [.configure(card: 3, configuration, .dhcp)])
    // The address is the same: it is not new again.
    #expect(task.nextDue == nil)
  }

  @Test("a lost lease is released and all cards ask again")
  func lostLease() {
    var task = AddressTask(.ask(.dhcp))
    _ = task.step(at: 0, [first, second]) { 0 }
    task.receive(.bound(configuration), on: 3)
    _ = task.step(at: 5, [first, second]) { 0 }
    task.receive(.deconfigured, on: 3)
    #expect(task.step(at: 9000, [first, second]) { 0 } == [.release(card: 3)])
    #expect(task.dhcpCards == [2, 3])
  }

  @Test("a BOOTP answer is probed before it is used")
  func bootpAnswer() {
    var task = AddressTask(.ask(.bootp))
    guard case .send(2, let question)? = task.step(at: 0, [first], random: { 0x1234_5678 }).first else {
      Issue.record("nothing was asked")
      return
    }
    #expect(EthernetFrame(question)?.type == .ipv4)
    task.receive(replyFrame().bytes, on: 2, at: 20)
    let commands = run(&task, from: 20, until: 900, [first])
    guard case .configure(2, let got, .bootp)? = commands.last?.command else {
      Issue.record("no address")
      return
    }
    #expect(got.address == drone)
    #expect(task.dhcpCards == [])
  }

  @Test("a RARP address that somebody has is reported, and asked for again later")
  func rarpConflict() {
    var task = AddressTask(.ask(.rarp), server: gateway)
    _ = task.step(at: 0, [first]) { 0 }
    let answer = ARPPacket(
      operation: .reverseReply, senderHardware: theirs, sender: gateway, targetHardware: ours, target: drone)
    var stranger = answer
    stranger.sender = IPv4Address(192, 168, 1, 66)
    task.receive(stranger.broadcastFrame.bytes, on: 2, at: 5)
    #expect(task.step(at: 5, [first]) { 0 } == [])
    task.receive(answer.broadcastFrame.bytes, on: 2, at: 10)
    #expect(task.step(at: 10, [first]) { 0 }.allSatisfy(isSending))
    task.receive(holdersAnswer, on: 2, at: 20)
    #expect(task.step(at: 20, [first]) { 0 } == [.conflict(card: 2, drone, .rarp, holder: theirs)])
    #expect(run(&task, from: 21, until: 1500, [first]).count == 1)
  }

  @Test("a lease that comes while a BOOTP answer is being probed wins")
  func leaseDuringProbe() {
    var task = AddressTask(.ask([.dhcp, .bootp]))
    _ = task.step(at: 0, [first]) { 0x1234_5678 }
    task.receive(replyFrame().bytes, on: 2, at: 20)
    _ = task.step(at: 20, [first]) { 0 }
    task.receive(.bound(configuration), on: 2)
    #expect(task.step(at: 30, [first]) { 0 } == [.configure(card: 2, configuration, .dhcp)])
    #expect(task.listening == [.init(card: 2, type: .arp)])
  }

  @Test("after its end a task does nothing, whatever comes")
  func ended() {
    var task = AddressTask(.ask([.dhcp, .bootp, .rarp]))
    _ = task.step(at: 0, [first]) { 0x1234_5678 }
    task.end()
    task.receive(.bound(configuration), on: 2)
    task.receive(replyFrame().bytes, on: 2, at: 20)
    #expect(run(&task, from: 30, until: 99_000, [first]).isEmpty)
    #expect(task.dhcpCards == [])
    #expect(task.listening == [])
  }

  @Test("cards that get their link later are asked on too, and cards that lose it no longer")
  func lateLinks() {
    var task = AddressTask(.ask([.dhcp, .bootp]))
    #expect(task.step(at: 0, [unlinked(first)]) { 0 } == [])
    #expect(task.dhcpCards == [])
    _ = task.step(at: 20_000, [first, unlinked(second)]) { 0 }
    #expect(task.dhcpCards == [2])
    _ = task.step(at: 30_000, [unlinked(first), second]) { 0 }
    #expect(task.dhcpCards == [3])
    #expect(task.listening == [.init(card: 3, type: .ipv4)])
  }
}
