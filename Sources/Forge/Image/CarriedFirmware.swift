import DroneLayout
import Workshop

/// A file that drivers ask for when they start a card. It is a part of the root.
public struct CarriedFirmware: Sendable {
  /// As drivers ask for it: `rtl_nic/rtl8168g-2.fw`.
  public var name: String
  public var file: SuppliedFile
  /// Who asks for it.
  public var drivers: [String]

  public init(_ name: String, _ file: SuppliedFile, for drivers: [String]) {
    (self.name, self.file, self.drivers) = (name, file, drivers)
  }

  /// Where all of it lies in the drone's root.
  public static let folder = "\(DronePath.firmware)"

  var entry: Entry {
    .file(
      "\(Self.folder)/\(name)", .file(file.path), why: "firmware that \(drivers.joined(separator: ", ")) may ask for",
      origin: file.origin)
  }
}
