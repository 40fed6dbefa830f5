import Addresses
import Bytes
import Testing

@testable import Membership

/// Which of several nodes is meant.
func mac(_ number: UInt8) -> MACAddress { MACAddress(bits: 0x5254_0012_3400 | UInt64(number)) ?? .zero }

let cluster = ClusterIdentifier(bits: 0xC1A0_0102_0304_0506)

extension RemovalAuthority {
  /// Signs whatever it is given, with the sum of its bytes, and knows that again.
  static let sample = RemovalAuthority(verifies: { $0 == signature(of: $1) }, signs: { signature(of: $0) })
  /// A member's that does not hold the key.
  static let sampleWithoutKey = RemovalAuthority(verifies: { $0 == signature(of: $1) })

  private static func signature(of statement: [UInt8]) -> [UInt8] {
    let sum = statement.reduce(into: 7) { $0 = $0 &* 31 &+ UInt64($1) }
    return (0..<64).map { UInt8(truncatingIfNeeded: sum >> ($0 & 56)) }
  }
}

/// Node `number`: 192.168.1.`number`, with a fingerprint that `life` changes.
func node(_ number: UInt8, life: UInt64 = 1, id: NodeID = 0, network: UInt8 = 1) throws -> NodeRecord {
  let addresses = try #require(AddressList([IPv4Address(192, 168, network, number)]))
  var record = NodeRecord(
    fingerprint: Fingerprint(life << 32 | UInt64(number), 2, 3, 4), mac: mac(number), addresses: addresses)
  record.id = id
  return record
}

/// The datagrams among commands, with the last byte of the address that they go to.
func sent(_ commands: [MembershipCommand]) -> [(bytes: [UInt8], to: UInt8)] {
  commands.compactMap { effect in
    if case .send(let bytes, let address) = effect { (bytes, UInt8(truncatingIfNeeded: address.bits)) } else { nil }
  }
}

func events(_ commands: [MembershipCommand]) -> [MembershipNews] {
  commands.compactMap { effect in if case .report(let event) = effect { event } else { nil } }
}

/// Node `first` as the member of a cluster of `count`, numbered one after the other.
func settledMember(_ first: UInt8, of count: UInt8, now: UInt64 = 0) throws -> Membership {
  let records = try (first..<first + count).map { try node($0, id: 0x0100 + UInt16($0)) }
  var member = try #require(
    Membership.settled(records, cluster: cluster, authority: .sample, at: now, seed: { UInt64($0) }).first)
  // It greets its neighbours first.
  _ = member.finish()
  return member
}

/// Lets time pass, with nothing coming in.
func pass(_ member: inout Membership, until end: UInt64) {
  while member.nextDue <= end { _ = member.step(at: member.nextDue) }
}

func datagram(from sender: UInt8, _ body: Datagram.Body = .gossip, _ items: [Item] = []) -> [UInt8] {
  Datagram(cluster: cluster, sender: mac(sender), number: 9, body: body, items: items).bytes
}

func status(_ record: NodeRecord?, _ state: NodeState, _ incarnation: UInt32) throws -> Item {
  let record = try #require(record)
  return .status(NodeStatus(mac: record.mac, state: state, tag: record.tag, incarnation: incarnation))
}

let address = IPv4Address(192, 168, 1, 9)
