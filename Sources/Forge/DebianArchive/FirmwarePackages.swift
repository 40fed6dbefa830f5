import BuildCache
import Foundation
import SystemPackage
import Workshop

/// Debian's packages with firmware for network cards and drives of boot media, as far as this machine's apt knows them, in the
/// cache as they were delivered. Nothing of them is installed.
public struct FirmwarePackages: Recipe {
  /// Most of it is not free, and so in a component of its own.
  static let component = "non-free-firmware"
  static let names = [
    "firmware-bnx2", "firmware-bnx2x", "firmware-cavium", "firmware-linux-free", "firmware-misc-nonfree",
    "firmware-myricom", "firmware-netronome", "firmware-netxen", "firmware-qlogic", "firmware-realtek",
  ]
  /// Those of them that are free.
  private static let free = ["firmware-linux-free"]

  private let origin: PackageOrigin

  public init() { self.init(from: .machine) }

  init(from origin: PackageOrigin) {
    var origin = origin
    origin.components = ["main", Self.component]
    self.origin = origin
  }

  public var name: String { "package-firmware" }
  public var title: String { "Debian's firmware" }
  public var inputs: [Input] { [Input("recipe", "1"), Input("packages", Self.names.joined(separator: " "))] }

  /// Throws a sentence when the archives are asked in vain.
  public func build(in room: Room) async throws {
    try await fetching(
      ["Debian's firmware packages"], log: room.log, otherwise: ", or name a folder (FIRMWARE=/path/lib/firmware)"
    ) {
      let archive = try await PackageArchive.opened(origin, work: room.work.appending("apt"), log: room.log)
      for name in try await archive.listed(among: Self.names) { try await archive.download(name, to: room.result) }
    }
  }

  /// The packages' files in a finished part.
  public static func files(in part: Part) throws -> [FilePath] {
    try FileManager.default.contentsOfDirectory(atPath: part.folder.string).filter { $0.hasSuffix(".deb") }.sorted()
      .map { part.folder.appending($0) }
  }

  /// What to do about firmware that is not there; nil when the archives have all the packages that are asked for.
  public static func advice(_ part: Part) throws -> String? {
    let have = try files(in: part).compactMap { $0.lastComponent?.string.prefix { $0 != "_" } }.map(String.init)
    guard !names.contains(where: { !free.contains($0) && have.contains($0) }) else { return nil }
    return
      "apt's source lists do not name Debian's component \(component), where such firmware is: add that word to the "
      + "lines of \(PackageOrigin.machine.list) and say `droneforge sysroot refresh firmware`, or name a folder "
      + "(FIRMWARE=/path/lib/firmware)."
  }
}
