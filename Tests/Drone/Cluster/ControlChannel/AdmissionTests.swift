import Addresses
import Bytes
import ControlChannel
import Testing

private func key(_ number: Int) -> [UInt8] {
  [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)] + [UInt8](repeating: 0xCD, count: 30)
}

private func address(_ number: Int) -> IPv4Address { IPv4Address(bits: 0x0A00_0000 + UInt32(number)) }

private func digits(_ key: [UInt8], _ count: Int = 64) -> [UInt8] {
  [UInt8](key.flatMap { hexadecimalByte($0) }.prefix(count))
}

@Suite struct AdmissionTests {
  @Test("a joiner waits until its key is approved, and then is admitted as often as it asks")
  func approval() throws {
    var admission = Admission(canCertify: true)
    #expect(admission.request(key(1), from: address(1), at: 0) == .wait)
    #expect(admission.request(key(2), from: address(2), at: 0) == .wait)
    #expect(admission.pending.map(\.fingerprint) == [key(1), key(2)])
    let approval = try admission.approve(digits(key(1), 16), at: 100)
    #expect(approval == Admission.Approval(fingerprint: key(1), isWaiting: true))
    #expect(admission.request(key(1), from: address(1), at: 200) == .admit)
    #expect(admission.request(key(1), from: address(1), at: 300) == .admit)
    #expect(admission.request(key(2), from: address(2), at: 300) == .wait)
    #expect(admission.request(key(1), from: address(1), at: 100 + Admission.approvalLife) == .wait)
  }

  @Test("a whole fingerprint may be approved before its joiner asks, a beginning may not")
  func beforehand() throws {
    var admission = Admission(canCertify: true)
    #expect(throws: Admission.ApprovalError.unknown) { try admission.approve(digits(key(1), 32), at: 0) }
    let approval = try admission.approve(digits(key(1)), at: 0)
    #expect(approval == Admission.Approval(fingerprint: key(1), isWaiting: false))
    #expect(admission.request(key(1), from: address(1), at: 1) == .admit)
  }

  @Test("a beginning that two share approves neither")
  func ambiguous() {
    var admission = Admission(canCertify: true)
    let first = [UInt8](repeating: 7, count: 31) + [1]
    let second = [UInt8](repeating: 7, count: 31) + [2]
    _ = admission.request(first, from: address(1), at: 0)
    _ = admission.request(second, from: address(2), at: 0)
    #expect(throws: Admission.ApprovalError.ambiguous) { try admission.approve(digits(first, 16), at: 0) }
    #expect(admission.request(first, from: address(1), at: 1) == .wait)
  }

  @Test("a window admits everybody, for its time only")
  func window() {
    var admission = Admission(canCertify: true)
    admission.openWindow(minutes: 2, at: 1000)
    #expect(admission.windowSeconds(at: 1000) == 120)
    #expect(admission.request(key(1), from: address(1), at: 120_999) == .admit)
    #expect(admission.request(key(2), from: address(1), at: 121_000) == .wait)
    #expect(admission.windowSeconds(at: 121_000) == nil)
    admission.openWindow(minutes: 2, at: 200_000)
    admission.openWindow(minutes: 0, at: 200_001)
    #expect(admission.request(key(3), from: address(1), at: 200_002) == .wait)
  }

  @Test("a key that was revoked waits again")
  func revoked() throws {
    var admission = Admission(canCertify: true)
    _ = try admission.approve(digits(key(1)), at: 0)
    admission.revoke(key(1))
    #expect(admission.request(key(1), from: address(1), at: 1) == .wait)
  }

  @Test("a member without the authority's key admits nobody")
  func powerless() {
    var admission = Admission(canCertify: false)
    guard case .refuse = admission.request(key(1), from: address(1), at: 0) else {
      Issue.record("it was not refused")
      return
    }
    #expect(admission.pending.isEmpty)
  }

  @Test("whoever stops asking is forgotten, and one address cannot fill the list")
  func bounds() {
    var admission = Admission(canCertify: true)
    for number in 0..<10 { _ = admission.request(key(number), from: address(1), at: 0) }
    #expect(admission.pending.count == 4)
    for number in 10..<1000 { _ = admission.request(key(number), from: address(number), at: 0) }
    #expect(admission.pending.count == Admission.mostPending)
    // Of the first address's four only the last is left.
    #expect(admission.request(key(3), from: address(1), at: 29_000) == .wait)
    admission.forget(at: 30_000)
    #expect(admission.pending.map(\.fingerprint) == [key(3)])
  }

