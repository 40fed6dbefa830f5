import DroneLayout

extension TydCommand {
  /// tyd's version. The original ended with 1.4.
  public static let version = SoftwareVersion(2, 0, 0)

  /// `2.0.0`
  public static var versionText: [UInt8] { version.text }
}
