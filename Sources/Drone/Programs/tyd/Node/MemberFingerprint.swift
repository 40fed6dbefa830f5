// Two modules have a `Fingerprint`; this file imports one of them.
import Membership

typealias MemberFingerprint = Fingerprint

extension MemberFingerprint {
  /// From 32 bytes; of any other count, the fingerprint that no key has.
  static func of(_ bytes: [UInt8]) -> MemberFingerprint {
    MemberFingerprint(bytes: bytes) ?? MemberFingerprint(0, 0, 0, 0)
  }
}
