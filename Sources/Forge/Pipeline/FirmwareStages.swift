import BuildCache
import DebianArchive
import Image
import KernelPackages
import SystemPackage
import Target
import Workshop

/// Where firmware for cards comes from.
public enum FirmwareChoice: Sendable, Equatable {
  /// A folder as `lib/firmware` of a Linux.
  case folder(FilePath)
  /// Debian's packages, as far as apt's source lists name them.
  case debian

  /// Throws a sentence when there is no such folder.
  func check() throws {
    if case .folder(let folder) = self { try requireFirmwareFolder(folder) }
  }
}

/// Firmware for an image's drone.
struct FirmwareParts: Sendable {
  var files: [CarriedFirmware] = []
  var packages: [SourceRecord] = []
  /// Sentences for who builds the image.
  var notices: [String] = []
}

extension FirmwareChoice {
  /// Adds the stages that bring what a kernel's drivers may ask for.
  ///
  /// - Parameter names: asked when the stage's turn comes; nil when nobody knows them.
  func stages(
    for target: DroneTarget, _ folders: BuildFolders, in pipeline: inout Pipeline,
    _ names: @escaping @Sendable () throws -> FirmwareNames?
  ) -> Stage<FirmwareParts> {
    let delivered: Stage<Part>? =
      switch self {
      case .folder: nil
      case .debian: pipeline.part(in: debianCache(in: folders.cache)) { FirmwarePackages() }
      }
    let parts = BuildCache(folder: folders.cache.appending(target.name))
    return pipeline.stage { [self] progress in
      guard let names = try names() else {
        throw BuildError.input(
          "Which firmware this kernel's drivers ask for is not known: put its modules.builtin.modinfo beside it, or leave FIRMWARE out."
        )
      }
      let source: FirmwareCollection.Source
      let advice: String?
      switch self {
      case .folder(let folder): (source, advice) = (.folder(folder), nil)
      case .debian:
        guard let delivered = try delivered?.result else { return FirmwareParts() }
        (source, advice) = (
          .packages(try FirmwarePackages.files(in: delivered)), try FirmwarePackages.advice(delivered)
        )
      }
      let recipe = try FirmwareCollection(names, from: source)
      let found = try recipe.files(in: try await parts.part(recipe, progress))
      return FirmwareParts(
        files: found.map { CarriedFirmware($0.name, SuppliedFile($0.file, from: $0.origin), for: $0.drivers) },
        packages: try recipe.records(of: found),
        notices: try notices(names, found: found.map(\.name), for: target, advice))
    }
  }

  /// Throws a sentence when nothing was found, though something is asked for.
  private func notices(
    _ names: FirmwareNames, found: [String], for target: DroneTarget, _ advice: String?
  ) throws -> [String] {
    let wanted = names.drivers.keys
    let missing = Set(wanted).subtracting(found)
    guard !missing.isEmpty else { return [] }
    let place =
      switch self {
      case .folder(let folder): "\(folder)"
      case .debian: "Debian's packages"
      }
    let remedy = advice ?? "A drone names what its cards miss."
    guard !found.isEmpty else {
      throw BuildError.input(
        "None of the \(wanted.count) firmware files that the drivers for \(target.name) may ask for is in \(place). "
          + (advice ?? "Is it a lib/firmware? Leave FIRMWARE out for an image without."))
    }
    return [
      "\(found.count) of \(wanted.count) firmware files that the drivers for \(target.name) may ask for are in the image; "
        + "\(missing.count) are not in \(place), such as \(missing.sorted().prefix(3).joined(separator: ", ")). \(remedy)"
    ]
  }
}
