import BootLoaders
import BuildCache
import DebianArchive
import Image
import SystemPackage
import Target
import Workshop

/// Boot loaders for UEFI, and the packages that they were taken from.
struct EFIParts: Sendable {
  /// By their paths in an EFI system partition.
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
    NewestPackages(packages, name: "package-efi-loaders", title: "Debian's boot loaders for UEFI")
  }

  /// Adds the stages that bring the loaders.
  func stages(_ folders: BuildFolders, in pipeline: inout Pipeline) -> Stage<EFIParts> {
    let cache = debianCache(in: folders.cache)
    let delivered = pipeline.part(in: cache) { delivery }
    return pipeline.stage { progress in
      let recipe = try EFILoaders(self, from: delivered.result.folder)
      let files = recipe.files(in: try await cache.part(recipe, progress))
      return EFIParts(
        files: Dictionary(
          files.map { ($0.place, SuppliedFile($0.file, from: $0.origin)) }, uniquingKeysWith: { first, _ in first }),
        packages: recipe.records)
    }
  }
}
