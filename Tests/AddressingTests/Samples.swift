import NetworkAddresses

/// This machine's card in the tests.
let ours = MACAddress(text: "52:54:00:12:34:56".utf8) ?? .zero
/// Another machine's.
let theirs = MACAddress(text: "02:00:00:00:00:0b".utf8) ?? .zero
let drone = IPv4Address(192, 168, 1, 21)
let gateway = IPv4Address(192, 168, 1, 1)

/// Numbers without any source of chance: the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
