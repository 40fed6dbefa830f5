import Addresses
import Bytes
import Membership
import Tunnels

/// The live members as the kernel knows them. This is the one place for the order on which it rests that nothing between
/// members leaves in clear.
///
/// In: first the policy that demands ESP, then the filter lets packets pass, then a tunnel may be made. Out: first the filter
/// closes, then associations go, and the policy at last. A member whose address changes gets its new place before it loses the
/// old one.
public struct Peers {
  public let tunnels: Tunnels
  /// This node's address in the cluster, and all that it has.
  public private(set) var own: IPv4Address
  var ownAddresses: [InternetAddress] = []
  /// False with `-c off`: then nothing is asked of the kernel.
  let isEncrypted: Bool
  /// Members' other addresses are cut off, as on a full Linux.
  private let cutsOff: Bool
  /// Members whose place in the kernel is being made.
  private var coming: [(ticket: UInt32, peer: TunnelPeer)] = []
  private var tickets: UInt32 = 0

  init(_ tunnels: Tunnels, own: IPv4Address, isEncrypted: Bool, cutsOff: Bool) {
    self.tunnels = tunnels
    self.own = own
    self.isEncrypted = isEncrypted
    self.cutsOff = cutsOff
  }

  /// Whether what comes from this address can be believed to be a live member's: ESP is demanded of it.
  public func isProtected(_ address: IPv4Address) -> Bool { !isEncrypted || tunnels.hasPeer(at: address) }

  // MARK: In

  /// A member is alive.
  mutating func admit(_ record: NodeRecord) -> [NodeCommand] {
    let peer = TunnelPeer(record)
    // A member that claims this node's own address is no way to anybody.
    guard isEncrypted, peer.address != own else { return [] }
    tickets &+= 1
    coming.append((tickets, peer))
    var changes: [KernelChange] = [.require(peer.address), .permit(peer.address)]
    if cutsOff {
      let others = record.allAddresses.filter { $0 != .ipv4(peer.address) && !ownAddresses.contains($0) }
      if !others.isEmpty { changes.append(.cutOff(others)) }
    }
    return [.admit(ticket: tickets, changes)]
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
    _ record: NodeRecord, from former: NodeRecord, _ membership: Membership
  ) -> [NodeCommand] {
    let kept = record.allAddresses
    var commands = restore(former.allAddresses.filter { !kept.contains($0) }, of: record.mac, membership)
    // The new address first, so that the node is a member all the time.
    commands += admit(record)
    guard record.addresses.primary != former.addresses.primary else { return commands }
    commands += forget(former.addresses.primary, id: former.id, membership)
    // The former one may be another address of it now.
    return commands + admit(record)
  }

  /// This node has another address: everything in the kernel is by the old one and is made anew. Members stay in the filter, and
  /// only then the former policies go.
  mutating func changeAddress(
    to address: IPv4Address, _ membership: Membership
  ) -> [NodeCommand] {
    let former = own
    let peers = tunnels.peers
    var commands: [NodeCommand] = []
    for peer in peers { commands += remove(peer.id) }
    coming = []
    own = address
    commands.append(.changeAddress(address))
    guard isEncrypted else { return commands }
    for peer in peers {
      if let record = membership.member(peer.id) {
        commands += admit(record)
      } else {
        commands += release(peer.address, id: peer.id)
      }
    }
    commands.append(.releaseFormer(former, peers: peers.map { $0.address }))
    return commands
  }

  // MARK: Out

  /// A member is gone.
  mutating func lose(_ record: NodeRecord, _ membership: Membership) -> [NodeCommand] {
    restore(record.allAddresses, of: record.mac, membership)
      + forget(record.addresses.primary, id: record.id, membership)
  }

  /// A member has this address no longer. Where another one has it, everything stays demanded: a computer with another card, say,
  /// that is a new node at its old address before the old one is found dead.
  private mutating func forget(
    _ address: IPv4Address, id: UInt16, _ membership: Membership
  ) -> [NodeCommand] {
    guard isEncrypted else { return [] }
    guard let heir = membership.member(at: address), heir.mac != membership.ownMAC else {
      return release(address, id: id)
    }
    coming.removeAll { $0.peer.address == address && $0.peer.id == id }
    return remove(id, at: address) + admit(heir)
  }

  private mutating func release(_ address: IPv4Address, id: UInt16) -> [NodeCommand] {
    coming.removeAll { $0.peer.address == address }
    return [.change(.forbid(address))] + remove(id, at: address) + [.change(.release(address))]
  }

  private func remove(_ id: UInt16, at address: IPv4Address) -> [NodeCommand] {
    tunnels.peer(id)?.address == address ? remove(id) : []
  }

  /// When a tunnel ends, no new connection is among what is asked for.
  private func remove(_ id: UInt16) -> [NodeCommand] { tunnels.remove(id).compactMap { NodeCommand($0) } }

  /// This node leaves or ends: all of them.
  mutating func releaseAll() -> [NodeCommand] {
    tunnels.peers.flatMap { release($0.address, id: $0.id) }
  }

  /// A member has these addresses no longer, which may be another one's now.
  private func restore(
    _ addresses: [InternetAddress], of mac: MACAddress, _ membership: Membership
  ) -> [NodeCommand] {
    guard cutsOff, isEncrypted, !addresses.isEmpty else { return [] }
    let free = addresses.filter { !membership.isTaken($0, byOtherThan: mac) }
    return free.isEmpty ? [] : [.change(.restore(free))]
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
