import BuildCache
import DebianArchive
import KernelPackages
import Recipes
import SystemPackage
import Target
import Workshop

/// Asks the Debian archive for newer versions of the sources and takes those that it delivers. What is built from them is
/// built anew when it is next wanted.
public struct SourceRefresh: Sendable {
  /// Stands for all of Debian's packages with firmware.
  static let firmware = "firmware"

  /// Some of the packages by their names; empty for all.
  public let packages: [String]
  public let cache: FilePath

  public init(packages: [String], cache: FilePath) {
    self.packages = packages
    self.cache = cache
  }

  /// Gives a sentence for each package. Throws `BuildError` when the archive does not answer; what is there stays.
  public func run() async throws -> [String] {
    try requirePlain(cache, "The cache", "Set XDG_CACHE_HOME to another folder.")
    let sources = sourceCache(in: cache)
    let debians = debianCache(in: cache)
    let kernels = DroneTarget.all.compactMap { $0.image?.kernelPackage }.map { NewestKernel($0) }
    let wantedKernels = kernels.filter {
      packages.isEmpty ? exists(debians.location(of: $0)) : packages.contains($0.metapackage)
    }
    let loaders = [GRUB.debian, .unsigned]
    let wantedLoaders = loaders.filter {
      packages.isEmpty ? exists(debians.location(of: $0.delivery)) : !Set(packages).isDisjoint(with: $0.packages)
    }
    let firmware = FirmwarePackages()
    let wantsFirmware = packages.isEmpty ? exists(debians.location(of: firmware)) : packages.contains(Self.firmware)
    let binaries = kernels.map(\.metapackage) + Set(loaders.flatMap(\.packages)).sorted() + [Self.firmware]
    let wanted = try packages.filter { !binaries.contains($0) }.map { name in
      guard let package = sourcePackages.first(where: { $0.name == name }) else {
        let names = sourcePackages.map(\.name) + binaries
        throw BuildError.input(
          "No package \(name) is built or packed: name \(names.joined(separator: ", ")), or none for all.")
      }
      return package
    }
    var pipeline = Pipeline()
    var said: [Stage<[String]>] = []
    if packages.isEmpty || !wanted.isEmpty {
      let known = pipeline.stage { try await Sources.prepared(sourcePackages, in: sources, $0) }
      said.append(
        pipeline.stage { progress in
          try await known.result.refresh(wanted.isEmpty ? sourcePackages : wanted, in: sources, progress)
        })
    }
    for kernel in wantedKernels {
      said.append(
        pipeline.stage { progress in
          let file = try NewestKernel.file(in: try await debians.renewedPart(kernel, progress))
          let description = try PackageDescription(file)
          return ["\(kernel.metapackage) is now \(description.name) \(description.version)."]
        })
    }
    for loader in wantedLoaders {
      said.append(
        pipeline.stage { progress in
          let folder = try await debians.renewedPart(loader.delivery, progress).folder
          return try loader.packages.map { name in
            "\(name) is now \(try PackageDescription(NewestPackages.file(of: name, in: folder)).version)."
          }
        })
    }
    if wantsFirmware {
      said.append(
        pipeline.stage { progress in
          try FirmwarePackages.files(in: try await debians.renewedPart(firmware, progress)).map { file in
            let package = try PackageDescription(file)
            return "\(package.name) is now \(package.version)."
          }
        })
    }
    try await pipeline.run()
    return try said.flatMap { try $0.result }
  }
}
