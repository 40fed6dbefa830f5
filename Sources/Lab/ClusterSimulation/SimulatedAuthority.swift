import Membership

extension RemovalAuthority {
  /// In place of signatures, which would take most of the time: whatever was signed, by whoever has this.
  static let simulated = {
    @Sendable func sign(_ statement: [UInt8]) -> [UInt8] {
      var state: UInt64 = 0
      for byte in statement { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      return (0..<64).map { UInt8(truncatingIfNeeded: state >> ($0 & 56)) }
    }
    return RemovalAuthority(verifies: { $0 == sign($1) }, signs: { sign($0) })
  }()
}
