import CSecureChannel
import ChannelFailure

extension ClosedReason {
  /// Nil for `channel_fine`.
  init?(_ reason: channel_reason, alert: UInt8 = 0) {
    switch reason {
    case channel_fine: return nil
    case channel_finished: self = .finished
    case channel_closed_here: self = .closedHere
    case channel_cut_off: self = .cutOff
    case channel_no_tls: self = .noTLS
    case channel_old_version: self = .oldVersion
    case channel_other_protocol: self = .otherProtocol
    case channel_no_certificate: self = .noCertificate
    case channel_wrong_authority: self = .wrongAuthority
    case channel_expired: self = .expired
    case channel_not_yet_valid: self = .notYetValid
    case channel_not_member: self = .notMember
    case channel_bad_certificate: self = .badCertificate
    case channel_too_large: self = .tooLarge
    case channel_too_slow: self = .tooSlow
    case channel_flooded: self = .flooded
    case channel_damaged: self = .damaged
    case channel_refused: self = .refused(alert: alert)
    default: self = .failedHere
    }
  }
}
