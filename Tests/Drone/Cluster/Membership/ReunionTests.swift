import Addresses
import Bytes
import Testing

@testable import Membership

/// Who is called again after death, how often and for how long.
@Suite struct ReunionTests {
  private static let hour: UInt64 = 3_600_000

  /// Whom a node calls in a span of time in which nothing comes in.
  private func called(_ member: inout Membership, until end: UInt64) -> [MACAddress] {
    var called: [MACAddress] = []
    while member.nextDue <= end {
      for case .reconnect(let record) in member.step(at: member.nextDue) { called.append(record.mac) }
    }
    return called
  }

  /// A node whose `count` others all have died, at about the beginning.
  private func survivor(of count: UInt8) throws -> Membership {
    var member = try settledMember(1, of: count + 1)
    for number in 2...count + 1 {
      let other = member.member(0x0100 + UInt16(number))
      _ = member.receive(datagram(from: 2, .gossip, [try status(other, .dead, 0)]), from: address, at: 1)
    }
    return member
  }

  @Test("a dead node is called every ten seconds for a day, and every ten minutes from then on")
  func forgotten() throws {
    var member = try survivor(of: 1)
    let first = called(&member, until: 24 * ReunionTests.hour)
    #expect(Set(first) == [mac(2)] && (8000...9000).contains(first.count))
    _ = called(&member, until: 25 * ReunionTests.hour)
    #expect(member.state(of: mac(2)) == nil)
    #expect(called(&member, until: 75 * ReunionTests.hour) == Array(repeating: mac(2), count: 300))
  }

  @Test("a node that is alone calls all of its dead in turn, so that each is called within ten seconds for every one")
  func turns() throws {
    var member = try survivor(of: 12)
    _ = called(&member, until: 100_000)
    for turn in 1...3 as ClosedRange<UInt64> {
      let round = called(&member, until: 100_000 + turn * 120_000)
      #expect(round.count == 12 && Set(round).count == 12)
    }
  }

  @Test("no more than sixteen forgotten nodes are called, those that were lost last")
  func bounded() throws {
    var member = try survivor(of: 40)
    _ = called(&member, until: 25 * ReunionTests.hour)
    #expect(member.liveCount == 1 && member.reunions.strays.count == Reunions.mostStrays)
    let later = called(&member, until: 125 * ReunionTests.hour)
    #expect(later.count == 600 && Set(later.prefix(Reunions.mostStrays)).count == Reunions.mostStrays)
  }

  @Test(
    "who is a member again, or was removed, or whose address another member has, is called no longer", arguments: 0...2)
  func over(_ way: Int) throws {
    var member = try survivor(of: 2)
    _ = called(&member, until: 25 * ReunionTests.hour)
    let now = 25 * ReunionTests.hour
    switch way {
    case 0: member.view.apply(try node(2, id: 0x0102), .alive, vitals: 0, Provenance(spreads: false))
    case 1:
      let removal = Removal(
        isInForce: true, counter: 1, mac: mac(2), fingerprint: try node(2).fingerprint, id: 0x0102)
      member.view.insert(removal, Provenance(spreads: false))
    default:
      var heir = try node(9, id: 0x0109)
      heir.addresses = try node(2).addresses
      member.view.apply(heir, .alive, vitals: 0, Provenance(spreads: false))
    }
    _ = member.finish()
    var calls = 0
    while member.nextDue <= now + 50 * ReunionTests.hour {
      let time = member.nextDue
      for case .reconnect(let record) in member.step(at: time) where record.mac == mac(2) { calls += 1 }
      // The other is well.
      for id in [2, 9] as [UInt8] where member.state(of: mac(id))?.isLive == true {
        _ = member.receive(datagram(from: id, .ping(digest: nil)), from: address, at: time)
      }
    }
    #expect(calls == 0)
    // The third one still is.
    #expect(member.reunions.strays.contains { $0.mac == mac(3) })
  }

  @Test("a node that left of its own accord is not called")
  func left() throws {
    var member = try settledMember(1, of: 2)
    let other = member.member(0x0102)
    _ = member.receive(datagram(from: 2, .gossip, [try status(other, .left, 0)]), from: address, at: 1)
    #expect(called(&member, until: 30 * ReunionTests.hour) == [] && member.reunions.strays.isEmpty)
  }
}
