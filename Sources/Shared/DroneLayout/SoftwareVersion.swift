import Bytes

/// A version of this project's programs, of a node's tyd for one.
public struct SoftwareVersion: Hashable, Sendable {
  public var major: UInt16
  public var minor: UInt16
  public var patch: UInt16

  public init(_ major: UInt16, _ minor: UInt16, _ patch: UInt16) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// The version of everything that is built from this checkout. It is written here alone: `master/changelog` and CHANGELOG.md begin
  /// with it, and a test compares them.
  public static var current: SoftwareVersion { SoftwareVersion(0, 3, 0) }

  /// What a unified kernel image says that it is, in the form of os-release(5).
  public var systemDescription: [UInt8] {
    [UInt8]("ID=droneforge\nNAME=droneforge\nPRETTY_NAME=\"droneforge ") + text + [UInt8]("\"\nVERSION_ID=") + text
      + [UInt8]("\n")
  }

  /// `0.3.0`
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
