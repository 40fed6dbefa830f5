import BuildCache
import DebianArchive
import Recipes
import SystemPackage
import Target
import Toolchain
import Workshop

/// The stages that give what a target's programs are built against.
///
/// Each part stands in the cache under the hash of all that it is made from. With everything cached neither the network nor
/// apt is touched. All targets are built from the same delivery of the sources.
struct SysrootStages: Sendable {
  let target: DroneTarget
  let sources: Stage<Sources>
  let compiler: CrossCompiler
  private let recipes: FilePath
  private let parts: BuildCache
  private let musl: Stage<Part>
  private let openssl: Stage<Part>

  init(for target: DroneTarget, _ folders: BuildFolders, in pipeline: inout Pipeline) async throws {
    try folders.requirePlain()
    let compiler = try await CrossCompiler(.found(), for: target)
    let recipes = folders.recipes
    let parts = BuildCache(folder: folders.cache.appending(target.name))
    let sourceCache = sourceCache(in: folders.cache)
    let sources = pipeline.stage { try await Sources.prepared(sourcePackages, in: sourceCache, $0) }
    let headers = pipeline.part(in: parts) { KernelHeaders(target: target, source: try sources.result[kernelPackage]) }
    let musl = pipeline.part(in: parts) {
      Musl(compiler: compiler, source: try sources.result["musl"], headers: try headers.result)
    }
    openssl = pipeline.part(in: parts) {
      try OpenSSL(
        compiler: compiler, source: sources.result["openssl"], musl: musl.result, recipes: recipes)
    }
    (self.target, self.compiler, self.recipes, self.parts) = (target, compiler, recipes, parts)
    (self.sources, self.musl) = (sources, musl)
  }

  /// What the stages gave.
  var sysroot: Sysroot {
    get throws {
      let (musl, openssl) = (try musl.result.folder, try openssl.result.folder)
      return Sysroot(
        target: target, includes: musl.appending("include"), library: musl.appending("lib"),
        opensslIncludes: openssl.appending("include"), opensslLibrary: openssl.appending("lib"))
    }
  }

  /// Adds the stages that give what else others wrote of an image. `withKernel`: whether its kernel is one of this project's.
  func system(in pipeline: inout Pipeline, withKernel: Bool = true) -> SystemStages {
    let (sources, compiler, musl, recipes, target) = (sources, compiler, musl, recipes, target)
    return SystemStages(
      busybox: pipeline.part(in: parts) {
        try BusyBox(compiler: compiler, source: sources.result["busybox"], musl: musl.result, recipes: recipes)
      },
      kernel: !withKernel
        ? nil
        : pipeline.part(in: parts) {
          try await Kernel(target: target, source: sources.result[kernelPackage], recipes: recipes)
        })
  }
}

/// The stages that give BusyBox and the kernel, if it is built.
struct SystemStages: Sendable {
  let busybox: Stage<Part>
  let kernel: Stage<Part>?

  /// What the stages gave.
  var parts: SystemParts {
    get throws { try SystemParts(busybox: busybox.result.folder, kernel: kernel?.result.folder) }
  }
}
