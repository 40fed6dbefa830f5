import Addresses
import ChannelFailure
import SecureChannel

/// 1 January 2026, when the clusters of these tests began, and ten years later.
let began: Int64 = 1_767_225_600
let ends: Int64 = began + 10 * 365 * 86_400
let present: Int64 = began + 86_400

/// A cluster's authority.
struct Cluster {
  let key: SigningKey
  let authority: Certificate

  init(_ name: String = "home", notBefore: Int64 = began, notAfter: Int64 = ends) throws {
    key = try SigningKey()
    authority = try .authority(name: Array(name.utf8), key: key, notBefore: notBefore, notAfter: notAfter)
  }

  func member() throws -> ChannelIdentity {
    let key = try SigningKey()
    return try ChannelIdentity(
      key: key, certificate: authority.issue(for: key.publicKey, key: self.key), authority: authority)
  }

  func joiner() throws -> ChannelIdentity {
    let key = try SigningKey()
    return try ChannelIdentity(key: key, certificate: .joiner(key), authority: authority)
  }
}

extension SecureConnection {
  var reason: ClosedReason? {
    if case .closed(let reason) = state { reason } else { nil }
  }

  var peer: Peer? {
    if case .open(let peer) = state { peer } else { nil }
  }
}

/// Carries bytes both ways until nobody has any; a side that closed gets nothing more.
func exchange(_ one: SecureConnection, _ other: SecureConnection) {
  while one.hasOutput || other.hasOutput {
    other.receive(one.takeOutput())
    one.receive(other.takeOutput())
  }
}

/// Two ends after as much of a handshake as they get through.
func connected(
  _ client: ChannelIdentity, _ server: ChannelIdentity, admitting: SecureConnection.Admission = .members,
  at time: Int64 = present
) throws -> (client: SecureConnection, server: SecureConnection) {
  let one = try SecureConnection(client, as: .client, at: time, started: 0)
  let other = try SecureConnection(server, as: .server, admitting: admitting, at: time, started: 0)
  exchange(one, other)
  return (one, other)
}

func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
