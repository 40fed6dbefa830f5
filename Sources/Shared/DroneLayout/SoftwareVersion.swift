import Bytes

/// The version of a node's tyd.
public struct SoftwareVersion: Hashable, Sendable {
  public var major: UInt16
  public var minor: UInt16
  public var patch: UInt16

  public init(_ major: UInt16, _ minor: UInt16, _ patch: UInt16) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// `2.0.0`
  public var text: [UInt8] {
    var out: [UInt8] = []
    appendDecimal(UInt64(major), to: &out)
    out.append(UInt8(ascii: "."))
    appendDecimal(UInt64(minor), to: &out)
    out.append(UInt8(ascii: "."))
    appendDecimal(UInt64(patch), to: &out)
    return out
  }
}
