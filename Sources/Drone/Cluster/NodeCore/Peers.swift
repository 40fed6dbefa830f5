import Addresses
import Bytes
import Membership
import Tunnels

/// The live members as the kernel knows them, and those that were. This is the one place for the order on which it rests that
/// nothing between members leaves in clear.
///
/// In: first the policy that demands ESP, then the filter lets packets pass, then a tunnel may be made. Out: first the tunnel
/// goes, then the filter closes, and the policy goes at last. A member whose address changes gets its new place before it loses the old one.
///
/// Between in and out an address is *kept*: its member is gone, or said to be, and with it the tunnel; policy and place in the
/// filter stay, so that what programs still send there does not leave in clear. See `KeptAddress`.
public struct Peers {
  public let tunnels: Tunnels
  /// This node's address in the cluster, and all that it has.
  public private(set) var own: IPv4Address
  var ownAddresses: [InternetAddress] = []
  var surroundings = Surroundings()
  /// False with `-c off`: then nothing is asked of the kernel.
  let isEncrypted: Bool
  /// Members' other addresses are cut off, as on a full Linux.
  let cutsOff: Bool
  /// For so many milliseconds; 0: not at all.
  let keepFor: UInt64
  /// In the order in which their members went.
  public internal(set) var kept: [KeptAddress] = []
  /// Of whom the kernel was asked to demand ESP: members and kept addresses.
  var required: Set<UInt32> = []
  /// Members whose place in the kernel is being made.
  private var coming: [(ticket: UInt32, peer: TunnelPeer)] = []
  private var tickets: UInt32 = 0

  init(_ tunnels: Tunnels, own: IPv4Address, isEncrypted: Bool, cutsOff: Bool, keepFor: UInt64) {
    self.tunnels = tunnels
    self.own = own
    self.isEncrypted = isEncrypted
    self.cutsOff = cutsOff
    self.keepFor = keepFor
  }

  /// Whether what comes from this address can be believed to be a live member's: ESP is demanded of it.
  public func isProtected(_ address: IPv4Address) -> Bool { !isEncrypted || tunnels.hasPeer(at: address) }

  /// The addresses of which the kernel demands ESP, in their order.
  public var demanded: [IPv4Address] { required.sorted().map { IPv4Address(bits: $0) } }

  // MARK: In

  /// A member is alive.
  mutating func admit(_ record: NodeRecord) -> [NodeCommand] {
    let peer = TunnelPeer(record)
    // A member that claims this node's own address is no way to anybody.
    guard isEncrypted, peer.address != own else { return [] }
    tickets &+= 1
    coming.append((tickets, peer))
    required.insert(peer.address.bits)
    // Packets that wait at a kept address asked for keys of which nobody made any: the next one has to ask anew, and not in seconds.
    let waits = kept.contains { $0.address == .ipv4(peer.address) }
    let restored = endKeeping(of: record)
    var changes: [KernelChange] = [.require(peer.address), .permit(peer.address)]
    let others = others(of: record)
    if !others.isEmpty { changes.append(.cutOff(others)) }
    return restored + (waits ? [.removeWaiting(peer.address)] : []) + [.admit(ticket: tickets, changes)]
  }

  /// What is cut off of a member.
  func others(of record: NodeRecord) -> [InternetAddress] {
    guard cutsOff, isEncrypted else { return [] }
    let primary = record.addresses.primary
    return record.allAddresses.filter {
      $0 != .ipv4(primary) && !ownAddresses.contains($0) && surroundings.leads(to: $0, ofMemberAt: primary)
    }
  }

  /// The kernel has, or has not, done all that `admit` asked for. Without the policy nothing may pass, and without its place in
  /// the filter nothing does.
  mutating func receiveAdmission(_ ticket: UInt32, isDone: Bool, at now: UInt64) -> [TunnelCommand] {
    guard let place = coming.firstIndex(where: { $0.ticket == ticket }) else { return [] }
    let peer = coming.remove(at: place).peer
    return isDone ? tunnels.add(peer, at: now) : []
  }

  /// Whether the place in the kernel of the member with this key is being made.
  func isComing(_ fingerprint: [UInt8], at address: IPv4Address) -> Bool {
    coming.contains { $0.peer.fingerprint == fingerprint && $0.peer.address == address }
  }

  /// Members that have no place in the kernel get one: there was no room, or two of them had one id or one address for a while.
  mutating func admitMissing(_ membership: Membership) -> [NodeCommand] {
    // Peers are live members, so that of as many as there are others none is missing.
    guard isEncrypted, tunnels.count < membership.liveCount - 1 else { return [] }
    var commands: [NodeCommand] = []
    for record in membership.others(where: { tunnels.hasPlace(for: $0, at: $1) }) { commands += admit(record) }
    return commands
  }

