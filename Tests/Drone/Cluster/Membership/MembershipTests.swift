import Addresses
import Bytes
import Testing

@testable import Membership

/// What one node does with what it is told.
@Suite struct MembershipTests {
  // MARK: Ids

  @Test("the id is the low 16 bits of the address, or the next one that nobody has, had or was removed with")
  func ids() throws {
    #expect(Membership(try node(11), cluster: cluster, authority: .sample, at: 0, seed: 1).own.id == 0x010B)
    var first = Membership(try node(11), cluster: cluster, authority: .sample, at: 0, seed: 1)
    _ = try first.receive(
      map: Membership(try node(12), cluster: cluster, authority: .sample, at: 0, seed: 1).ownMap(at: 0), at: 0)
    _ = first.remove(0x010C, at: 0)
    first.view.apply(try node(13, id: 0x010D), .dead, vitals: 0, Provenance(spreads: false, isHistory: true))
    // Another subnet whose low bits are the same.
    var record = try node(9)
    record.addresses = try #require(AddressList([IPv4Address(192, 169, 1, 11)]))
    var joiner = Membership(record, cluster: cluster, authority: .sample, at: 0, seed: 2)
    #expect(joiner.own.id == 0x010B)
    _ = try joiner.join(map: first.map(at: 0), at: 1)
    #expect(joiner.own.id == 0x010E)
  }

  @Test(
    "of two with one id the one with the higher MAC takes the next free one, and says so", arguments: [(8, 9), (9, 8)])
  func collision(_ own: UInt8, _ other: UInt8) throws {
    var membership = Membership(try node(own, id: 0x0200), cluster: cluster, authority: .sample, at: 0, seed: 1)
    let commands = try membership.receive(
      map: Membership(try node(other, id: 0x0200), cluster: cluster, authority: .sample, at: 0, seed: 1).ownMap(at: 0),
      at: 1)
    #expect(membership.own.id == (own > other ? 0x0201 : 0x0200))
    #expect(membership.own.incarnation == (own > other ? 1 : 0))
    let says = events(commands).contains { event in if case .changed = event { true } else { false } }
    #expect(says == (own > other))
  }

  // MARK: Joining

  @Test("a newcomer knows all members, and the member that let it in knows it before its first datagram")
  func joining() throws {
    var member = try settledMember(1, of: 5)
    var joiner = Membership(try node(50), cluster: cluster, authority: .sample, at: 0, seed: 7)
    let seen = events(try joiner.join(map: member.map(at: 0), at: 0))
    #expect(seen.count == 5 && joiner.liveCount == 6)
    let heard = events(try member.receive(map: joiner.ownMap(at: 0), at: 0))
    #expect(heard == [.joined(joiner.own)])
    #expect(member.member(joiner.own.id) == joiner.own)
    // What it learned is no news to others, what it is itself is.
    #expect(joiner.view.pending == [MemberTable.own])
  }

  @Test("a node that speaks in clear is no member where others do not, nor the other way round, however it is told of")
  func otherProtection() throws {
    for isInClear in [false, true] {
      var own = try node(1)
      own.isInClear = isInClear
      for (other, count) in [(isInClear, 2), (!isInClear, 1)] {
        var record = try node(50, id: 0x0150)
        record.isInClear = other
        var told = Membership(own, cluster: cluster, authority: .sample, at: 0, seed: 1)
        _ = told.receive(datagram(from: 9, .gossip, [.record(record, .alive, vitals: 0)]), from: address, at: 1)
        #expect(told.liveCount == count)
        #expect(told.counters.otherProtection == (count == 1 ? 1 : 0))
        var given = Membership(own, cluster: cluster, authority: .sample, at: 0, seed: 1)
        let map = Membership(record, cluster: cluster, authority: .sample, at: 0, seed: 2).ownMap(at: 0)
        _ = try given.receive(map: map, at: 1)
        #expect(given.liveCount == count)
        var joined = Membership(own, cluster: cluster, authority: .sample, at: 0, seed: 1)
        _ = try joined.join(map: map, at: 1)
        #expect(joined.liveCount == count)
      }
    }
  }

  @Test("another IPv6 address is news to all, and changes the record")
  func addresses6() throws {
    var member = try settledMember(1, of: 2)
    var record = member.own
    record.addresses6 = AddressList6([IPv6Address(high: 0xFD00_0000_0000_0000, low: 1)])
    _ = member.receiveOwn(record, at: 10)
    #expect(member.own.addresses6 == record.addresses6 && member.own.incarnation == 1)
    var other = try settledMember(2, of: 1)
    _ = try other.receive(map: member.ownMap(at: 10), at: 10)
    #expect(other.member(member.own.id)?.addresses6 == record.addresses6)
  }

