import NetworkAddresses

extension TydCommand {
  /// tyd's version. The original ended with 1.4.
  public static let version: (major: UInt16, minor: UInt16, patch: UInt16) = (2, 0, 0)

  /// `2.0.0`
  public static var versionText: [UInt8] {
    var out: [UInt8] = []
    appendDecimal(UInt64(version.major), to: &out)
    out.append(UInt8(ascii: "."))
    appendDecimal(UInt64(version.minor), to: &out)
    out.append(UInt8(ascii: "."))
    appendDecimal(UInt64(version.patch), to: &out)
    return out
  }
}
