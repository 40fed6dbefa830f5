import Addresses
import Bytes
import Membership
import Testing

/// Which of several nodes is meant.
func mac(_ number: UInt8) -> MACAddress { MACAddress(bits: 0x5254_0012_3400 | UInt64(number)) ?? .zero }

let cluster = ClusterIdentifier(bits: 0xC1A0_0102_0304_0506)

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