  @Test("a machine that restarts with empty memory is itself again, with a higher incarnation")
  func restart() throws {
    var member = try settledMember(1, of: 5)
    let before = try #require(member.member(0x0103))
    var again = Membership(try node(3, life: 2), cluster: cluster, authority: .sample, at: 0, seed: 7)
    _ = try again.join(map: member.map(at: 0), at: 0)
    #expect(again.own.id == 0x0103 && again.own.incarnation == before.incarnation + 1)
    let seen = events(try member.receive(map: again.ownMap(at: 0), at: 0))
    #expect(seen == [.changed(again.own, from: before)])
    #expect(member.liveCount == 5)
  }

  @Test("a new lease changes the address and not the id")
  func lease() throws {
    var member = try settledMember(1, of: 3)
    var other = Membership(try node(2, id: 0x0102), cluster: cluster, authority: .sample, at: 0, seed: 7)
    _ = try other.join(map: member.map(at: 0), at: 0)
    _ = try member.receive(map: other.ownMap(at: 0), at: 0)
    var record = other.own
    record.addresses = try #require(AddressList([IPv4Address(192, 168, 9, 200)]))
    let before = other.own.incarnation
    _ = other.receiveOwn(record, at: 5)
    #expect(other.own.id == 0x0102 && other.own.incarnation == before + 1)
    let seen = events(try member.receive(map: other.ownMap(at: 5), at: 5))
    #expect(seen.count == 1 && member.member(0x0102)?.addresses == record.addresses)
    // Load alone is no news.
    record.load = 700
    #expect(other.receiveOwn(record, at: 6) == [] && other.own.incarnation == before + 1 && other.own.load == 700)
  }

  @Test("a processor's speed is what it was first, however it changes; unknown at first, it is news once")
  func speed() throws {
    var record = try node(1)
    record.speed = 0
    var member = Membership(record, cluster: cluster, authority: .sample, at: 0, seed: 1)
    let before = member.own.incarnation
    for (speed, incarnation) in [(0, before), (800, before + 1), (3600, before + 1), (0, before + 1)] {
      record.speed = UInt32(speed)
      _ = member.receiveOwn(record, at: 5)
      #expect(member.own.incarnation == incarnation && member.own.speed == (incarnation == before ? 0 : 800))
    }
  }

  @Test("an address that changed just before the end is told before the end is", arguments: [NodeState.left, .dead])
  func changedAndGone(_ state: NodeState) throws {
    var member = try settledMember(1, of: 5)
    let before = try #require(member.member(0x0103))
    var record = before
    record.addresses = try #require(AddressList([IPv4Address(192, 168, 1, 203)]))
    record.incarnation = 1
    let seen = events(
      member.receive(datagram(from: 2, .gossip, [.record(record, state, vitals: 0)]), from: address, at: 1))
    #expect(seen.count == 2)
    guard case .changed(let new, let old)? = seen.first else {
      Issue.record("\(seen)")
      return
    }
    #expect(old == before && new.addresses == record.addresses)
    #expect(seen.last == (state == .left ? .left(new) : .died(new)))
  }

  @Test("nobody is sought at a dead node's address while somebody else lives there", arguments: [true, false])
  func heir(_ hasHeir: Bool) throws {
    var member = try settledMember(1, of: 5)
    let dead = try #require(member.member(0x0103))
    _ = member.receive(datagram(from: 2, .gossip, [try status(dead, .dead, 0)]), from: address, at: 1)
    if hasHeir {
      // Another card in the same machine.
      var heir = try node(77, id: 0x0177)
      heir.addresses = dead.addresses
      let met = Membership(heir, cluster: cluster, authority: .sample, at: 0, seed: 3).ownMap(at: 0)
      #expect(events(try member.receive(map: met, at: 2)).count == 1)
    }
    var sought = 0
    while member.nextDue <= 60_000 {
      let now = member.nextDue
      for case .reconnect(let record) in member.step(at: now) where record.mac == dead.mac { sought += 1 }
      // The others are well.
      for id in [2, 4, 5, 77] as [UInt8] where member.state(of: mac(id)) != nil {
        _ = member.receive(datagram(from: id, .ping(digest: nil)), from: address, at: now)
      }
    }
    #expect(hasHeir ? sought == 0 : sought > 0)
  }

  // MARK: Datagrams

