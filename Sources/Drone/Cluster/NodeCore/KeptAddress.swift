import Addresses
import Bytes
import Membership

/// An address that a live member had. The member is dead, has left, was removed or has another address now, or somebody makes it
/// look so: what programs send there leaves in ESP or not at all, although nobody makes a tunnel.
public struct KeptAddress: Equatable, Sendable {
  public let address: InternetAddress
  /// The kernel demands ESP; otherwise it was another address of a member, and is cut off.
  public let isDemanded: Bool
  /// Who had it; nil for what a former run of the program left in the kernel.
  let holder: Holder?
  /// In milliseconds of the driver's clock.
  public let until: UInt64

  struct Holder: Equatable, Sendable {
    let mac: MACAddress
    let key: Fingerprint

    init(_ record: NodeRecord) {
      mac = record.mac
      key = record.fingerprint
    }
  }

  init(_ address: InternetAddress, isDemanded: Bool, of holder: Holder?, until: UInt64) {
    self.address = address
    self.isDemanded = isDemanded
    self.holder = holder
    self.until = until
  }
}

extension Peers {
  /// More are not kept: those whose member went first are released.
  static let mostKept = 4096

  /// When `step` has something to release. All are kept for the same time, so the first is the first to go.
  var nextDue: UInt64? { kept.first?.until }

  // MARK: Keeping

  /// Keeps what a member had: its address in the cluster, and others that are cut off.
  mutating func keep(_ record: NodeRecord, _ membership: Membership, at now: UInt64) -> [NodeCommand] {
    keep(
      KeptAddress(
        .ipv4(record.addresses.primary), isDemanded: true, of: .init(record), until: now &+ keepFor), membership)
  }

  mutating func keep(
    others addresses: [InternetAddress], of record: NodeRecord, _ membership: Membership, at now: UInt64
  ) -> [NodeCommand] {
    var commands: [NodeCommand] = []
    for address in addresses where !membership.isTaken(address, byOtherThan: record.mac) {
      commands += keep(
        KeptAddress(address, isDemanded: false, of: .init(record), until: now &+ keepFor), membership)
    }
    return commands
  }

  private mutating func keep(_ one: KeptAddress, _ membership: Membership) -> [NodeCommand] {
    guard keepFor > 0 else { return release(one, membership) }
    guard !kept.contains(where: { $0.address == one.address && $0.isDemanded == one.isDemanded }) else { return [] }
    kept.append(one)
    return kept.count > Peers.mostKept ? release(kept.removeFirst(), membership) : []
  }

  /// What a former run demanded and cut off, and no live member has. Nobody knows any longer since when it is kept.
  mutating func resume(
    _ demanded: [IPv4Address], _ cutOff: [InternetAddress], _ membership: Membership, at now: UInt64
  ) -> [NodeCommand] {
    guard isEncrypted else { return [] }
    var commands: [NodeCommand] = []
    for address in demanded where address != own && required.insert(address.bits).inserted {
      commands += [.change(.require(address)), .change(.permit(address))]
      commands += keep(
        KeptAddress(.ipv4(address), isDemanded: true, of: nil, until: now &+ keepFor), membership)
    }
    guard cutsOff else { return commands }
    for address in cutOff
    where !ownAddresses.contains(address) && !surroundings.hasRouter(address)
      && !membership.isTaken(address, byOtherThan: membership.ownMAC)
    {
      commands.append(.change(.cutOff([address])))
      commands += keep(KeptAddress(address, isDemanded: false, of: nil, until: now &+ keepFor), membership)
    }
    return commands
  }

  // MARK: Its end

  /// Addresses that a live member has are that member's: cut off if it says so, and this machine's networks say nothing else.
  mutating func endKeeping(of record: NodeRecord) -> [NodeCommand] {
    guard !kept.isEmpty else { return [] }
    let addresses = record.allAddresses
    let primary = InternetAddress.ipv4(record.addresses.primary)
    let cutOff = others(of: record)
    var open: [InternetAddress] = []
    kept.removeAll { one in
      guard one.address == primary || !one.isDemanded && addresses.contains(one.address) else { return false }
      if !one.isDemanded, one.address != primary, !cutOff.contains(one.address) { open.append(one.address) }
      return true
    }
    return open.isEmpty ? [] : [.change(.restore(open))]
  }

  /// Releases those whose time is over.
  mutating func step(_ membership: Membership, at now: UInt64) -> [NodeCommand] {
    release(membership) { $0.until <= now }
  }

  /// This machine itself has addresses that a member had.
  mutating func releaseOwn(_ membership: Membership) -> [NodeCommand] {
    guard !kept.isEmpty else { return [] }
    let addresses = ownAddresses
    return release(membership) { addresses.contains($0.address) }
  }

  /// This machine's routers are cut off on nobody's word.
  mutating func releaseRouters(_ membership: Membership) -> [NodeCommand] {
    let surroundings = surroundings
    return release(membership) { !$0.isDemanded && surroundings.hasRouter($0.address) }
  }

  /// The node with this key has made a tunnel from this address, so it is there and has the addresses that its record names.
  mutating func receiveProof(of key: [UInt8], at address: IPv4Address, _ membership: Membership) -> [NodeCommand] {
    guard !kept.isEmpty, let record = membership.member(at: address), record.fingerprint.bytes == key else { return [] }
    let holder = KeptAddress.Holder(record)
    // What it has under its present record is kept no longer, or cut off by `release`.
    return release(membership) { $0.holder == holder }
  }

  /// An operator wants it: this address, and the others of who had it. Nil if it is not kept.
  mutating func release(kept address: IPv4Address, _ membership: Membership) -> [NodeCommand]? {
    guard let one = kept.first(where: { $0.address == .ipv4(address) }) else { return nil }
    return release(membership) { $0.address == one.address || one.holder != nil && $0.holder == one.holder }
  }

  private mutating func release(_ membership: Membership, _ isOver: (KeptAddress) -> Bool) -> [NodeCommand] {
    let over = kept.filter(isOver)
    kept.removeAll(where: isOver)
    var commands: [NodeCommand] = []
    for one in over { commands += release(one, membership) }
    return commands
  }

  private mutating func release(_ one: KeptAddress, _ membership: Membership) -> [NodeCommand] {
    let isTaken = membership.isTaken(one.address, byOtherThan: membership.ownMAC)
    if one.isDemanded, let address = one.address.ipv4 { return release(address, cutOff: cutsOff && isTaken) }
    return isTaken ? [] : [.change(.restore([one.address]))]
  }
}
