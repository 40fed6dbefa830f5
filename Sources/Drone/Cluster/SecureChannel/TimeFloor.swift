/// The earliest that the present can be. A computer with an empty battery starts in 1980, so by its own clock alone
/// every certificate would lie in the future.
///
/// The floor is the latest of three: this computer's clock, the beginning of the cluster's authority, and the newest time that
/// an authenticated member reported. It only rises. So a certificate is never refused as not yet valid by a clock that is
/// behind, and an expired one is refused as soon as anybody in the cluster knows the date. What it cannot do: a clock that
/// runs ahead is believed, and while all clocks are behind, nothing expires.
public struct TimeFloor: Sendable, Equatable {
  /// Seconds since 1970.
  public private(set) var seconds: Int64

  /// - Parameter clock: this computer's, in seconds since 1970.
  public init(authority: Certificate, clock: Int64) {
    seconds = max(authority.notBefore, clock)
  }

  /// Considers this computer's clock, in seconds since 1970.
  public mutating func observe(clock: Int64) { seconds = max(seconds, clock) }

  /// Considers a time that an authenticated member reported, in seconds since 1970. One at the authority's end or beyond
  /// it is not believed: a single member with a wrong clock would end the cluster. (OpenSSL takes a certificate for expired in the
  /// last second that RFC 5280, §4.1.2.5, counts to its life.)
  public mutating func told(_ time: Int64, under authority: Certificate) {
    if time < authority.notAfter { seconds = max(seconds, time) }
  }
}
