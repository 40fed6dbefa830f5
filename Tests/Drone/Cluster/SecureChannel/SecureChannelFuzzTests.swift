import Addresses
import SecureChannel
import TestSupport
import Testing

@Suite struct SecureChannelFuzzTests {
  private static let present: Int64 = 1_800_000_000

  /// Made once: keys are random, so a seed brings back the damage and not the very bytes.
  private struct Peers {
    let authority: Certificate
    let node: Certificate
    let key: SigningKey
    let member: ChannelIdentity

    init() throws {
      let secret = try SigningKey()
      authority = try .authority(
        name: Array("home".utf8), key: secret, notBefore: 1_700_000_000, notAfter: 2_000_000_000)
      key = try SigningKey()
      node = try authority.issue(for: key.publicKey, key: secret)
      member = try ChannelIdentity(key: key, certificate: node, authority: authority)
    }
  }

  @Test("a damaged certificate is refused or reads back the same, and is none of a member")
  func certificates() throws {
    let peers = try Peers()
    let fault = Fuzzing.configured.firstFault { generator in
      let text = Bool.random(using: &generator)
      let bytes = (text ? peers.node.pem : peers.node.der).damaged(&generator)
      guard let read = try? Certificate(bytes), read != peers.node else { return nil }
      guard (try? Certificate(read.der)) == read else { return "it reads back differently" }
      return read.objection(under: peers.authority, at: Self.present) == nil ? "it is a member's" : nil
    }
    #expect(fault == nil)
  }

  @Test("a damaged key is refused or is a key")
  func keys() throws {
    let peers = try Peers()
    let fault = Fuzzing.configured.firstFault { generator in
      let text = Bool.random(using: &generator)
      guard let read = try? SigningKey((text ? peers.key.pem : peers.key.der).damaged(&generator)) else { return nil }
      return (try? SigningKey(read.pem)) == read ? nil : "it reads back differently"
    }
    #expect(fault == nil)
  }

  @Test("a damaged handshake opens for nobody but the peer whose it was")
  func handshakes() throws {
    let peers = try Peers()
    // A handshake takes a thousand times what a parser does.
    let fault = Fuzzing.one(in: 100).firstFault { generator in
      let damagedFlight = Int.random(in: 0..<3, using: &generator)
      guard
        let client = try? SecureConnection(peers.member, as: .client, at: Self.present, started: 0),
        let server = try? SecureConnection(peers.member, as: .server, at: Self.present, started: 0)
      else { return "no connection can be made" }
      for flight in 0..<3 {
        let (from, to) = flight == 1 ? (server, client) : (client, server)
        let whole = from.takeOutput()
        guard flight == damagedFlight else {
          to.receive(whole)
          continue
        }
        let bytes = whole.damaged(&generator)
        if bytes == whole { return nil }
        to.receive(bytes)
        to.receive(whole.damaged(&generator))
        if case .open(let peer) = to.state {
          // Only what is not signed or counted may have changed: the record's version (RFC 8446, §5.1) or bytes behind the
          // handshake.
          return peer.fingerprint == peers.node.fingerprint ? nil : "it opened for somebody else"
        }
        return nil
      }
      return nil
    }
    #expect(fault == nil)
  }
}
