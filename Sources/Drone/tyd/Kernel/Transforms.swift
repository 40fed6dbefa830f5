import ClusterProtocol
import Linux
import Netlink
import NetworkAddresses
import Tunnels

/// The kernel's IPsec: policies that demand it, and the security associations that `Tunnels` asks for.
final class Transforms {
  /// The last question for keys about each peer by its address, by which its waiting state is found.
  private var questions: [UInt32: AcquireRequest]
  /// This node's; what it changes from is given to `releaseAll`.
  var own: IPv4Address
  private var requests: NetlinkSocket
  private let events: NetlinkSocket

  /// What the kernel asks or tells.
  enum Event {
    case acquire(IPv4Address)
    case expired(spi: UInt32, peer: IPv4Address, isHard: Bool)
  }

  /// 16 words of bits: late packets are taken up to so many behind the newest.
  private static let replayWindow: UInt32 = 512
  /// Sequence numbers end at 2^32 (RFC 4303 §3.3.3): new keys are asked for long before.
  private let softPackets: UInt64
  private var hardPackets: UInt64 { min(2 &* softPackets, (1 << 32) - (1 << 20)) }

  /// - Parameter softPackets: new keys are asked for after so many packets; nil for half of what sequence numbers allow.
  init(own: IPv4Address, softPackets: UInt32?) throws(Failure) {
    self.own = own
    self.softPackets = softPackets.map { UInt64($0) } ?? 1 << 31
    questions = [:]
    requests = try Transforms.open([])
    events = try Transforms.open([.acquire, .expire])
    do throws(SystemError) {
      try setKeyWaiting(seconds: 3)
    } catch {
      throw Failure([UInt8]("this kernel has no IPsec for tyd: ") + error.text)
    }
  }

  private static func open(_ groups: TransformGroups) throws(Failure) -> NetlinkSocket {
    do throws(SystemError) {
      return try NetlinkSocket(.transform, groups: groups.rawValue)
    } catch {
      throw Failure([UInt8]("this kernel has no IPsec for tyd: ") + error.text)
    }
  }

  var descriptor: Int32 { events.descriptor }

  /// What has come.
  func takeEvents() -> [Event] {
    guard let messages = try? events.transformEvents(within: 0) else { return [] }
    var found: [Event] = []
    for message in messages {
      switch message {
      case .acquire(let question):
        guard let peer = question.destination.ipv4, question.source.ipv4 == own else { continue }
        questions[peer.bits] = question
        found.append(.acquire(peer))
      case .expired(let status, let hard):
        guard !status.isWaiting, let source = status.source.ipv4, let destination = status.name.destination.ipv4
        else { continue }
        let peer = destination == own ? source : destination
        found.append(.expired(spi: status.name.spi, peer: peer, isHard: hard))
      default: break
      }
    }
    return found
  }

  // MARK: Policies

  /// Demands ESP both ways between this node and a peer.
  func require(_ peer: IPv4Address) throws(NetlinkSocketError) {
    for policy in policies(peer, own) { try requests.perform(.set(policy, layout: .native)) }
  }

  func release(_ peer: IPv4Address) {
    for policy in policies(peer, own) { try? requests.perform(.remove(policy)) }
    questions[peer.bits] = nil
  }

  /// Takes away what was demanded, and excepted, by an address that this node has no longer.
  func releaseAll(of former: IPv4Address, _ peers: [IPv4Address]) {
    for peer in peers {
      for policy in policies(peer, former) { try? requests.perform(.remove(policy)) }
    }
    for policy in controlPolicies(former) { try? requests.perform(.remove(policy)) }
  }

  /// The peers of whom policies demand ESP, whichever tyd set them.
  static func demanded() -> [IPv4Address] {
    do throws(SystemError) {
      var socket = try NetlinkSocket(.transform)
      let policies = (try? socket.policies()) ?? []
      return policies.compactMap { policy in
        let isDemand = policy.isByTyd && policy.templates.count == 1 && policy.direction == .outbound
        return isDemand ? policy.selector.destination.ipv4 : nil
      }
    } catch {
      return []
    }
  }

  /// After a crash: what a former run demanded of nodes that are no members any longer goes.
  func keepOnly(_ kept: [IPv4Address]) {
    guard let found = try? requests.policies() else { return }
    for policy in found where policy.isByTyd && policy.templates.count == 1 {
      let other = policy.direction == .outbound ? policy.selector.destination : policy.selector.source
      let mine = policy.direction == .outbound ? policy.selector.source : policy.selector.destination
      guard mine.ipv4 == own, let peer = other.ipv4, !kept.contains(peer) else { continue }
      try? requests.perform(.remove(policy))
    }
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
    for policy in controlPolicies(own) { try? requests.perform(.remove(policy)) }
  }