  @Test("what is another cluster's, damaged, or a removed node's is counted and has no effect")
  func ignored() throws {
    var member = try settledMember(1, of: 5)
    let foreign = Datagram(cluster: ClusterIdentifier(bits: 1), sender: mac(2), number: 1, body: .ping(digest: nil))
      .bytes
    #expect(member.receive(foreign, from: address, at: 1) == [])
    #expect(member.receive([1, 2, 3], from: address, at: 1) == [])
    #expect(member.receive(datagram(from: 1, .ping(digest: nil)), from: address, at: 1) == [])
    let removed = try #require(member.member(0x0103))
    #expect(member.remove(0x0103, at: 1).outcome == .done)
    #expect(member.receive(datagram(from: 3, .ping(digest: nil)), from: address, at: 2) == [])
    // Under another MAC, from where it was.
    let elsewhere = datagram(from: 77, .ping(digest: nil))
    #expect(member.receive(elsewhere, from: removed.addresses.primary, at: 2) == [])
    #expect(member.counters.foreign == 1 && member.counters.malformed == 1 && member.counters.forbidden == 2)
    #expect(member.isRemoved(removed.mac, Fingerprint(9, 9, 9, 9)))
    #expect(member.isRemoved(mac(99), removed.fingerprint))
    // Another machine at that address, let in by somebody else, is a member like any other.
    var heir = try node(77, id: 0x0177)
    heir.addresses = removed.addresses
    _ = try member.receive(
      map: Membership(heir, cluster: cluster, authority: .sample, at: 0, seed: 3).ownMap(at: 2), at: 3)
    #expect(!member.receive(elsewhere, from: removed.addresses.primary, at: 3).isEmpty)
    #expect(member.counters.forbidden == 2)
  }

