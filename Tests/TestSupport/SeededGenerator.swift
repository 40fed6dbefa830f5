import Bytes

/// Random numbers that are the same for the same seed.
public typealias SeededGenerator = SplitMix64

extension SplitMix64 {
  public mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
