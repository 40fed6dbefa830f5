import Addresses
import Bytes
import Testing

@testable import Membership

/// Who is removed, and who may say so.
@Suite struct RemovalTests {
  private static let record = Removal(
    isInForce: true, counter: 3, mac: mac(3), fingerprint: Fingerprint(1, 2, 3, 4), id: 3)

  @Test(
    "the higher counter is believed, and of two with the same one the removal",
    arguments: [
      (true, 4, true), (false, 4, true), (true, 3, false), (false, 3, false), (true, 2, false), (false, 2, false),
    ] as [(Bool, UInt32, Bool)])
  func counters(_ isInForce: Bool, _ counter: UInt32, _ wins: Bool) {
    var other = RemovalTests.record
    other.isInForce = isInForce
    other.counter = counter
    #expect(other.supersedes(RemovalTests.record) == wins)
    var allowed = RemovalTests.record
    allowed.isInForce = false
    #expect(RemovalTests.record.supersedes(allowed))
  }

  @Test("a removal is told to the removed node too, goes with the map, and ends with allow")
  func removal() throws {
    var member = try settledMember(1, of: 5)
    #expect(member.remove(0x0101, at: 1).outcome == .unknown, "itself")
    #expect(member.remove(0x0999, at: 1).outcome == .unknown, "nobody")
    var victim = try settledMember(3, of: 1)
    let record = try #require(member.member(0x0103))
    let (outcome, commands) = member.remove(0x0103, at: 1)
    #expect(
      outcome == .done && events(commands) == [.removed(record)] && member.liveCount == 4
        && member.state(of: mac(3)) == nil)
    let last = try #require(sent(commands).first { $0.to == 3 })
    #expect(events(victim.receive(last.bytes, from: address, at: 1)) == [.removed(victim.own)] && !victim.isActive)

    var fresh = Membership(try node(60), cluster: cluster, authority: .sample, at: 0, seed: 3)
    _ = try fresh.join(map: member.map(at: 1), at: 1)
    #expect(fresh.isRemoved(mac(3), record.fingerprint))
    var again = Membership(try node(3, life: 2), cluster: cluster, authority: .sample, at: 0, seed: 3)
    #expect(events(try again.join(map: fresh.map(at: 1), at: 1)).contains(.removed(again.own)))
    #expect(!again.isActive)

    #expect(fresh.allow(0x0103, at: 2).outcome == .done && fresh.allow(0x0103, at: 2).outcome == .unknown)
    let allowed = events(try member.receive(map: fresh.map(at: 2), at: 2))
    #expect(allowed.contains(.allowed(mac(3), record.fingerprint)) && !member.isRemoved(mac(3), record.fingerprint))
    #expect(member.remove(0x0103, at: 3).outcome == .unknown, "nobody has the id now")
  }

  @Test("the others hear of a removal before the removed node does")
  func order() throws {
    var member = try settledMember(1, of: 5)
    let told = sent(member.remove(0x0103, at: 1).commands).map { $0.to }
    #expect(told.last == 3 && Set(told) == [2, 3, 4, 5])
  }

  /// What a removed node, or a member that lies, can make of a removal without the authority's key.
  private static func forged(_ number: UInt8, _ isInForce: Bool, _ counter: UInt32) -> Removal {
    Removal(
      isInForce: isInForce, counter: counter, mac: mac(number),
      fingerprint: Fingerprint(1 << 32 | UInt64(number), 2, 3, 4),
      id: 0x0100 | UInt16(number))
  }

  @Test("a removed node cannot lift its own removal, by datagrams or by maps, whatever counter it chooses")
  func ownLift() throws {
    var member = try settledMember(1, of: 5)
    #expect(member.remove(0x0103, at: 1).outcome == .done)
    let lift = RemovalTests.forged(3, false, Removal.largestCounter)
    _ = member.receive(datagram(from: 2, .gossip, [.removal(lift)]), from: IPv4Address(192, 168, 1, 2), at: 2)
    var map = try Membership(node(4), cluster: cluster, at: 0, seed: 1).ownMap(at: 2)
    map.append(lift)
    #expect(!events(try member.receive(map: map, at: 3)).contains(.allowed(mac(3), lift.fingerprint)))
    #expect(member.isRemoved(mac(3), lift.fingerprint) && member.counters.unproven == 2)
    // Nor does it begin as a member with somebody who asks it for the map.
    var newcomer = try Membership(node(60), cluster: cluster, authority: .sample, at: 0, seed: 3)
    _ = try newcomer.join(map: map, at: 3)
    #expect(newcomer.counters.unproven == 1 && newcomer.view.removals.entries.isEmpty)
  }

  @Test("invented removals remove nobody, take no room, and cost a look a minute for each member that tells them")
  func invented() throws {
    var member = try settledMember(1, of: 5)
    let liar = IPv4Address(192, 168, 1, 2)
    for number in 0..<200 as Range<UInt8> {
      let items: [Item] = [
        .removal(RemovalTests.forged(number, true, 5)), .removal(RemovalTests.forged(4, true, 9)),
      ]
      _ = member.receive(datagram(from: 2, .gossip, items), from: liar, at: 10)
    }
    #expect(member.counters.unproven == 1 && member.liveCount == 5 && member.view.removals.entries.isEmpty)
    _ = member.receive(
      datagram(from: 2, .gossip, [.removal(RemovalTests.forged(4, true, 9))]), from: liar, at: 60_011)
    #expect(member.counters.unproven == 2)
    #expect(member.remove(0x0104, at: 60_012).outcome == .done)
  }

  @Test("a node without the authority's key removes and allows nobody; one that has it and a full list says so")
  func outcomes() throws {
    var plain = try Membership(node(1), cluster: cluster, authority: .sampleWithoutKey, at: 0, seed: 1)
    _ = try plain.receive(map: Membership(node(2), cluster: cluster, at: 0, seed: 1).ownMap(at: 0), at: 0)
    #expect(plain.remove(0x0102, at: 1).outcome == .unsigned && plain.liveCount == 2)
    var member = try settledMember(1, of: 5)
    #expect(member.remove(0x0102, at: 1).outcome == .done)
    // It does believe what another one signed.
    _ = try plain.receive(map: member.map(at: 2), at: 2)
    #expect(plain.isRemoved(mac(2), Fingerprint(9, 9, 9, 9)) && plain.allow(0x0102, at: 3).outcome == .unsigned)
    for number in 0..<255 as Range<UInt64> {
      var record = try node(9)
      record.mac = try #require(MACAddress(bits: 0x5254_0099_0000 | number))
      record.fingerprint = Fingerprint(number, 9, 9, 9)
      record.id = 0x0900 | UInt16(number)
      _ = try member.receive(map: Membership(record, cluster: cluster, at: 0, seed: 1).ownMap(at: 3), at: 3)
      #expect(member.remove(record.id, at: 3).outcome == .done)
    }
    #expect(member.remove(0x0103, at: 4).outcome == .full && member.liveCount == 4)
  }
}
