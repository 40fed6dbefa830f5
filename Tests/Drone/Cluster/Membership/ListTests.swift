import Addresses
import Bytes
import Testing

@testable import Membership

/// What a node keeps in lists of its own: neighbours, deadlines, vitals.
@Suite struct ListTests {
  // MARK: Neighbours

  @Test("a neighbour that stays keeps when it was heard, and its debts follow it to its new place")
  func stays() throws {
    var member = try settledMember(1, of: 40)
    let before = member.view.neighbours.all
    let slot = before[3].slot
    member.view.neighbours.hear(slot, at: 77)
    // Somebody who is its predecessor now.
    member.view.apply(try node(200, id: 0x00FF), .alive, vitals: 0, Provenance(spreads: false))
    let chosen = member.view.neighbours.choose(from: member.view.table, at: 99)
    let change = try #require(chosen)
    let place = try #require(member.view.neighbours.place(of: slot))
    #expect(member.view.neighbours.all[place].heard == 77)
    #expect(change.moved(1 << 3) == 1 << UInt16(place))
    #expect(change.newcomers.nonzeroBitCount >= 1 && change.newcomers & 1 << UInt16(place) == 0)
    // Nobody new.
    let again = member.view.neighbours.choose(from: member.view.table, at: 100)
    #expect(again == nil)
  }

  @Test("whoever is forgotten leaves a gap, so that the others keep their places")
  func forgotten() throws {
    var member = try settledMember(1, of: 40)
    let before = member.view.neighbours.all.map(\.slot)
    member.view.neighbours.forget(before[2], at: 5)
    #expect(member.view.neighbours.place(of: before[2]) == nil)
    #expect(member.view.neighbours.place(of: before[3]) == 3)
    #expect(member.view.neighbours.everyone == UInt16(1) << UInt16(before.count) - 1)
  }

  @Test("a node that lives another life is as one that was never heard")
  func anew() throws {
    var member = try settledMember(1, of: 5)
    let slot = member.view.neighbours.all[0].slot
    member.view.neighbours.hear(slot, at: 7)
    member.view.neighbours.postpone(by: 3)
    #expect(member.view.neighbours.all[0].heard == 10)
    member.view.neighbours.beginAnew(slot, at: 20)
    #expect(member.view.neighbours.all[0].heard == nil && member.view.neighbours.all[0].since == 20)
  }

  // MARK: Deadlines

  @Test("what is due comes out in the order in which it went in, and nothing before its time")
  func deadlines() {
    var list = DeadlineList()
    #expect(list.nextDue == .max)
    for (slot, time) in [(1, 30), (2, 10), (3, 20)] as [(MemberTable.Slot, UInt64)] { list.insert(slot, at: time) }
    let early = list.removeFirst(dueAt: 9)
    #expect(list.nextDue == 10 && early == nil)
    list.remove(2)
    list.postpone(by: 5)
    #expect(list.nextDue == 25 && list.count == 2)
    let due = (0..<3).map { _ in list.removeFirst(dueAt: 40) }
    #expect(due == [1, 3, nil])
  }

  // MARK: Vitals

  @Test("load and free memory that hardly changed are told only every fourth time")
  func issued() throws {
    var queue = VitalsQueue()
    var own = try node(1)
    own.memoryTotal = 1000
    own.memoryFree = 500
    let turns = (0..<9).map { _ in queue.issues(own) }
    #expect(turns == [true, false, false, false, true, false, false, false, true])
    var changed: [Bool] = []
    own.load = 6
    changed.append(queue.issues(own))
    own.memoryFree = 468
    changed.append(queue.issues(own))
    own.memoryFree = 437
    changed.append(queue.issues(own))
    #expect(changed == [true, true, false])
  }

  @Test("vitals go to the neighbours on the ring of ids and to two others, once, and not back to where they came from")
  func spread() throws {
    var member = try settledMember(1, of: 40)
    let source = try #require(member.view.neighbours.all.indices.first { member.view.neighbours.all[$0].isNear })
    let slot = try #require(member.view.table.live(0x0114))
    var random = member.view.random
    member.view.vitals.spread(slot, from: source, to: member.view.neighbours, &random, &member.view.table)
    let owed = member.view.table[slot].vitalsOwed
    #expect(owed.nonzeroBitCount == 3 && owed & 1 << UInt16(source) == 0)
    var paid = 0
    for place in member.view.neighbours.all.indices {
      var out: [UInt8] = []
      member.view.vitals.pay(place, into: &out, &member.view.table)
      paid += out.isEmpty ? 0 : 1
    }
    #expect(paid == 3 && member.view.table[slot].vitalsOwed == 0)
  }

  // MARK: Slots by MAC

  @Test("whatever comes and goes, the index of slots says what a dictionary says")
  func index() throws {
    var random = SplitMix64(seed: 5)
    func member(_ number: UInt64) -> Member {
      let record = NodeRecord(
        fingerprint: Fingerprint(number, 2, 3, 4), mac: MACAddress(bits: number + 1) ?? .zero,
        addresses: AddressList(IPv4Address(bits: 0x0A00_0001)))
      return Member(record: record, state: .alive, since: 0, uptimeAt: 0, vitalsSequence: 0)
    }
    let members = (0..<300).map { member($0) }
    var index = SlotIndex()
    var known: Set<MemberTable.Slot> = []
    for turn in 0..<20_000 {
      // Now more come, now more go.
      let slot = MemberTable.Slot(random.next() % 300)
      if random.next() % 100 < (turn / 2000 % 2 == 0 ? 70 : 30) {
        if known.insert(slot).inserted { index.insert(slot, in: members) }
      } else {
        // One that is not there is passed over.
        known.remove(slot)
        index.remove(slot, in: members)
      }
      guard turn % 500 == 0 else { continue }
      let found = members.indices.filter { index.slot(members[$0].record.mac, in: members) == MemberTable.Slot($0) }
      #expect(Set(found.map { MemberTable.Slot($0) }) == known && index.count == known.count)
    }
    #expect(index.bytes <= 4096)
  }
}
