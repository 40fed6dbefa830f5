import Addresses
import Bytes
import ControlChannel
import Linux
import Netlink
import Tunnels

/// The kernel's IPsec: policies that demand it, and the security associations that `Tunnels` asks for.
final class Transforms {
  /// The last question for keys about each peer by its address, by which its waiting state is found.
  var questions: [UInt32: AcquireRequest]
  /// This node's; what it changes from is given to `releaseAll`.
  var own: IPv4Address
  /// Peers of whom ESP is demanded.
  var demandedPeers: Set<UInt32> = []
  var requests: NetlinkSocket
  private let events: NetlinkSocket
  /// Of their own: a thousand changed policies must not push out a question for keys.
  private let policyEvents: NetlinkSocket

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
    policyEvents = try Transforms.open([.policies])
    do throws(SystemError) {
      try setKeyWaiting(seconds: 3)
    } catch {
      throw Failure([UInt8]("this kernel has no IPsec for tyd: ") + error.text)
    }
  }

  private static func open(_ groups: TransformGroups) throws(Failure) -> NetlinkSocket {
    do throws(NetlinkSocketError) {
      return try NetlinkSocket(.transform, groups: groups.rawValue)
    } catch {
      throw Failure([UInt8]("this kernel has no IPsec for tyd: ") + error.text)
    }
  }

  var descriptor: Int32 { events.descriptor }
  var policyDescriptor: Int32 { policyEvents.descriptor }

  /// What has come.
  func takeEvents() -> [Event] {
    var found: [Event] = []
    // A question that is lost comes again after three seconds, and what has expired is seen at the next observation.
    _ = events.takeTransformEvents { message in
      switch message {
      case .acquire(let question):
        guard let peer = question.destination.ipv4, question.source.ipv4 == own else { return }
        questions[peer.bits] = question
        found.append(.acquire(peer))
      case .expired(let status, let hard):
        guard !status.isWaiting, let source = status.source.ipv4, let destination = status.name.destination.ipv4
        else { return }
        let peer = destination == own ? source : destination
        found.append(.expired(spi: status.name.spi, peer: peer, isHard: hard))
      default: break
      }
    }
    return found
  }

  /// Takes the news of policies. True if one that tyd demands may be missing.
  func hearsOfMissingPolicies() -> Bool {
    var isMissing = false
    let isWhole = policyEvents.takeTransformEvents { message in
      switch message {
      case .policiesFlushed: isMissing = true
      case .policyRemoved(let policy): isMissing = isMissing || isDemanded(policy)
      default: break
      }
    }
    return isMissing || !isWhole
  }

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
  func associations() -> [AssociationUse]? {
    guard let found = try? requests.associations() else { return nil }
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
