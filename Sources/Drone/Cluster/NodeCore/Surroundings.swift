import Addresses
import Membership

/// What a machine knows of the networks around it by itself. Private addresses (RFC 1918) are unique inside of one site only: the
/// second address of a member elsewhere may be this machine's router, or a host beside it.
public struct Surroundings: Equatable, Sendable {
  /// A network to which a card is connected.
  public struct Network: Equatable, Sendable {
    let card: Int32
    let address: IPv4Address
    let mask: Netmask

    /// - Parameters:
    ///   - card: its number.
    ///   - address: any of the network's.
    public init(card: Int32, _ address: IPv4Address, _ mask: Netmask) {
      self.card = card
      self.address = address
      self.mask = mask
    }

    func contains(_ other: IPv4Address) -> Bool { (address.bits ^ other.bits) & mask.bits == 0 }
  }

  public var networks: [Network]
  /// Through which it reaches other networks.
  public var routers: [IPv4Address]

  public init(networks: [Network] = [], routers: [IPv4Address] = []) {
    self.networks = networks
    self.routers = routers
  }

  func hasRouter(_ address: InternetAddress) -> Bool { address.ipv4.map { routers.contains($0) } ?? false }

  /// Whether packets to an address that a member says it has beside its own would go to that member.
  ///
  /// Not to a router of this machine; nor to a host of a network that a card of this machine is connected to, unless the member's
  /// own address is in a network of that card: then it is there.
  func leads(to address: InternetAddress, ofMemberAt primary: IPv4Address) -> Bool {
    guard let address = address.ipv4 else { return true }
    if routers.contains(address) { return false }
    let cards = networks.filter { $0.contains(address) }.map { $0.card }
    return cards.isEmpty || networks.contains { cards.contains($0.card) && $0.contains(primary) }
  }
}

extension Peers {
  /// This machine's networks or routers are others than before: what members have beside their own addresses is cut off, or no
  /// longer, as these say.
  mutating func receive(_ surroundings: Surroundings, _ membership: Membership) -> [NodeCommand] {
    guard cutsOff, surroundings != self.surroundings else { return [] }
    let members = membership.others { _, _ in true }
    let former = members.flatMap { others(of: $0) }
    self.surroundings = surroundings
    let present = members.flatMap { others(of: $0) }
    let (before, after) = (Set(former), Set(present))
    var commands: [NodeCommand] = []
    let open = former.filter { !after.contains($0) }
    if !open.isEmpty { commands.append(.change(.restore(open))) }
    let closed = present.filter { !before.contains($0) }
    if !closed.isEmpty { commands.append(.change(.cutOff(closed))) }
    return commands + releaseRouters(membership)
  }
}

extension NodeCore {
  /// What this machine knows of the networks around it.
  public func receive(_ surroundings: Surroundings) -> [NodeCommand] {
    commands += peers.receive(surroundings, membership)
    return finish()
  }
}
