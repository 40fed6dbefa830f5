/// Random numbers that are the same for the same seed (SplitMix64, Steele, Lea and Flood 2014). They spread load, break ties and
/// drive simulations; nothing secret may hang on them.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return SplitMix64.mix(state)
  }

  /// The higher half of `next()`: a Pentium divides 32 bits by itself.
  public mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next() >> 32) }

  /// A cheap mixing of 64 bits, so that near values give far ones: the generator's finaliser.
  public static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
