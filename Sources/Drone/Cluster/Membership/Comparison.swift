import Addresses
import Bytes

/// Anti-entropy: now and then neighbours compare a digest of what they know, and where it differs the parts, so that whatever
/// news got lost on the way arrives in the end.
struct Comparison {
  private var turn = 0
  /// Not before this time.
  private var next: UInt64 = 0

  /// A member's digest of all that it knows came with its ping.
  mutating func compare(_ digest: UInt64, with slot: MemberTable.Slot, _ view: inout MemberView) {
    guard digest != view.table.digest ^ UInt64(view.removals.digest), view.now >= next else { return }
    // While news is on its way, views differ and will agree by themselves; when it never stops, look all the same.
    guard view.now > view.lastChange &+ Timing.quiet || view.random.next(below: 8) == 0 else { return }
    next = view.now &+ Timing.comparison
    let digests = DigestTable(nodes: view.table.digests(), removals: view.removals.digest)
    view.send(view.start(.digests(digests)), to: slot)
  }

  /// Names all nodes in some of the buckets that differ, and the removals if they do.
  mutating func sendContents(_ theirs: DigestTable, to slot: MemberTable.Slot, _ view: inout MemberView) {
    if theirs.removals != view.removals.digest { sendRemovals(to: slot, &view) }
    let own = view.table.digests()
    var chosen: [Int] = []
    var sizes = [Int](repeating: 0, count: DigestTable.buckets)
    for slot in view.table.slots() { sizes[MemberTable.bucket(view.table[slot].record.mac)] += Item.largestStatus }
    var room = Datagram.largest - view.start(.contents(buckets: 0)).count
    turn = (turn + 1) % DigestTable.buckets
    for step in 0..<DigestTable.buckets {
      let bucket = (turn + step) % DigestTable.buckets
      guard bucket < theirs.nodes.count, theirs.nodes[bucket] != own[bucket], sizes[bucket] <= room else { continue }
      room -= sizes[bucket]
      chosen.append(bucket)
    }
    guard !chosen.isEmpty else { return }
    let buckets = chosen.reduce(into: 0 as UInt32) { $0 |= 1 << UInt32($1) }
    var out = view.start(.contents(buckets: buckets))
    for slot in view.table.slots() where buckets & 1 << UInt32(MemberTable.bucket(view.table[slot].record.mac)) != 0 {
      out.append(view.table[slot].status)
    }
    view.send(out, to: slot)
  }

  /// The sender listed every node of these buckets that it knows: send it the others, and what is newer here.
  func sendMissing(_ buckets: UInt32, _ items: [Item], to slot: MemberTable.Slot, _ view: inout MemberView) {
    var missing: [MemberTable.Slot] = []
    for slot in view.table.slots() {
      let member = view.table[slot]
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
    if !missing.isEmpty { view.sendRecords(missing, to: view.table[slot].record.addresses.primary) }
  }

  private func status(of mac: MACAddress, in items: [Item]) -> NodeStatus? {
    for case .status(let status) in items where status.mac == mac { return status }
    return nil
  }

  private func sendRemovals(to slot: MemberTable.Slot, _ view: inout MemberView) {
    let entries = view.removals.entries
    guard !entries.isEmpty else { return }
    var out = view.start(.gossip)
    let first = view.random.next(below: entries.count)
    for step in entries.indices where out.count + Item.removalLength <= Datagram.largest {
      out.append(entries[(first + step) % entries.count])
    }
    view.send(out, to: slot)
  }
}
