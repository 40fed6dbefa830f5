import BuildCache
import DebianArchive
import Image
import KernelPackages
import Recipes
import SystemPackage
import Target
import Workshop

/// Where an image's kernel comes from.
public enum KernelChoice: Sendable, Equatable {
  /// The one that this project builds, which has everything built in.
  case own
  /// A bzImage that somebody built; it must have built in what it needs.
  case image(FilePath)
  /// Debian's newest, with modules.
  case debian
  /// A package of Debian's with a kernel and its modules.
  case package(FilePath)

  /// What is taken when nobody chooses.
  static func standard(for target: DroneTarget) -> KernelChoice {
    target.image?.kernelPackage == nil ? .own : .debian
  }

  /// Whether the kernel comes with modules to choose from.
  var hasModules: Bool {
    switch self {
    case .own, .image: false
    case .debian, .package: true
    }
  }
}

/// A kernel for an image, and what belongs to it.
struct KernelParts: Sendable {
  var kernel: SuppliedFile
  /// Nil when it is not known.
  var configuration: FilePath?
  var modules: CarriedModules?
  /// The package that it was taken from.
  var package: SourceRecord?
}

extension KernelChoice {
  /// Throws a sentence when there is no such kernel for the target, or it is of another form.
  func check(for target: DroneTarget, _ selection: ModuleSelection?, recipes: FilePath) throws {
    guard let profile = target.image else { throw BuildError.input("There are no images for \(target.name).") }
    if selection != nil, !hasModules {
      throw BuildError.input(
        "Modules are chosen from those of a Debian kernel, and this one has none: leave MODULES out, or say KERNEL=debian."
      )
    }
    switch self {
    case .own:
      guard exists(recipes.appending("kernel-\(target.name).config")) else {
        throw BuildError.input(
          "There is no kernel of our own for \(target.name) yet: say KERNEL=debian or nothing, or give a bzImage with everything built in."
        )
      }
    case .image(let path): _ = try KernelImage(path, form: profile.kernel)
    case .debian:
      guard profile.kernelPackage != nil else {
        throw BuildError.input("No kernel of Debian's runs on \(target.name): leave KERNEL out, or give a bzImage.")
      }
    case .package(let path): _ = try KernelFromPackage(path, for: target, selection ?? .all)
    }
  }

  /// Adds the stages that bring a kernel that this project does not build; for one that it builds, those that give it are
  /// `own`'s.
  func stages(
    for target: DroneTarget, _ selection: ModuleSelection?, _ folders: BuildFolders, in pipeline: inout Pipeline
  ) -> Stage<KernelParts>? {
    let parts = BuildCache(folder: folders.cache.appending(target.name))
    let selection = selection ?? .all
    func taken(_ file: @escaping @Sendable () throws -> FilePath) -> Stage<KernelParts> {
      pipeline.stage { progress in
        let recipe = try KernelFromPackage(file(), for: target, selection)
        let files = recipe.files(in: try await parts.part(recipe, progress))
        return KernelParts(
          kernel: SuppliedFile(files.kernel, from: files.origin), configuration: files.configuration,
          modules: CarriedModules(table: files.table, files: files.modules, from: files.origin), package: files.package)
      }
    }
    switch self {
    case .own: return nil
    case .image(let path):
      return pipeline.stage { _ in KernelParts(kernel: SuppliedFile(path, from: .given)) }
    case .debian:
      let package = pipeline.part(in: debianCache(in: folders.cache)) {
        NewestKernel(target.image?.kernelPackage ?? "")
      }
      return taken { try NewestKernel.file(in: package.result) }
    case .package(let path): return taken { path }
    }
  }
}

/// Where packages of Debian's stand that images are made from.
func debianCache(in cache: FilePath) -> BuildCache { BuildCache(folder: cache.appending("debian")) }
