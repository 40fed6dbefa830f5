import Addresses
import Bytes
import TestSupport
import Testing

@testable import Membership

/// Damaged datagrams and maps: read or refused, and whatever they say, a membership stays sound.
@Suite struct MembershipFuzzTests {
  private static let cluster = ClusterIdentifier(bits: 0xC1A0_0000_0000_0001)

  private static func node(_ number: UInt64) -> NodeRecord {
    NodeRecord(
      fingerprint: Fingerprint(number << 40, 2, 3, 4), mac: MACAddress(bits: 0x5254_0000_0000 | number) ?? .zero,
      id: UInt16(number), addresses: AddressList(IPv4Address(bits: 0x0A00_0000 | UInt32(number))), cpus: 2, speed: 300,
      memoryTotal: 512, incarnation: 3, load: 150, memoryFree: 400, uptime: 9000)
  }

  /// It stands by whatever is said, so that damage gets as far as it can.
  private static let authority = RemovalAuthority(
    verifies: { _, _ in true }, signs: { _ in [UInt8](repeating: 0, count: Removal.signatureLength) })

  private static let removal = Removal(
    isInForce: true, counter: 2, mac: node(9).mac, fingerprint: node(9).fingerprint, id: 9)

  /// Datagrams of all kinds, with items of all kinds.
  private static let samples: [[UInt8]] = {
    let items: [Item] = [
      .record(node(3), .alive, vitals: 7), .record(node(1), .suspect, vitals: 7),
      .status(NodeStatus(mac: node(4).mac, state: .dead, tag: node(4).tag, incarnation: 4)),
      .status(NodeStatus(mac: node(1).mac, state: .left, tag: node(1).tag, incarnation: 4)),
      .vitals([
        Vitals(id: 4, sequence: 3, load: 9, memoryFree: 1000), Vitals(id: 5, sequence: 3, load: 9, memoryFree: 1),
      ]),
      .removal(removal), .want([node(1).mac, node(4).mac, node(77).mac]),
    ]
    let bodies: [Datagram.Body] = [
      .ping(digest: nil), .ping(digest: 77), .ack, .pingRequest(node(4).mac), .pinging, .indirectAck(node(4).mac),
      .gossip,
      .digests(DigestTable(nodes: Array(repeating: 5, count: 32), removals: 3)), .contents(buckets: 0xFFFF_FFFF),
    ]
    return bodies.flatMap { body in
      [[], items, Array(items.prefix(2)), Array(items.suffix(2))].map { items in
        Datagram(cluster: cluster, sender: node(2).mac, number: 5, body: body, items: items).bytes
      }
    }
  }()

  private static let map: [UInt8] = {
    var membership = Membership(node(2), cluster: cluster, authority: .sample, at: 0, seed: 1)
    for number in 3..<9 as Range<UInt64> {
      membership.view.apply(node(number), .alive, vitals: 0, Provenance(spreads: false))
    }
    membership.view.insert(removal, Provenance(spreads: false))
    return membership.map(at: 0)
  }()

  @Test("any bytes are a datagram or an error, and what was read is written and read again as it was")
  func datagrams() {
    let fault = Fuzzing.configured.firstFault { generator in
      var bytes = MembershipFuzzTests.samples.randomElement(using: &generator) ?? []
      // The cluster's bytes would refuse most of the damage.
      bytes = Array(bytes.prefix(10)) + Array(bytes.dropFirst(10)).damaged(&generator)
      if UInt8.random(in: 0..<16, using: &generator) == 0 { bytes = bytes.damaged(&generator) }
      let datagram: Datagram
      do throws(MembershipDecodeError) {
        datagram = try Datagram(bytes, of: MembershipFuzzTests.cluster)
      } catch {
        return error.text.count > 20 && error.text.count < 100 ? nil : "an error without words for \(bytes)"
      }
      if datagram.items.count > bytes.count / 2 { return "more items than bytes for \(bytes)" }
      let isSplit = datagram.items.contains { item in
        // Written, an item holds no more than fits any values.
        switch item {
        case .vitals(let list): list.count > Item.vitalsCapacity
        case .want(let list): list.count > Item.wantCapacity
        default: false
        }
      }
      if isSplit { return nil }
      let again = try? Datagram(datagram.bytes, of: MembershipFuzzTests.cluster)
      return again == datagram ? nil : "\(datagram) became \(String(describing: again))"
    }
    #expect(fault == nil)
  }

  @Test("whatever comes, a membership neither traps nor floods nor grows, and still has itself")
  func inputs() {
    // Each case is a short life of a node.
    let fault = Fuzzing.lives(of: 4).firstFault { generator in
      var membership = Membership(
        MembershipFuzzTests.node(1), cluster: MembershipFuzzTests.cluster,
        authority: MembershipFuzzTests.authority, at: 0, seed: generator.next())
      var now: UInt64 = 0
      var commands = (try? membership.join(map: MembershipFuzzTests.map, at: 0)) ?? []
      for _ in 0..<4 {
        now += UInt64.random(in: 0...3000, using: &generator)
        switch UInt8.random(in: 0..<8, using: &generator) {
        case 0: commands += membership.step(at: now)
        case 1:
          let map = MembershipFuzzTests.map
          let damaged = Array(map.prefix(10)) + Array(map.dropFirst(10)).damaged(&generator)
          commands += (try? membership.receive(map: damaged, at: now)) ?? []
        case 2: commands += membership.remove(UInt16.random(in: 0...10, using: &generator), at: now).commands
        case 3: commands += membership.allow(9, at: now).commands
        default:
          var bytes = MembershipFuzzTests.samples.randomElement(using: &generator) ?? []
          bytes = Array(bytes.prefix(10)) + Array(bytes.dropFirst(10)).damaged(&generator)
          let sender = IPv4Address(bits: 0x0A00_0000 | UInt32.random(in: 0...12, using: &generator))
          commands += membership.receive(bytes, from: sender, at: now)
        }
        if let fault = self.fault(in: membership) { return fault }
      }
      if commands.count > 300 { return "\(commands.count) commands" }
      for case .send(let bytes, _) in commands where (try? Datagram(bytes, of: MembershipFuzzTests.cluster)) == nil {
        return "a datagram that nobody can read: \(bytes)"
      }
      return nil
    }
    #expect(fault == nil)
  }

  private func fault(in membership: Membership) -> String? {
    let own = membership.own
    if own.mac != MembershipFuzzTests.node(1).mac || own.fingerprint != MembershipFuzzTests.node(1).fingerprint {
      return "the node is not itself any longer"
    }
    if membership.liveCount > 60 || membership.bytes > 30_000 { return "too many nodes" }
    if membership.view.neighbours.all.count > 12 { return "too many neighbours" }
    var live = 0
    membership.forEach { _, state in if state.isLive { live += 1 } }
    // A node that has left is remembered, and so is one that was thrown out.
    if membership.isActive, live != membership.liveCount { return "rings and states disagree" }
    for neighbour in membership.view.neighbours.all where neighbour.slot != .max {
      if membership.isActive, !membership.view.table.isUsed(neighbour.slot) { return "a neighbour that is not there" }
    }
    return nil
  }
}
