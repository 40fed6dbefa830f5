import Addresses
import Bytes
import ControlChannel
import Membership
import Tunnels

@testable import NodeCore

/// A node and what it has been told to do, with the answers given that everything was done.
struct Sample {
  let core: NodeCore
  var done: [NodeCommand] = []
  var now: UInt64 = 1000
  /// What the kernel refuses.
  var refuses: (KernelChange) -> Bool = { _ in false }

  static let day: UInt64 = 24 * 3600 * 1000
  /// Every node holds its key.
  static let authority = RemovalAuthority(
    verifies: { signature, _ in signature == [UInt8](repeating: 9, count: 64) },
    signs: { _ in [UInt8](repeating: 9, count: 64) })

  static let cluster = [UInt8](repeating: 0xC1, count: 32)

  static func record(_ number: UInt8, address: IPv4Address? = nil, key: UInt64 = 0) -> NodeRecord {
    var record = NodeRecord(
      fingerprint: Fingerprint(UInt64(number), key, 0, 0),
      mac: MACAddress(bits: 0x5254_0000_0000 | UInt64(number)) ?? .zero,
      addresses: AddressList([address ?? IPv4Address(10, 0, 0, number)])!)
    record.id = UInt16(number)
    record.incarnation = 1
    return record
  }

  init(_ number: UInt8 = 1, canCertify: Bool = true, cutsOff: Bool = false, keepFor: UInt64 = Sample.day) {
    let record = Sample.record(number)
    var identity = NodeIdentity(
      cluster: Sample.cluster, key: record.fingerprint.bytes, canCertify: canCertify, isMember: true)
    identity.cutsOff = cutsOff
    identity.keepFor = keepFor
    identity.removalAuthority = Sample.authority
    core = NodeCore(record, identity, now: 1000, seed: 7)
  }

  /// Carries commands out; the kernel answers at once.
  mutating func perform(_ commands: [NodeCommand]) {
    for command in commands {
      done.append(command)
      switch command {
      case .admit(let ticket, let changes):
        let isDone = !changes.contains(where: refuses)
        perform(core.receiveAdmission(ticket, isDone: isDone, at: now))
      case .install(let channel, _): perform(core.receiveInstallation(over: channel, isDone: true, at: now))
      default: break
      }
    }
  }

  /// What another node, which knows these, would give as the map of the cluster.
  static func map(_ records: [NodeRecord]) -> [UInt8] {
    var membership = Membership(records[0], cluster: ClusterIdentifier(Fingerprint(bytes: cluster)!), at: 0, seed: 1)
    for record in records.dropFirst() {
      let other = Membership(record, cluster: membership.cluster, at: 0, seed: 2)
      _ = try? membership.receive(map: other.ownMap(at: 0), at: 0)
    }
    return membership.map(at: 0)
  }

  mutating func learn(_ records: NodeRecord...) { perform(core.resume(map: Sample.map(records), at: now) ?? []) }

  /// An operator gives an order.
  mutating func order(_ line: String) {
    let number = core.receiveOrderer(user: 0, at: now)
    perform(core.receive([UInt8](line.utf8), fromOrder: number ?? 0, at: now))
  }

  /// A member opens a connection and offers a tunnel by it.
  mutating func receiveOffer(of record: NodeRecord, from address: IPv4Address) {
    let other = Membership(record, cluster: core.membership.cluster, at: 0, seed: 3)
    guard let channel = core.receiveConnection(from: address, at: now).channel else { return }
    let peer = Conversation.Peer(fingerprint: record.fingerprint.bytes, isMember: true)
    perform(core.receivePeer(peer, over: channel, at: now))
    let hello = Hello(cluster: Sample.cluster, time: 0, record: other.ownMap(at: 0))
    perform(core.receive(.hello(hello), over: channel, at: now))
    let offer = TunnelOffer(from: record.id, to: 1, spi: 1000, counter: 0, ciphers: [.aes128GCM])
    perform(core.receive(.offer(offer), over: channel, at: now))
  }

  /// The last numbers of the addresses that are kept.
  var kept: [Int] { core.peers.kept.map { Int($0.address.octets.last ?? 0) } }

  /// The changes of the kernel and what concerns associations, in their order.
  var kernel: [String] {
    done.flatMap { command -> [String] in
      switch command {
      case .admit(_, let changes): changes.map { Sample.text($0) }
      case .change(let change): [Sample.text(change)]
      case .remove(let association): ["remove \(association.direction) of \(Sample.last(association.peer))"]
      case .changeAddress(let address): ["follow \(Sample.last(address))"]
      case .releaseFormer(let own, let peers): ["release \(peers.map(Sample.last)) of \(Sample.last(own))"]
      default: []
      }
    }
  }

  private static func last(_ address: IPv4Address) -> Int { Int(address.bits & 0xFF) }

  private static func text(_ change: KernelChange) -> String {
    switch change {
    case .require(let peer): "require \(last(peer))"
    case .permit(let peer): "permit \(last(peer))"
    case .cutOff(let others): "cut off \(others.count)"
    case .forbid(let peer): "forbid \(last(peer))"
    case .release(let peer): "release \(last(peer))"
    case .restore(let others): "restore \(others.count)"
    }
  }
}
