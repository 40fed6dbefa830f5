import Addresses
import Bytes

extension Membership {
  // MARK: Datagrams

  /// Receives a datagram that came through ESP to UDP port 3278.
  public mutating func receive(_ bytes: [UInt8], from address: IPv4Address, at now: UInt64) -> [MembershipCommand] {
    begin(now)
    if isActive { read(bytes, from: address) }
    return finish()
  }

  private mutating func read(_ bytes: [UInt8], from address: IPv4Address) {
    let datagram: Datagram
    do throws(MembershipDecodeError) {
      datagram = try Datagram(bytes, of: cluster)
    } catch {
      if case .foreign = error { counters.foreign &+= 1 } else { counters.malformed &+= 1 }
      return
    }
    guard datagram.sender != table[MemberTable.own].record.mac else { return }
    // Somebody else may have the address of a removed node by now.
    guard !removals.forbids(datagram.sender), !removals.forbids(address) || member(at: address) != nil else {
      counters.forbidden &+= 1
      return
    }
    counters.received &+= 1
    let isContents = if case .contents = datagram.body { true } else { false }
    merge(datagram, from: address, isHistory: isContents)
    guard isActive, let slot = table.slot(datagram.sender) else { return }
    heard(slot)
    switch datagram.body {
    case .ping(let digest):
      answer(datagram.number, to: slot)
      if let digest { compare(digest, with: slot) }
    case .ack: report(datagram.number, from: slot)
    case .pingRequest(let target): relay(target, number: datagram.number, for: slot)
    case .pinging:
      if let index = probes.firstIndex(where: { $0.number == datagram.number }) { probes[index].isRelayed = true }
    case .indirectAck(let target):
      if let target = table.slot(target), probes.contains(where: { $0.slot == target && $0.number == datagram.number })
      {
        heard(target)
      }
    case .gossip: break
    case .digests(let digests): sendContents(digests, to: slot)
    case .contents(let buckets): sendMissing(buckets, datagram.items, to: slot)
    }
  }

  /// The items of a datagram. Whatever cannot be understood without a record is asked for at once.
  private mutating func merge(_ datagram: Datagram, from address: IPv4Address, isHistory: Bool) {
    let index = table.slot(datagram.sender).flatMap(neighbour)
    let provenance = Provenance(spreads: true, isHistory: isHistory, neighbour: index)
    var wanted: [MACAddress] = []
    var asked: [MACAddress] = []
    for item in datagram.items {
      switch item {
      case .record(let record, let state, let sequence): apply(record, state, vitals: sequence, provenance)
      case .status(let status):
        if !apply(status, provenance) { wanted.append(status.mac) }
      case .vitals(let list):
        for vitals in list { merge(vitals, from: index) }
      case .removal(let removal):
        if !forgers.contains(address, at: now), !apply(removal, provenance) { forgers.insert(address, at: now) }
      case .want(let list): asked += list
      }
      if !isActive { return }
    }
    if table.slot(datagram.sender) == nil { wanted.append(datagram.sender) }
    if !wanted.isEmpty {
      var out = start(.gossip)
      // An unknown sender may not know this node either.
      if table.slot(datagram.sender) == nil {
        out.append(record(MemberTable.own), .alive, vitals: table[MemberTable.own].vitalsSequence)
      }
      out.append(.want(wanted))
      send(out, to: address)
    }
    if !asked.isEmpty { sendRecords(asked.compactMap(table.slot), to: address) }
  }

  /// Sends the records of as many of these nodes as one datagram holds.
  mutating func sendRecords(_ slots: [MemberTable.Slot], to address: IPv4Address) {
    var out = start(.gossip)
    for slot in slots where out.count + Item.largest(table[slot].record) <= Datagram.largest {
      out.append(record(slot), table[slot].state, vitals: table[slot].vitalsSequence)
    }
    send(out, to: address)
  }

  // MARK: This node

  /// Updates this node's own load, memory and addresses. Fingerprint, MAC, id and incarnation stay what they are here,
  /// and so does the processors' speed once it is known.
  public mutating func receiveOwn(_ current: NodeRecord, at now: UInt64) -> [MembershipCommand] {
    begin(now)
    let before = table[MemberTable.own].record
    var after = current
    after.fingerprint = before.fingerprint
    after.mac = before.mac
    after.id = before.id
    after.incarnation = before.incarnation
    // Today's processors change it all the time, and what a record says of them is what they were first.
    if before.speed > 0 { after.speed = before.speed }
    table.change(MemberTable.own) { member in
      member.record = after
      member.uptimeAt = now
    }
    if isActive, !before.isSameApartFromVitals(after) { overrule(before.incarnation, wholeRecord: true) }
    return finish()
  }

  /// Says goodbye to all neighbours at once. The datagrams should be given a moment before tunnels are taken down.
  public mutating func leave(at now: UInt64) -> [MembershipCommand] {
    begin(now)
    guard isActive else { return finish() }
    table.change(MemberTable.own) { member in
      member.state = .left
      member.since = now
    }
    announce(MemberTable.own, wholeRecord: false, except: 0)
    flushEverything()
    isActive = false
    return finish()
  }

  // MARK: Operators

  /// Throws a node out until `allow`: its machine, by MAC, and its key.
  public mutating func remove(_ id: NodeID, at now: UInt64) -> (outcome: RemovalOutcome, commands: [MembershipCommand])
  {
    begin(now)
    guard isActive, let slot = table.live(id) ?? gone(id), slot != MemberTable.own else { return (.unknown, finish()) }
    let record = table[slot].record
    let counter = (removals.entry(record.mac)?.counter ?? 0) &+ 1
    return decide(
      Removal(
        isInForce: true, counter: min(counter, Removal.largestCounter), mac: record.mac,
        fingerprint: record.fingerprint, id: record.id))
  }

  /// Lets a removed node join again.
  public mutating func allow(_ id: NodeID, at now: UInt64) -> (outcome: RemovalOutcome, commands: [MembershipCommand]) {
    begin(now)
    guard isActive, var entry = removals.entries.last(where: { $0.isInForce && $0.id == id }) else {
      return (.unknown, finish())
    }
    entry.isInForce = false
    entry.counter = min(entry.counter &+ 1, Removal.largestCounter)
    return decide(entry)
  }

  private mutating func decide(_ removal: Removal) -> (outcome: RemovalOutcome, commands: [MembershipCommand]) {
    guard let signature = authority.signs?(removal.statement(of: cluster)) else { return (.unsigned, finish()) }
    guard removals.accepts(removal) else { return (.full, finish()) }
    var removal = removal
    removal.signature = signature
    return (apply(removal, Provenance(spreads: true)) ? .done : .unsigned, finish())
  }

  private func gone(_ id: NodeID) -> MemberTable.Slot? {
    for slot in table.slots(from: 1) where table[slot].record.id == id { return slot }
    return nil
  }
}
