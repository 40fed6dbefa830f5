import BootLoaders
import BuildCache
import DebianArchive
import Image
import SystemPackage
import Target
import Workshop

/// Boot loaders for UEFI, and the packages that they were taken from.
struct EFIParts: Sendable {
  /// By their paths in an EFI system partition or in a tree for the network, the stub by its path on a medium.
  var files: [String: SuppliedFile]
  var packages: [SourceRecord]
}

extension ImageTarget {
  /// What UEFI starts its drone by; nil for a BIOS alone.
  var efi: GRUB? {
    for way in bootWays {
      if case .uefi(let loader) = way { return loader }
    }
    return nil
  }
}

extension GRUB {
  /// The packages as they are delivered.
  var delivery: NewestPackages {
    // Each set has a name of its own, so that neither is renewed for the other.
    let suffix = packages == Self.debian.packages ? "" : "-unsigned"
    return NewestPackages(packages, name: "package-efi-loaders\(suffix)", title: "Debian's boot loaders for UEFI")
  }

  /// Adds the stages that bring the loaders.
  func stages(for medium: Medium, _ folders: BuildFolders, in pipeline: inout Pipeline) -> Stage<EFIParts> {
    let cache = debianCache(in: folders.cache)
    let delivered = pipeline.part(in: cache) { delivery }
    return pipeline.stage { progress in
      let recipe = try EFILoaders(parts(on: medium) + [stub], from: delivered.result.folder)
      let files = recipe.files(in: try await cache.part(recipe, progress))
      return EFIParts(
        files: Dictionary(
          files.map { ($0.place, SuppliedFile($0.file, from: $0.origin)) }, uniquingKeysWith: { first, _ in first }),
        packages: recipe.records)
    }
  }
}