  @Test("when the list is full, the address that has most places loses its oldest to one that then has no more")
  func fairWaiting() {
    var admission = Admission(canCertify: true)
    for number in 0..<Admission.mostPending { _ = admission.request(key(number), from: address(number / 4), at: 0) }
    #expect(admission.pending.count == Admission.mostPending)
    for number in 100..<102 { #expect(admission.request(key(number), from: address(99), at: 1) == .wait) }
    #expect(admission.pending.count == Admission.mostPending)
    let fingerprints = admission.pending.map(\.fingerprint)
    #expect(!fingerprints.contains(key(0)) && !fingerprints.contains(key(4)))
    #expect(fingerprints.contains(key(1)) && fingerprints.contains(key(100)) && fingerprints.contains(key(101)))
    guard case .refuse = admission.request(key(200), from: address(0), at: 1) else {
      Issue.record("an address that has as many as all others got one more")
      return
    }
  }

  @Test("half-open connections are bounded for each address and in total, and those that settle do not count")
  func connections() {
    var admission = Admission(canCertify: true)
    for channel in 0..<10 {
      let expected: Admission.Entrance = channel < Admission.strangersPerAddress ? .free : .full
      #expect(admission.connected(UInt32(channel), from: address(1)) == expected)
    }
    for channel in 10..<1000 { _ = admission.connected(UInt32(channel), from: address(channel)) }
    #expect(admission.halfOpen == Admission.strangers)
    for channel in 0..<1000 { admission.receiveEnd(of: UInt32(channel)) }
    #expect(admission.halfOpen == 0)
    #expect(admission.connected(5000, from: address(1)) == .free)
  }

  /// All places taken, four by each of eight addresses.
  private func crowded() -> Admission {
    var admission = Admission(canCertify: true)
    for channel in 0..<Admission.strangers {
      _ = admission.connected(UInt32(channel), from: address(channel / Admission.strangersPerAddress))
    }
    return admission
  }

  @Test("when all places are taken, whoever holds most gives the oldest to one who holds fewer, and only to such")
  func fairness() {
    var admission = crowded()
    #expect(admission.connected(100, from: address(50)) == .insteadOf(0))
    #expect(admission.connected(101, from: address(50)) == .insteadOf(4))
    #expect(admission.connected(102, from: address(50)) == .insteadOf(8))
    #expect(admission.connected(103, from: address(50)) == .insteadOf(12))
    #expect(admission.connected(104, from: address(50)) == .full)
    #expect(admission.connected(105, from: address(0)) == .insteadOf(16), "it holds three by now")
    #expect(admission.halfOpen == Admission.strangers)
    // From as many addresses as there are places: each newcomer is taken for the oldest.
    var thin = Admission(canCertify: true)
    for channel in 0..<Admission.strangers { _ = thin.connected(UInt32(channel), from: address(channel)) }
    #expect(thin.connected(200, from: address(200)) == .insteadOf(0))
    #expect(thin.connected(201, from: address(1)) == .full, "it has one like all others")
  }

  @Test("a member's address has its places whatever strangers do, and gives none to them")
  func members() {
    var admission = crowded()
    for channel in 0..<Admission.strangersPerAddress {
      #expect(admission.connected(300 + UInt32(channel), from: address(99), isMemberAddress: true) == .free)
    }
    #expect(admission.connected(310, from: address(99), isMemberAddress: true) == .full)
    #expect(admission.halfOpen == Admission.strangers)
    #expect(admission.connected(311, from: address(98)) == .insteadOf(0))
  }

  @Test("members' addresses share a total as well, and one that holds few takes a place of the one that holds most")
  func memberAddresses() {
    var admission = Admission(canCertify: true)
    for channel in 0..<Admission.memberAddresses {
      let from = address(channel / Admission.strangersPerAddress)
      #expect(admission.connected(UInt32(channel), from: from, isMemberAddress: true) == .free)
    }
    #expect(admission.connected(500, from: address(90), isMemberAddress: true) == .insteadOf(0))
    #expect(admission.connected(501, from: address(91)) == .free, "strangers have places of their own")
    #expect(admission.halfOpen == 1)
  }

  @Test("a member has so many connections, and its oldest goes for the next; it is none of the strangers")
  func perMember() {
    var admission = Admission(canCertify: true)
    for channel in 0..<10 as Range<UInt32> {
      #expect(admission.connected(channel, from: address(Int(channel))) == .free)
      let lost = channel < UInt32(Admission.perMember) ? nil : channel - UInt32(Admission.perMember)
      #expect(admission.receiveEstablishment(of: channel, by: key(1)) == lost)
    }
    #expect(admission.halfOpen == 0)
    // One that has ended leaves its place.
    admission.receiveEnd(of: 9)
    #expect(admission.receiveEstablishment(of: 10, by: key(1)) == nil)
  }

  @Test(
    "members share a total: whoever holds most loses its oldest to one that holds fewer, and else the newcomer goes")
  func memberTotal() {
    var admission = Admission(canCertify: true)
    for channel in 0..<Admission.members {
      #expect(admission.receiveEstablishment(of: UInt32(channel), by: key(channel / 2)) == nil)
    }
    #expect(admission.receiveEstablishment(of: 100, by: key(99)) == 0)
    #expect(admission.receiveEstablishment(of: 101, by: key(99)) == 2)
    #expect(admission.receiveEstablishment(of: 102, by: key(99)) == 102, "it has as many as all others")
  }
}

@Suite struct NoteAllowanceTests {
  @Test("a minute has room for thirty lines, and says at its end how many were left out")
  func minute() {
    var notes = NoteAllowance()
    #expect(notes.nextDue == nil)
    let written = (0..<1000).count { notes.admits(at: 5000 + UInt64($0)) }
    #expect(written == Int(NoteAllowance.perMinute))
    #expect(notes.nextDue == 65_000)
    #expect(notes.step(at: 64_999) == nil)
    #expect(notes.step(at: 65_000) == 970)
    #expect(notes.nextDue == nil)
    let again = notes.admits(at: 65_001)
    #expect(again)
    #expect(notes.step(at: 125_001) == nil, "nothing was left out")
  }
}
