import Membership
import SecureChannel

extension Certificate {
  /// The key's fingerprint as the membership has it.
  var memberFingerprint: MemberFingerprint { MemberFingerprint.of(fingerprint.bytes) }
}
