import Bytes
import ChannelFailure
import Linux
import SecureChannel

/// What this node proves itself by, and the time by which it judges what others show.
final class NodeKeys {
  private(set) var credential: Credential
  /// For connections that begin now.
  private(set) var identity: ChannelIdentity
  private var time: TimeFloor
  private let places: Places

  init(_ places: Places, isResuming: Bool) throws(Failure) {
    let clock = secondsSince1970()
    credential = try Credential(places, isResuming: isResuming, clock: clock)
    identity = try credential.identity()
    time = TimeFloor(authority: credential.authority, clock: clock)
    self.places = places
  }

  /// Since 1970, as far as this node can know.
  var seconds: Int64 { time.seconds }

  func readClock() { time.observe(clock: secondsSince1970()) }

  /// A member says that it is so late.
  func believe(seconds: Int64) { time.told(seconds, under: credential.authority) }

  /// A certificate for another's key, and the authority's, both DER; nil if this node can make none.
  func certify(_ key: PublicKey) -> (own: [UInt8], authority: [UInt8])? {
    guard let authorityKey = credential.authorityKey,
      let certificate = try? credential.authority.issue(for: key, key: authorityKey)
    else { return nil }
    return (certificate.der, credential.authority.der)
  }

  /// Goes on as a member with a certificate that another one gave. Nil once it is kept and in use; otherwise why not, as a
  /// phrase.
  func adopt(_ der: [UInt8], _ authority: [UInt8]) -> [UInt8]? {
    guard authority == credential.authority.der, let certificate = try? Certificate(der),
      certificate.publicKey == credential.key.publicKey,
      certificate.objection(under: credential.authority, at: time.seconds) == nil
    else { return [UInt8]("the certificate that it gave is not one of this cluster for this node") }
    // As long as it is not kept this node asks again, as one that is no member.
    var admitted = credential
    admitted.certificate = certificate
    admitted.isMember = true
    do throws(Failure) {
      let identity = try admitted.identity()
      try admitted.keep(places)
      self.identity = identity
      credential = admitted
    } catch {
      return error.sentence
    }
    return nil
  }
}
