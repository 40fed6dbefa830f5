import DroneLayout
import Addresses
import Bytes
import ControlChannel
import Linux
import Netlink
import Tunnels

/// Policies: what must be in ESP, and what need not be.
extension Transforms {
  /// Demands ESP both ways between this node and a peer.
  func require(_ peer: IPv4Address) throws(NetlinkSocketError) {
    demandedPeers.insert(peer.bits)
    for policy in policies(peer, own) { try requests.perform(.set(policy, layout: .native)) }
  }

  func release(_ peer: IPv4Address) {
    demandedPeers.remove(peer.bits)
    remove(policies(peer, own))
    questions[peer.bits] = nil
  }

  /// Takes away what was demanded, and excepted, by an address that this node has no longer.
  func releaseAll(of former: IPv4Address, _ peers: [IPv4Address]) {
    remove(peers.flatMap { policies($0, former) } + controlPolicies(former))
  }

  private func remove(_ policies: [TransformPolicy]) {
    for policy in policies { try? requests.perform(.remove(policy)) }
  }

  /// The peers of whom policies demand ESP, whichever tyd set them.
  static func demanded() -> [IPv4Address] { demands().compactMap { $0.other.ipv4 } }

  /// The addresses of this machine by which they do.
  static func demandingAddresses() -> [IPv4Address] {
    var found: [IPv4Address] = []
    for demand in demands() {
      if let own = demand.own.ipv4, !found.contains(own) { found.append(own) }
    }
    return found
  }

  private static func demands() -> [(own: InternetAddress, other: InternetAddress)] {
    guard var socket = try? NetlinkSocket(.transform), let policies = try? socket.policies() else { return [] }
    return policies.filter { $0.isByTyd && $0.templates.count == 1 && $0.direction == .outbound }.map { $0.ends }
  }

  /// After a crash: what a former run demanded of nodes that are no members any longer, or by an address that this machine has no
  /// longer, goes.
  func keepOnly(_ kept: [IPv4Address]) {
    guard let found = try? requests.policies() else { return }
    let addresses = ownAddresses()
    for policy in found where policy.isByTyd && policy.templates.count == 1 {
      guard let mine = policy.ends.own.ipv4, let peer = policy.ends.other.ipv4 else { continue }
      guard mine == own ? !kept.contains(peer) : !addresses.contains(mine) else { continue }
      try? requests.perform(.remove(policy))
    }
  }

  /// Whether it is one of those that stand for this node's peers or the control channel.
  func isDemanded(_ policy: TransformPolicy) -> Bool {
    var demanded = controlPolicies(own)
    if let peer = policy.ends.other.ipv4, demandedPeers.contains(peer.bits) { demanded += policies(peer, own) }
    return demanded.contains { $0.direction == policy.direction && $0.selector == policy.selector }
  }

  /// Puts back what somebody else took away, such as `ip xfrm policy flush`; until then the filter lets nothing to members.
  /// Gives how many policies were missing.
  func restorePolicies() -> Int {
    guard let found = try? requests.policies() else { return 0 }
    let inbound = Set(found.filter { $0.direction == .inbound }.map { $0.selector })
    let outbound = Set(found.filter { $0.direction == .outbound }.map { $0.selector })
    var count = 0
    for policy in controlPolicies(own) + demandedPeers.flatMap({ policies(IPv4Address(bits: $0), own) }) {
      guard !(policy.direction == .inbound ? inbound : outbound).contains(policy.selector) else { continue }
      count += 1
      try? requests.perform(.set(policy, layout: .native))
    }
    return count
  }

  private func policies(_ peer: IPv4Address, _ own: IPv4Address) -> [TransformPolicy] {
    var inbound = TransformPolicy.require(.inbound, from: .ipv4(peer), to: .ipv4(own))
    var outbound = TransformPolicy.require(.outbound, from: .ipv4(own), to: .ipv4(peer))
    inbound.priority = Transforms.requirePriority
    outbound.priority = Transforms.requirePriority
    return [inbound, outbound]
  }

  /// Lets TCP 3278, which is TLS, pass beside ESP. The sockets' own policies do not count for what belongs to no socket any
  /// longer, as the last packets of a connection.
  func exceptControl() throws(Failure) {
    do throws(NetlinkSocketError) {
      for policy in controlPolicies(own) { try requests.perform(.set(policy, layout: .native)) }
    } catch {
      throw Failure([UInt8]("the kernel's IPsec: ") + error.text)
    }
  }

  func removeExceptions() {
    remove(controlPolicies(own))
  }

  private func controlPolicies(_ own: IPv4Address) -> [TransformPolicy] {
    func exception(
      _ direction: TransformPolicy.Direction, from source: IPv4Address, _ sourcePort: UInt16, to target: IPv4Address,
      _ targetPort: UInt16
    ) -> TransformPolicy {
      TransformPolicy(
        direction: direction,
        selector: TransformSelector(
          source: .ipv4(source), destination: .ipv4(target), sourcePrefix: source == own ? 32 : 0,
          destinationPrefix: target == own ? 32 : 0, transport: 6, sourcePort: sourcePort, destinationPort: targetPort),
        priority: Transforms.exceptionPriority)
    }
    let everybody = IPv4Address.unspecified
    return [
      exception(.inbound, from: everybody, ClusterPorts.control, to: own, 0),
      exception(.outbound, from: own, ClusterPorts.control, to: everybody, 0),
      exception(.inbound, from: everybody, 0, to: own, ClusterPorts.control),
      exception(.outbound, from: own, 0, to: everybody, ClusterPorts.control),
    ]
  }

  private static let exceptionPriority: UInt32 = 100
  fileprivate static let requirePriority: UInt32 = 200
}

extension TransformPolicy {
  /// This node's address and the other's.
  fileprivate var ends: (own: InternetAddress, other: InternetAddress) {
    direction == .outbound ? (selector.source, selector.destination) : (selector.destination, selector.source)
  }

  /// Whether it can be one that tyd set, and not another program's.
  fileprivate var isByTyd: Bool {
    priority == Transforms.requirePriority && templates.allSatisfy { $0.mode == 0 && $0.requestID == 0 }
  }
}
