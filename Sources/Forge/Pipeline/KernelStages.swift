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
  /// A bzImage that somebody built. Without a folder of modules (`lib/modules/RELEASE`) it must have built in what it needs.
  case image(FilePath, modules: FilePath? = nil)
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
    case .own, .image(_, modules: nil): false
    case .debian, .package, .image: true
    }
  }

  /// Whether Debian signed it, so that Secure Boot lets Debian's loaders start it. What somebody else built may be, for all
  /// that is known.
  var isSignedByNobody: Bool { self == .own }
}

/// A kernel for an image, and what belongs to it.
struct KernelParts: Sendable {
  var kernel: SuppliedFile
  /// Nil when it is not known.
  var configuration: FilePath?
  var modules: CarriedModules?
  /// Nil when it is not known.
  var firmware: FirmwareNames?
  /// The package that it was taken from.
  var package: SourceRecord?
  /// Sentences for who builds the image.
  var notices: [String] = []
}

extension KernelChoice {
  /// Throws a sentence when there is no such kernel for the target, it is of another form, or it lacks what a drone needs.
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
          "There is no kernel of our own for \(target.name): give a bzImage with everything built in.")
      }
    case .image(let path, let modules?):
      try KernelDelivery(kernel: path, modules: modules, for: target).requireKnown(selection ?? .all)
    case .image(let path, nil):
      let image = try KernelImage(path, form: profile.kernel)
      guard let text = try image.configuration() else { return }
      let configuration = KernelConfiguration(text)
      let lacks =
        configuration.shortcomings(of: target.kernel, modules: [])
        + [configuration.shortcomingOfCards].compactMap(\.self)
      guard lacks.isEmpty else { throw BuildError.input(sentence(lacks, of: "\(path)")) }
    case .debian:
      guard profile.kernelPackage != nil else {
        throw BuildError.input("No kernel of Debian's runs on \(target.name): leave KERNEL out, or give a bzImage.")
      }
    case .package(let path):
      try KernelDelivery(package: path, for: target).requireKnown(selection ?? .all)
    }
  }

  /// Adds the stages that bring a kernel that this project does not build; for one that it builds, those that give it are
  /// `own`'s.
  func stages(
    for target: DroneTarget, _ selection: ModuleSelection?, _ folders: BuildFolders, in pipeline: inout Pipeline
  ) -> Stage<KernelParts>? {
    let parts = BuildCache(folder: folders.cache.appending(target.name))
    let selection = selection ?? .all
    func taken(_ delivery: @escaping @Sendable () throws -> KernelDelivery) -> Stage<KernelParts> {
      pipeline.stage { progress in
        let recipe = KernelWithModules(try delivery(), for: target, selection)
        let files = recipe.files(in: try await parts.part(recipe, progress))
        return KernelParts(
          kernel: SuppliedFile(files.kernel, from: files.origin), configuration: files.configuration,
          modules: CarriedModules(table: files.table, files: files.modules, from: files.origin),
          firmware: FirmwareNames(text: String(decoding: try contents(of: files.firmware), as: UTF8.self)),
          package: files.package)
      }
    }
    switch self {
    case .own: return nil
    case .image(let path, let modules?):
      return taken { try KernelDelivery(kernel: path, modules: modules, for: target) }
    case .image(let path, nil): return pipeline.stage { _ in try KernelParts(path, for: target) }
    case .debian:
      let package = pipeline.part(in: debianCache(in: folders.cache)) {
        NewestKernel(target.image?.kernelPackage ?? "")
      }
      return taken { try KernelDelivery(package: NewestKernel.file(in: package.result), for: target) }
    case .package(let path): return taken { try KernelDelivery(package: path, for: target) }
    }
  }
}

extension KernelParts {
  /// A bzImage with everything built in, as far as anybody knows.
  fileprivate init(_ path: FilePath, for target: DroneTarget) throws {
    kernel = SuppliedFile(path, from: .given)
    let information = path.removingLastComponent().appending("modules.builtin.modinfo")
    if exists(information) { firmware = FirmwareNames(builtIn: try contents(of: information)) }
    guard let profile = target.image else { return }
    let image = try KernelImage(path, form: profile.kernel)
    if try image.configuration() == nil {
      notices.append(
        "What \(path) can do is not known, and nothing says that it has the drivers of your computers: put its configuration"
          + " beside it as config-\(image.release), or build it with CONFIG_IKCONFIG=y.")
    }
  }
}

/// Where packages of Debian's stand that images are made from.
func debianCache(in cache: FilePath) -> BuildCache { BuildCache(folder: cache.appending("debian")) }