  @Test("a ping is answered with its number")
  func ping() throws {
    var member = try settledMember(1, of: 3)
    let answers = sent(member.receive(datagram(from: 2, .ping(digest: nil)), from: IPv4Address(192, 168, 1, 2), at: 1))
    #expect(answers.count == 1 && answers.first?.to == 2)
    let answer = try Datagram(try #require(answers.first?.bytes), of: cluster)
    #expect(answer.body == .ack && answer.number == 9 && answer.sender == mac(1))
  }

  @Test("an unknown sender is asked who it is, and told who asks")
  func unknown() throws {
    var member = try settledMember(1, of: 3)
    let answers = sent(member.receive(datagram(from: 9, .ping(digest: nil)), from: address, at: 1))
    let answer = try Datagram(try #require(answers.first?.bytes), of: cluster)
    #expect(answers.count == 1 && answers.first?.to == 9)
    #expect(answer.items == [.record(member.own, .alive, vitals: 0), .want([mac(9)])])
  }

  @Test(
    "whoever is called suspect, dead or gone and is not, says so with a higher incarnation",
    arguments: [NodeState.suspect, .dead, .left])
  func refutation(_ state: NodeState) throws {
    var member = try settledMember(1, of: 5)
    #expect(member.receive(datagram(from: 2, .gossip, [try status(member.own, state, 0)]), from: address, at: 1) == [])
    #expect(member.own.incarnation == 1 && member.isActive)
    // An older accusation is over.
    _ = member.receive(datagram(from: 3, .gossip, [try status(member.own, state, 0)]), from: address, at: 2)
    #expect(member.own.incarnation == 1)
    let news = try sent(member.step(at: 51)).map { try Datagram($0.bytes, of: cluster).items }
    #expect(news.contains([try status(member.own, .alive, 1)]))
  }

  @Test("a suspect is dead after its time, unless it has a higher incarnation by then", arguments: [true, false])
  func suspicion(_ objects: Bool) throws {
    var member = try settledMember(1, of: 5)
    let suspect = try #require(member.member(0x0103))
    let seen = events(
      member.receive(datagram(from: 2, .gossip, [try status(suspect, .suspect, 0)]), from: address, at: 1))
    #expect(seen == [.suspected(suspect)])
    if objects {
      let later = events(
        member.receive(datagram(from: 2, .gossip, [try status(suspect, .alive, 1)]), from: address, at: 99))
      #expect(later.count == 1 && member.state(of: mac(3)) == .alive)
    }
    pass(&member, until: Timing.suspicion)
    #expect(member.state(of: mac(3)) == (objects ? .alive : .suspect))
    pass(&member, until: Timing.suspicion + 1)
    #expect(member.state(of: mac(3)) == (objects ? .alive : .dead))
  }

  @Test("a death that is news counts at once, one from a map only after the node could object")
  func history() throws {
    var member = try settledMember(1, of: 5)
    var other = try settledMember(2, of: 4)
    for id in [0x0103, 0x0104] as [NodeID] {
      let slot = try #require(other.view.table.live(id))
      other.view.transition(slot, to: .dead, incarnation: 0, Provenance(spreads: false))
    }
    _ = try member.receive(map: other.map(at: 0), at: 1)
    #expect(member.state(of: mac(3)) == .suspect && member.state(of: mac(4)) == .suspect)
    let news = try status(member.member(0x0103), .dead, 0)
    _ = member.receive(datagram(from: 2, .gossip, [news]), from: address, at: 2)
    #expect(member.state(of: mac(3)) == .dead && member.liveCount == 4)
  }

  @Test("a node that leaves tells every neighbour at once and is silent from then on")
  func leaving() throws {
    var member = try settledMember(1, of: 30)
    let goodbyes = sent(member.leave(at: 1))
    #expect(goodbyes.count >= member.view.neighbours.all.count && member.view.neighbours.all.count > 8)
    #expect(!member.isActive && member.nextDue == .max)
    #expect(member.step(at: 5000) == [])
    var other = try settledMember(1, of: 30)
    let seen = events(
      other.receive(datagram(from: 2, .gossip, [try status(other.member(0x0102), .left, 0)]), from: address, at: 1))
    #expect(seen.count == 1 && other.liveCount == 29)
  }

  @Test("of two machines with one MAC the one that joined later stays")
  func twin() throws {
    var member = try settledMember(1, of: 3)
    var twin = Membership(try node(1, life: 2), cluster: cluster, authority: .sample, at: 0, seed: 9)
    _ = try twin.join(map: member.map(at: 0), at: 0)
    #expect(events(try member.receive(map: twin.ownMap(at: 1), at: 1)) == [.replaced(by: twin.own)])
    #expect(!member.isActive)
    _ = try twin.receive(map: member.map(at: 1), at: 1)
    #expect(twin.isActive)
  }

  @Test("after a pause nobody is blamed for the silence")
  func pause() throws {
    var member = try settledMember(1, of: 5)
    pass(&member, until: 1100)
    #expect(!member.probing.probes.isEmpty)
    let commands = member.step(at: 60_000)
    #expect(events(commands) == [] && !member.probing.probes.isEmpty)
    #expect(sent(commands).count <= 8)
  }

  // MARK: Bounds

  @Test("1,000 nodes take less than 200 kB, and no more nodes are remembered than there is room for")
  func memory() throws {
    var member = Membership(try node(1), cluster: cluster, authority: .sample, at: 0, seed: 1)
    func record(_ number: UInt64) -> NodeRecord {
      NodeRecord(
        fingerprint: Fingerprint(number, 2, 3, 4), mac: MACAddress(bits: number + 0x10_0000) ?? .zero,
        id: UInt16(number + 1000), addresses: AddressList(IPv4Address(bits: 0x0A00_0000 + UInt32(number))))
    }
    for number in 1..<1000 as Range<UInt64> {
      member.view.apply(record(number), .alive, vitals: 0, Provenance(spreads: false))
    }
    #expect(member.liveCount == 1000)
    #expect(member.bytes < 200_000)
    let slot = try #require(member.view.table.slot(record(1).mac))
    member.view.transition(slot, to: .dead, incarnation: 0, Provenance(spreads: false))
    for number in 1000..<2200 as Range<UInt64> {
      member.view.apply(record(number), .alive, vitals: 0, Provenance(spreads: false))
    }
    _ = member.finish()
    #expect(member.liveCount == MemberTable.capacity && member.state(of: record(1).mac) == nil)
    #expect(member.counters.refused > 0 && member.view.neighbours.all.count == 12)
    #expect(member.map(at: 0).count <= Membership.largestMap)
  }

  @Test("neighbours are mutual, and twelve at most", arguments: [2, 3, 5, 9, 13, 14, 40, 200])
  func mutual(_ count: Int) throws {
    let records = (1...UInt64(count)).map { number in
      NodeRecord(
        fingerprint: Fingerprint(number, 2, 3, 4), mac: MACAddress(bits: number * 77) ?? .zero, id: UInt16(number * 3),
        addresses: AddressList(IPv4Address(bits: 0x0A00_0000 + UInt32(number))))
    }
    var all = Membership.settled(records, cluster: cluster, authority: .sample, at: 0, seed: { UInt64($0) })
    for index in all.indices { _ = all[index].finish() }
    func lists(_ membership: Membership) -> Set<NodeID> {
      Set(membership.view.neighbours.all.map { membership.view.table[$0.slot].record.id })
    }
    let neighbours = Dictionary(uniqueKeysWithValues: all.map { ($0.own.id, lists($0)) })
    for (id, list) in neighbours {
      #expect(list.count <= 12 && list.count >= min(count - 1, 8) && !list.contains(id))
      #expect(list.allSatisfy { neighbours[$0]?.contains(id) == true })
    }
  }
}
