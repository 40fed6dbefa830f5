/// All times of the tunnels, in milliseconds.
public struct TunnelSettings: Equatable, Sendable {
  /// From asking for a connection to a tunnel that stands.
  public var patience: UInt64 = 3000
  /// After the first failure; doubled after each further one, up to `longestBackOff`.
  public var backOff: UInt64 = 250
  public var longestBackOff: UInt64 = 15_000
  /// How long a pair is used before a new one is negotiated. The node that accepted waits a tenth longer, so that both do
  /// not offer at once.
  public var rekeyAfter: UInt64 = 3_600_000
  /// How long a replaced inbound association still accepts packets that are under way.
  public var drain: UInt64 = 5000
  /// How often the kernel's counters are read.
  public var observation: UInt64 = 15_000
  /// An outbound association without a packet in either direction for this long is removed; an inbound one lives longer by
  /// `linger`, because the peer reads its counters at other times.
  public var idle: UInt64 = 90_000
  public var linger: UInt64 = 60_000
  /// A peer that sends nothing for this long although packets go to it may have lost its state: a new pair is negotiated.
  public var silence: UInt64 = 30_000
  /// An ACQUIRE so soon after an outbound association was installed was raised before it.
  public var echo: UInt64 = 500

  /// Two nodes that have just met want to speak with each other at once: the higher id leaves the lower one so much time to
  /// begin, so that there is one negotiation, not two.
  public var courtesy: UInt64 = 300

  public init() {}
}