  private func controlPolicies(_ own: IPv4Address) -> [TransformPolicy] {
    let everybody = IPv4Address.unspecified
    var found: [TransformPolicy] = []
    for (source, target) in [(controlPort, 0), (0, controlPort)] as [(UInt16, UInt16)] {
      found.append(
        TransformPolicy(
          direction: .inbound,
          selector: TransformSelector(
            source: .ipv4(everybody), destination: .ipv4(own), sourcePrefix: 0, destinationPrefix: 32, transport: 6,
            sourcePort: source, destinationPort: target), priority: Transforms.exceptionPriority))
      found.append(
        TransformPolicy(
          direction: .outbound,
          selector: TransformSelector(
            source: .ipv4(own), destination: .ipv4(everybody), sourcePrefix: 32, destinationPrefix: 0, transport: 6,
            sourcePort: source, destinationPort: target), priority: Transforms.exceptionPriority))
    }
    return found
  }

  private static let exceptionPriority: UInt32 = 100
  fileprivate static let requirePriority: UInt32 = 200

  // MARK: Associations

  func install(_ association: TunnelAssociation, _ cipher: TunnelCipher, material: [UInt8]) throws(NetlinkSocketError) {
    let algorithm: AEADCipher = cipher == .aes128GCM ? .aesGCM16 : .chaCha20Poly1305
    guard let key = AEADKey(algorithm, material: material) else { throw .unsendable }
    let inbound = association.direction == .inbound
    var state = SecurityAssociation(
      source: .ipv4(inbound ? association.peer : own), destination: .ipv4(inbound ? own : association.peer),
      spi: association.spi, key: key)
    state.replayWindow = Transforms.replayWindow
    state.softLimits.packets = softPackets
    state.hardLimits.packets = hardPackets
    try requests.perform(.add(state, layout: .native))
  }

  /// Whether this kernel has ESP with these ciphers: an association of this node with itself, which nothing uses, is made by a key
  /// that nobody keeps, and taken away again. Otherwise the node would be in and reach nobody.
  func tryOut(_ ciphers: [TunnelCipher]) throws(Failure) {
    let trial = TunnelAssociation(spi: 256, direction: .inbound, peer: own)
    for cipher in ciphers {
      guard let material = randomBytes(cipher.keyLength, wait: true) else { return }
      remove(trial)
      do throws(NetlinkSocketError) {
        try install(trial, cipher, material: material)
        remove(trial)
      } catch {
        let name: StaticString = cipher == .aes128GCM ? "AES-128-GCM" : "ChaCha20-Poly1305"
        let other: StaticString = cipher == .aes128GCM ? "chacha20poly1305" : "aes128gcm"
        throw Failure(
          [UInt8]("this kernel has no ESP with ") + [UInt8](name) + [UInt8](" (") + error.text
            + [UInt8]("): it lacks modules for it; tyd -c ") + [UInt8](other) + [UInt8](" does without this cipher."))
      }
    }
  }

  func remove(_ association: TunnelAssociation) {
    let destination = association.direction == .inbound ? own : association.peer
    try? requests.perform(.remove(SecurityAssociationName(destination: .ipv4(destination), spi: association.spi)))
  }

  func removeLarval(_ peer: IPv4Address) {
    guard let question = questions.removeValue(forKey: peer.bits) else { return }
    try? requests.abandon(question)
  }

  /// Packets that the associations of now have refused: too old for the window, seen before, not proven.
  func refusedPackets() -> (late: UInt64, replayed: UInt64, unproven: UInt64) {
    var counts: (late: UInt64, replayed: UInt64, unproven: UInt64) = (0, 0, 0)
    for status in (try? requests.associations()) ?? [] {
      counts.late += UInt64(status.outsideWindow)
      counts.replayed += UInt64(status.replayed)
      counts.unproven += UInt64(status.unproven)
    }
    return counts
  }

  /// All ESP associations of this node's address that can be tyd's: those of other programs, a VPN's say, are for tunnels or
  /// have request ids.
  func associations() -> [AssociationUse] {
    guard let found = try? requests.associations() else { return [] }
    return found.compactMap { status in
      guard !status.isWaiting, status.transform == 50, status.mode == 0, status.requestID == 0,
        let source = status.source.ipv4, let destination = status.name.destination.ipv4,
        source == own || destination == own
      else { return nil }
      let inbound = destination == own
      return AssociationUse(
        TunnelAssociation(
          spi: status.name.spi, direction: inbound ? .inbound : .outbound, peer: inbound ? source : destination),
        packets: status.packets, installed: status.added)
    }
  }
}

extension TransformPolicy {
  /// Whether it can be one that tyd set, and not another program's.
  fileprivate var isByTyd: Bool {
    priority == Transforms.requirePriority && templates.allSatisfy { $0.mode == 0 && $0.requestID == 0 }
  }
}

extension InternetAddress {
  /// Nil for IPv6.
  var ipv4: IPv4Address? {
    if case .ipv4(let address) = self { address } else { nil }
  }
}
