import Bytes

// The whole of what a node knows, for the control channel: at a join, and when two halves of a cluster meet again.
//
//     0  version   1 byte, 1
//     1  kind      1 byte, 0x80
//     2  cluster   8 bytes
//     10 items to the end: records and removals

extension Membership {
  /// No map is longer. One of 1,000 nodes has about 65 kB.
  public static let largestMap =
    MemberTable.capacity * Item.largestRecord + RemovalList.capacity * Item.removalLength + 10

  private static let mapKind: UInt8 = 0x80

  /// Everything that this node knows.
  public func map(at now: UInt64) -> [UInt8] { map(of: view.table.slots(), removals: view.removals.entries, now) }

  /// This node alone: a newcomer's answer to the member that sent it the map.
  public func ownMap(at now: UInt64) -> [UInt8] { map(of: CollectionOfOne(MemberTable.own), removals: [], now) }

  private func map(of slots: some Sequence<MemberTable.Slot>, removals: [Removal], _ now: UInt64) -> [UInt8] {
    var out: [UInt8] = [Datagram.version, Membership.mapKind]
    out.append(networkOrder: cluster.bits)
    for slot in slots {
      var record = view.table[slot].record
      record.uptime = view.table[slot].uptime(at: now)
      out.append(record, view.table[slot].state, vitals: view.table[slot].vitalsSequence)
    }
    for removal in removals { out.append(removal) }
    return out
  }

  /// Enters the cluster whose member gave this map. This node becomes what the map remembers of its MAC, if it does, with a
  /// higher incarnation; else its wanted id or the next free one is its own.
  ///
  /// Nothing changes when the map cannot be read. `MembershipNews.removed` reports that this node itself was removed.
  public mutating func join(map: [UInt8], at now: UInt64) throws(MembershipDecodeError) -> [MembershipCommand] {
    let own = view.table[MemberTable.own].record
    var former: NodeRecord?
    try Membership.forEachItem(of: map, from: cluster) { item in
      if case .record(let record, _, _) = item, record.mac == own.mac { former = record }
    }
    begin(now)
    if let former {
      view.table.change(MemberTable.own) { member in
        member.record.id = former.id
        member.record.incarnation = min(
          NodeRecord.largestIncarnation, max(member.record.incarnation, former.incarnation) &+ 1)
      }
    }
    merge(itemsOf: map, Provenance(spreads: false, isHistory: true))
    guard view.isActive else { return finish() }
    let id = view.freeID(from: former?.id ?? own.id)
    if id != view.table[MemberTable.own].record.id { view.table.change(MemberTable.own) { $0.record.id = id } }
    let commands = finish()
    view.announce(MemberTable.own, wholeRecord: true, except: 0)
    return commands + finish()
  }

  /// Merges another member's map and passes its news on to the neighbours. What it calls dead and is alive here
  /// is only suspected, so that it may object.
  public mutating func receive(map: [UInt8], at now: UInt64) throws(MembershipDecodeError) -> [MembershipCommand] {
    try Membership.forEachItem(of: map, from: cluster) { _ in }
    begin(now)
    if view.isActive { merge(itemsOf: map, Provenance(spreads: true, isHistory: true)) }
    return finish()
  }

  /// The nodes in a map, to look at before it is merged.
  public static func records(
    of map: [UInt8], cluster: ClusterIdentifier
  ) throws(MembershipDecodeError) -> [NodeRecord] {
    var found: [NodeRecord] = []
    try forEachItem(of: map, from: cluster) { item in
      if case .record(let record, _, _) = item { found.append(record) }
    }
    return found
  }

  /// Merges a map that has been read once. Removals come behind the nodes in it; after one that nobody signed no other is looked at.
  private mutating func merge(itemsOf map: [UInt8], _ provenance: Provenance) {
    var isForged = false
    try? Membership.forEachItem(of: map, from: cluster) { item in
      guard view.isActive else { return }
      switch item {
      case .record(let record, let state, let sequence): view.apply(record, state, vitals: sequence, provenance)
      case .removal(let removal): if !isForged { isForged = !view.apply(removal, provenance) }
      case .status, .vitals, .want: break
      }
    }
  }

  /// One item at a time, so that a map needs no memory beside its bytes.
  private static func forEachItem(
    of map: [UInt8], from cluster: ClusterIdentifier, _ body: (Item) -> Void
  ) throws(MembershipDecodeError) {
    guard map.count <= largestMap else { throw .tooLong(map.count) }
    var reader = WireReader(map)
    let version = try reader.uint8()
    guard version == Datagram.version else { throw .version(version) }
    let kind = try reader.uint8()
    guard kind == mapKind else { throw .kind(kind) }
    let from = ClusterIdentifier(bits: try reader.uint64())
    guard from == cluster else { throw .foreign(from) }
    while !reader.isAtEnd {
      if let item = try Item(&reader) { body(item) }
    }
  }
}
