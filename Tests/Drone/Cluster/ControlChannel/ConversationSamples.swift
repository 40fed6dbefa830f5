import Addresses
import Bytes
import ControlChannel
import Membership

let authority = [UInt8](repeating: 0xC1, count: 32)
let cluster = ClusterIdentifier(bits: 0xC1A0_0102_0304_0506)
let peerKey = [UInt8](repeating: 0xAB, count: 32)
let otherKey = [UInt8](repeating: 0xCD, count: 32)

/// A node's description of itself, as it stands in `join` and `hello`.
func description(
  of key: [UInt8] = peerKey, isInClear: Bool = false, cluster: ClusterIdentifier = cluster
) throws -> [UInt8] {
  guard let fingerprint = Fingerprint(bytes: key), let mac = MACAddress(bits: 0x5254_0012_3402),
    let addresses = AddressList([IPv4Address(192, 168, 1, 2)])
  else { throw Impossible() }
  let record = NodeRecord(fingerprint: fingerprint, mac: mac, addresses: addresses, isInClear: isInClear)
  return Membership(record, cluster: cluster, at: 0, seed: 1).ownMap(at: 0)
}

struct Impossible: Error {}

func hello(
  of key: [UInt8] = peerKey, isInClear: Bool = false, cluster: [UInt8] = authority, time: UInt64 = 1_700_000_000
) throws -> ControlMessage {
  .hello(Hello(cluster: cluster, time: time, record: try description(of: key, isInClear: isInClear)))
}

let offer = TunnelOffer(from: 2, to: 1, spi: 0x1000, counter: 0, ciphers: [.chaCha20Poly1305])

/// This node, encrypted and in, unless said otherwise.
func host(isInClear: Bool = false, isIn: Bool = true) -> Conversation.Host {
  Conversation.Host(cluster: authority, identifier: cluster, isInClear: isInClear, isIn: isIn)
}

let member = Conversation.Peer(fingerprint: peerKey, isMember: true)
let stranger = Conversation.Peer(fingerprint: peerKey, isMember: false)

/// A conversation in which the other side has proved who it is.
func fresh(_ purpose: Conversation.Purpose, with peer: Conversation.Peer = member) -> Conversation {
  var made =
    purpose == .incoming ? Conversation(incomingAt: 0) : Conversation(purpose, at: 0, patience: 3000)
  _ = made.receivePeer(peer)
  return made
}

extension Conversation {
  /// Takes a message in a cluster from which nobody was removed.
  mutating func receive(_ message: ControlMessage, _ host: Host = host()) -> [ConversationCommand] {
    receive(message, host) { _ in nil }
  }
}
