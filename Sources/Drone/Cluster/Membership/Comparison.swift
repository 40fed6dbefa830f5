import Addresses
import Bytes

// Anti-entropy: now and then neighbours compare a digest of what they know, and where it differs the parts, so that whatever
// news got lost on the way arrives in the end.

extension Membership {
  /// A member's digest of all that it knows came with its ping.
  mutating func compare(_ digest: UInt64, with slot: MemberTable.Slot) {
    guard digest != table.digest ^ UInt64(removals.digest), now >= nextComparison else { return }
    // While news is on its way, views differ and will agree by themselves; when it never stops, look all the same.
    guard now > lastChange &+ Timing.quiet || random.next(below: 8) == 0 else { return }
    nextComparison = now &+ Timing.comparison
    send(start(.digests(DigestTable(nodes: table.digests(), removals: removals.digest))), to: slot)
  }

  /// Names all nodes in some of the buckets that differ, and the removals if they do.
  mutating func sendContents(_ theirs: DigestTable, to slot: MemberTable.Slot) {
    if theirs.removals != removals.digest { sendRemovals(to: slot) }
    let own = table.digests()
    var chosen: [Int] = []
    var sizes = [Int](repeating: 0, count: DigestTable.buckets)
    for slot in table.slots() { sizes[MemberTable.bucket(table[slot].record.mac)] += Item.largestStatus }
    var room = Datagram.largest - start(.contents(buckets: 0)).count
    comparisonTurn = (comparisonTurn + 1) % DigestTable.buckets
    for step in 0..<DigestTable.buckets {
      let bucket = (comparisonTurn + step) % DigestTable.buckets
      guard bucket < theirs.nodes.count, theirs.nodes[bucket] != own[bucket], sizes[bucket] <= room else { continue }
      room -= sizes[bucket]
      chosen.append(bucket)
    }
    guard !chosen.isEmpty else { return }
    let buckets = chosen.reduce(into: 0 as UInt32) { $0 |= 1 << UInt32($1) }
    var out = start(.contents(buckets: buckets))
    for slot in table.slots() where buckets & 1 << UInt32(MemberTable.bucket(table[slot].record.mac)) != 0 {
      out.append(table[slot].status)
    }
    send(out, to: slot)
  }

  /// The sender listed every node of these buckets that it knows: send it the others, and what is newer here.
  mutating func sendMissing(_ buckets: UInt32, _ items: [Item], to slot: MemberTable.Slot) {
    var missing: [MemberTable.Slot] = []
    for slot in table.slots() {
      let member = table[slot]
      guard buckets & 1 << UInt32(MemberTable.bucket(member.record.mac)) != 0 else { continue }
      if let status = status(of: member.record.mac, in: items) {
        let isNewer =
          status.incarnation != member.record.incarnation
          ? status.incarnation < member.record.incarnation : status.state.rawValue < member.state.rawValue
        if isNewer { missing.append(slot) }
      } else if member.state.isLive {
        missing.append(slot)
      }
    }
    if !missing.isEmpty { sendRecords(missing, to: table[slot].record.addresses.primary) }
  }

  private func status(of mac: MACAddress, in items: [Item]) -> NodeStatus? {
    for case .status(let status) in items where status.mac == mac { return status }
    return nil
  }

  private mutating func sendRemovals(to slot: MemberTable.Slot) {
    let entries = removals.entries
    guard !entries.isEmpty else { return }
    var out = start(.gossip)
    let first = random.next(below: entries.count)
    for step in entries.indices where out.count + Item.removalLength <= Datagram.largest {
      out.append(entries[(first + step) % entries.count])
    }
    send(out, to: slot)
  }
}
