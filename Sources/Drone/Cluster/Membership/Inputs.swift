import Addresses
import Bytes

extension Membership {
  // MARK: Datagrams

  /// Receives a datagram that came through ESP to UDP port 3278.
  public mutating func receive(_ bytes: [UInt8], from address: IPv4Address, at now: UInt64) -> [MembershipCommand] {
    begin(now)
    if view.isActive { read(bytes, from: address) }
    return finish()
  }

  private mutating func read(_ bytes: [UInt8], from address: IPv4Address) {
    let datagram: Datagram
    do throws(MembershipDecodeError) {
      datagram = try Datagram(bytes, of: view.cluster)
    } catch {
      if case .foreign = error { view.counters.foreign &+= 1 } else { view.counters.malformed &+= 1 }
      return
    }
    guard datagram.sender != view.table[MemberTable.own].record.mac else { return }
    // Somebody else may have the address of a removed node by now.
    guard !view.removals.forbids(datagram.sender), !view.removals.forbids(address) || member(at: address) != nil else {
      view.counters.forbidden &+= 1
      return
    }
    view.counters.received &+= 1
    let isContents = if case .contents = datagram.body { true } else { false }
    merge(datagram, from: address, isHistory: isContents)
    probing.forgetLost(&view)
    guard view.isActive, let slot = view.table.slot(datagram.sender) else { return }
    hear(slot)
    switch datagram.body {
    case .ping(let digest):
      view.answer(datagram.number, to: slot)
      if let digest { comparison.compare(digest, with: slot, &view) }
    case .ack: probing.report(datagram.number, from: slot, &view)
    case .pingRequest(let target): probing.relay(target, number: datagram.number, for: slot, &view)
    case .pinging: probing.receiveHelp(datagram.number)
    case .indirectAck(let target):
      if let target = view.table.slot(target), probing.awaits(target, number: datagram.number) { hear(target) }
    case .gossip: break
    case .digests(let digests): comparison.sendContents(digests, to: slot, &view)
    case .contents(let buckets): comparison.sendMissing(buckets, datagram.items, to: slot, &view)
    }
  }

  /// Something came from a member, or somebody else has heard it: it is there.
  private mutating func hear(_ slot: MemberTable.Slot) {
    view.neighbours.hear(slot, at: view.now)
    probing.receiveAnswer(of: slot)
  }

  /// The items of a datagram. Whatever cannot be understood without a record is asked for at once.
  private mutating func merge(_ datagram: Datagram, from address: IPv4Address, isHistory: Bool) {
    let index = view.table.slot(datagram.sender).flatMap(view.neighbours.place)
    let provenance = Provenance(spreads: true, isHistory: isHistory, neighbour: index)
    var wanted: [MACAddress] = []
    var asked: [MACAddress] = []
    for item in datagram.items {
      switch item {
      case .record(let record, let state, let sequence): view.apply(record, state, vitals: sequence, provenance)
      case .status(let status):
        if !view.apply(status, provenance) { wanted.append(status.mac) }
      case .vitals(let list):
        for vitals in list { view.merge(vitals, from: index) }
      case .removal(let removal):
        if !forgers.contains(address, at: view.now), !view.apply(removal, provenance) {
          forgers.insert(address, at: view.now)
        }
      case .want(let list): asked += list
      }
      if !view.isActive { return }
    }
    if view.table.slot(datagram.sender) == nil { wanted.append(datagram.sender) }
    if !wanted.isEmpty {
      var out = view.start(.gossip)
      // An unknown sender may not know this node either.
      if view.table.slot(datagram.sender) == nil {
        out.append(own, .alive, vitals: view.table[MemberTable.own].vitalsSequence)
      }
      out.append(.want(wanted))
      view.send(out, to: address)
    }
    if !asked.isEmpty { view.sendRecords(asked.compactMap(view.table.slot), to: address) }
  }

  // MARK: This node

  /// Updates this node's own load, memory and addresses. Fingerprint, MAC, id and incarnation stay what they are here,
  /// and so does the processors' speed once it is known.
  public mutating func receiveOwn(_ current: NodeRecord, at now: UInt64) -> [MembershipCommand] {
    begin(now)
    let before = view.table[MemberTable.own].record
    var after = current
    after.fingerprint = before.fingerprint
    after.mac = before.mac
    after.id = before.id
    after.incarnation = before.incarnation
    // Today's processors change it all the time, and what a record says of them is what they were first.
    if before.speed > 0 { after.speed = before.speed }
    view.table.change(MemberTable.own) { member in
      member.record = after
      member.uptimeAt = now
    }
    if view.isActive, !before.isSameApartFromVitals(after) { view.overrule(before.incarnation, wholeRecord: true) }
    return finish()
  }

  /// Says goodbye to all neighbours at once. The datagrams should be given a moment before tunnels are taken down.
  public mutating func leave(at now: UInt64) -> [MembershipCommand] {
    begin(now)
    guard view.isActive else { return finish() }
    view.table.change(MemberTable.own) { member in
      member.state = .left
      member.since = now
    }
    view.announce(MemberTable.own, wholeRecord: false, except: 0)
    view.flushEverything()
    view.isActive = false
    return finish()
  }

  // MARK: Operators

  /// Throws a node out until `allow`: its machine, by MAC, and its key.
  public mutating func remove(_ id: NodeID, at now: UInt64) -> (outcome: RemovalOutcome, commands: [MembershipCommand])
  {
    begin(now)
    guard view.isActive, let slot = view.table.live(id) ?? gone(id), slot != MemberTable.own else {
      return (.unknown, finish())
    }
    let record = view.table[slot].record
    let counter = (view.removals.entry(record.mac)?.counter ?? 0) &+ 1
    return decide(
      Removal(
        isInForce: true, counter: min(counter, Removal.largestCounter), mac: record.mac,
        fingerprint: record.fingerprint, id: record.id))
  }

  /// Lets a removed node join again.
  public mutating func allow(_ id: NodeID, at now: UInt64) -> (outcome: RemovalOutcome, commands: [MembershipCommand]) {
    begin(now)
    guard view.isActive, var entry = view.removals.entries.last(where: { $0.isInForce && $0.id == id }) else {
      return (.unknown, finish())
    }
    entry.isInForce = false
    entry.counter = min(entry.counter &+ 1, Removal.largestCounter)
    return decide(entry)
  }

  private mutating func decide(_ removal: Removal) -> (outcome: RemovalOutcome, commands: [MembershipCommand]) {
    guard let signature = view.authority.signs?(removal.statement(of: view.cluster)) else {
      return (.unsigned, finish())
    }
    guard view.removals.accepts(removal) else { return (.full, finish()) }
    var removal = removal
    removal.signature = signature
    return (view.apply(removal, Provenance(spreads: true)) ? .done : .unsigned, finish())
  }

  private func gone(_ id: NodeID) -> MemberTable.Slot? {
    for slot in view.table.slots(from: 1) where view.table[slot].record.id == id { return slot }
    return nil
  }
}