  // MARK: Changes

  /// A member's record has changed.
  mutating func readmit(
    _ record: NodeRecord, from former: NodeRecord, _ membership: Membership, at now: UInt64
  ) -> [NodeCommand] {
    let present = record.allAddresses
    var commands = keep(
      others: others(of: former).filter { !present.contains($0) }, of: former, membership, at: now)
    // The new address first, so that the node is a member all the time.
    commands += admit(record)
    if record.addresses.primary != former.addresses.primary { commands += forget(former, membership, at: now) }
    return commands
  }

  /// This node has another address: everything in the kernel is by the old one and is made anew. Members stay in the filter, and
  /// only then the former policies go.
  mutating func changeAddress(
    to address: IPv4Address, _ membership: Membership
  ) -> [NodeCommand] {
    let former = own
    let peers = tunnels.peers
    let demanded = demanded
    var commands: [NodeCommand] = []
    for peer in peers { commands += remove(peer.id) }
    coming = []
    own = address
    commands.append(.changeAddress(address))
    guard isEncrypted else { return commands }
    var admitted: Set<UInt32> = []
    for peer in peers {
      guard let record = membership.member(peer.id) else { continue }
      commands += admit(record)
      admitted.insert(record.addresses.primary.bits)
    }
    // An address that was another's is this node's own now.
    if required.remove(address.bits) != nil {
      kept.removeAll { $0.address == .ipv4(address) }
      commands.append(.change(.forbid(address)))
    }
    for peer in self.demanded where !admitted.contains(peer.bits) {
      commands += [.change(.require(peer)), .change(.permit(peer))]
    }
    commands.append(.releaseFormer(former, peers: demanded))
    return commands
  }

  // MARK: Out

  /// A member is gone, or others say so.
  mutating func lose(_ record: NodeRecord, _ membership: Membership, at now: UInt64) -> [NodeCommand] {
    guard required.contains(record.addresses.primary.bits) else { return [] }
    return keep(others: others(of: record), of: record, membership, at: now) + forget(record, membership, at: now)
  }

  /// A member has this address no longer. Where another one has it, everything stays demanded: a computer with another card, say,
  /// that is a new node at its old address before the old one is found dead.
  private mutating func forget(_ record: NodeRecord, _ membership: Membership, at now: UInt64) -> [NodeCommand] {
    let address = record.addresses.primary
    guard isEncrypted, address != own else { return [] }
    coming.removeAll { $0.peer.address == address && $0.peer.id == record.id }
    let commands = tunnels.peer(record.id)?.address == address ? remove(record.id) : []
    if let heir = membership.member(at: address), heir.mac != membership.ownMAC { return commands + admit(heir) }
    return commands + keep(record, membership, at: now)
  }

  /// Nothing is demanded of this address any longer: the filter first, and the policy at last. Between them it is cut off if it is
  /// one of a live member's others.
  mutating func release(_ address: IPv4Address, cutOff: Bool = false) -> [NodeCommand] {
    required.remove(address.bits)
    coming.removeAll { $0.peer.address == address }
    return [.change(.forbid(address))] + (cutOff ? [.change(.cutOff([.ipv4(address)]))] : [])
      + [.change(.release(address))]
  }

  /// When a tunnel ends, no new connection is among what is asked for.
  private func remove(_ id: UInt16) -> [NodeCommand] { tunnels.remove(id).compactMap { NodeCommand($0) } }

  /// This node leaves or ends: all of them.
  mutating func releaseAll() -> [NodeCommand] {
    kept = []
    var commands: [NodeCommand] = []
    for peer in tunnels.peers { commands += remove(peer.id) }
    for address in demanded { commands += release(address) }
    return commands
  }
}

extension NodeCommand {
  /// Nil for a connection that is to be made, which is a call of its own.
  init?(_ command: TunnelCommand) {
    switch command {
    case .connect: return nil
    case .send(let channel, let message): self = .say(channel: channel, message)
    case .close(let channel): self = .close(channel: channel)
    case .install(let channel, let keyed): self = .install(channel: channel, keyed)
    case .remove(let association): self = .remove(association)
    case .removeLarval(let peer): self = .removeWaiting(peer)
    case .readAssociations: self = .readAssociations
    }
  }
}

extension TunnelPeer {
  init(_ record: NodeRecord) {
    self.init(id: record.id, address: record.addresses.primary, fingerprint: record.fingerprint.bytes)
  }
}

extension NodeRecord {
  var allAddresses: [InternetAddress] {
    addresses.all.map { .ipv4($0) } + addresses6.all.map { .ipv6($0) }
  }
}
