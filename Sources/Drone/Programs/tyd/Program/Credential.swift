import Bytes
import ChannelFailure
import Linux
import Membership
import SecureChannel

/// What this node is by: the cluster's authority, perhaps its key, and the node's own key with its certificate.
struct Credential {
  let authority: Certificate
  /// Only a node that may certify others has it.
  let authorityKey: SigningKey?
  let key: SigningKey
  /// Under the authority, or the node's own making as long as nobody has admitted it.
  var certificate: Certificate
  var isMember: Bool

  var clusterFingerprint: [UInt8] { authority.fingerprint.bytes }
  var fingerprint: [UInt8] { key.publicKey.fingerprint.bytes }

  var removalAuthority: RemovalAuthority {
    let owner = authority.publicKey
    guard let authorityKey else {
      return RemovalAuthority(verifies: { signature, statement in owner.verifies(signature, of: statement) })
    }
    return RemovalAuthority(
      verifies: { signature, statement in owner.verifies(signature, of: statement) },
      signs: { statement in authorityKey.signature(of: statement) })
  }

  /// Reads the credential and makes a fresh key, or takes the one that a former run of tyd kept.
  /// - Parameter clock: this computer's, in seconds since 1970; one that is behind, as after a battery's end, does no harm.
  init(_ places: Places, isResuming: Bool, clock: Int64) throws(Failure) {
    guard exists(places.authority) else {
      throw Failure(
        [UInt8]("there is no cluster credential in ") + places.cluster.bytes
          + [UInt8]("; drone CDs bring it along, and droneforge cluster export gives one."))
    }
    authority = try Credential.read(places.authority)
    if exists(places.authorityKey) {
      let key = try Credential.readKey(places.authorityKey)
      guard key.publicKey == authority.publicKey else {
        throw Failure(
          places.authorityKey.bytes + [UInt8](" is not the key of ") + places.authority.bytes + [UInt8]("."))
      }
      authorityKey = key
    } else {
      authorityKey = nil
    }
    let time = TimeFloor(authority: authority, clock: clock).seconds
    if let sentence = authority.ending(at: time) { throw Failure(sentence) }
    if isResuming, let former = Credential.former(places, under: authority, at: time) {
      key = former.key
      certificate = former.certificate
      isMember = certificate.role == .node
    } else {
      do throws(SecureChannelError) {
        key = try SigningKey()
        if let authorityKey {
          certificate = try authority.issue(for: key.publicKey, key: authorityKey)
          isMember = true
        } else {
          certificate = try Certificate.joiner(key)
          isMember = false
        }
      } catch {
        throw Failure(error.text)
      }
      try keep(places)
    }
    if isMember, let objection = certificate.objection(under: authority, at: time) {
      throw Failure([UInt8]("the cluster credential is of no use here: ") + objection.text + [UInt8]("."))
    }
  }

  /// What a former run kept; nil for what is of no use, as the halves of two runs, or what another authority certified.
  private static func former(
    _ places: Places, under authority: Certificate, at time: Int64
  ) -> (key: SigningKey, certificate: Certificate)? {
    guard let key = try? readKey(places.key), let certificate = try? read(places.certificate),
      certificate.publicKey == key.publicKey,
      certificate.role == .joiner || certificate.objection(under: authority, at: time) == nil
    else { return nil }
    return (key, certificate)
  }

  /// Keeps key and certificate for a run after a crash.
  func keep(_ places: Places) throws(Failure) {
    do throws(SystemError) {
      try replaceFile(places.key, key.pem, permissions: 0o600)
      try replaceFile(places.certificate, certificate.pem, permissions: 0o600)
    } catch {
      throw Failure(error)
    }
  }

  func identity() throws(Failure) -> ChannelIdentity {
    do throws(SecureChannelError) {
      return try ChannelIdentity(key: key, certificate: certificate, authority: authority)
    } catch {
      throw Failure(error.text)
    }
  }

  private static func read(_ path: Path) throws(Failure) -> Certificate {
    let bytes = try contents(path)
    do throws(SecureChannelError) {
      return try Certificate(bytes)
    } catch {
      throw Failure(path.bytes + [UInt8](": ") + error.text)
    }
  }

  private static func readKey(_ path: Path) throws(Failure) -> SigningKey {
    let bytes = try contents(path)
    do throws(SecureChannelError) {
      return try SigningKey(bytes)
    } catch {
      throw Failure(path.bytes + [UInt8](": ") + error.text)
    }
  }

  private static func contents(_ path: Path) throws(Failure) -> [UInt8] {
    do throws(SystemError) { return try readFile(path, limit: 1 << 16) } catch { throw Failure(error) }
  }
}
