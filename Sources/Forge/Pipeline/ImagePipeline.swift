import BootLoaders
import BuildCache
import DebianArchive
import DronePrograms
import Image
import ImageCheck
import KernelPackages
import Recipes
import SystemPackage
import Target
import Workshop

/// What an image or package pipeline made, or found to be up to date.
public struct Product: Sendable {
  /// The image, the folder for the network, or the package.
  public let path: FilePath
  /// What the check has to tell of a new one; nil when nothing had changed since it was built and checked.
  public let report: String?
  /// A sentence for every source that is older than what the archive lists.
  public let notices: [String]
}

/// Builds a CD image or a network boot tree, and first all that it is made from.
public struct ImagePipeline: Sendable {
  public let medium: Medium
  public let target: DroneTarget
  public let folders: BuildFolders
  /// Where the image goes.
  public let output: FilePath
  let kernel: KernelChoice
  /// Nil for the usual ones, where the kernel has modules.
  let modules: ModuleSelection?
  /// What the image carries of a cluster.
  public var credential: Credential?

  /// Throws `BuildError` when there are no images for the target, or none with this kernel.
  ///
  /// - Parameters:
  ///   - kernel: nil for the target's usual one.
  ///   - modules: nil for the usual ones, where the kernel has modules.
  public init(
    _ medium: Medium, for target: DroneTarget, folders: BuildFolders, output: FilePath, kernel: KernelChoice? = nil,
    modules: ModuleSelection? = nil
  ) throws {
    let kernel = kernel ?? .standard(for: target)
    try kernel.check(for: target, modules, recipes: folders.recipes)
    self.medium = medium
    self.target = target
    self.folders = folders
    self.output = output
    self.kernel = kernel
    self.modules = modules
  }

  /// Makes the image and its bill of materials, and checks them before they replace previous ones. Throws `BuildError`; a
  /// folder in which nothing can be written is refused before anything is built.
  public func run(quiet: Bool = false) async throws -> Product {
    try await requireWritable(output)
    var pipeline = Pipeline()
    let image = try await stages(in: &pipeline)
    try await pipeline.run(quiet: quiet)
    return try image.result
  }

  func stages(in pipeline: inout Pipeline) async throws -> Stage<Product> {
    let brought = kernel.stages(for: target, modules, folders, in: &pipeline)
    let loaders = medium == .cd ? target.image?.efi?.stages(folders, in: &pipeline) : nil
    let sysroot = try await SysrootStages(for: target, folders, in: &pipeline)
    let system = sysroot.system(in: &pipeline, withKernel: brought == nil)
    let programs = pipeline.programs(for: sysroot, folders)
    let checks = pipeline.checks(for: sysroot, folders) {
      let system = try system.parts
      return try programs.result.map { ($0.place.product, $0.stripped, $0.unstripped) }
        + [("busybox", system.busybox, system.busyboxUnstripped)]
    }
    return pipeline.stage { [self] progress in
      let (sources, system, programs) = (try sysroot.sources.result.records, try system.parts, try programs.result)
      let kernel = try brought?.result ?? system.builtKernel(of: sources)
      let efi = try loaders?.result
      let parts = ImageParts(
        root: RootParts(
          programs: programs, busybox: SuppliedFile(system.busybox, from: sources.origin(of: "busybox")),
          applets: system.busyboxApplets, files: folders.checkout.appending("rootfs")),
        kernel: kernel.kernel, bootFiles: folders.checkout.appending("isolinux"), target: target,
        sources: sources + (kernel.package.map { [$0] } ?? []) + (efi?.packages ?? []), modules: kernel.modules,
        credential: credential, loaders: efi?.files ?? [:])
      let recipe = CheckedImage(
        image: try ImageRecipe(medium, from: parts, goingTo: output, archives: folders.programs(of: target)),
        sound: try checks.result,
        kernelConfiguration: kernel.configuration)
      let report = try await BuildCache(folder: output).outputs(recipe.image.outputs, of: recipe, progress)
      return Product(path: output.appending(medium.outputName(for: target)), report: report, notices: sources.notices)
    }
  }
}

extension SystemParts {
  fileprivate func builtKernel(of sources: [SourceRecord]) throws -> KernelParts {
    guard let kernel else { throw BuildError.input("The build made no kernel, and none was given.") }
    return KernelParts(
      kernel: SuppliedFile(kernel, from: sources.origin(of: "linux")), configuration: kernelConfiguration)
  }
}

/// An image that is read back and checked before it is anybody's.
private struct CheckedImage: Recipe {
  let image: ImageRecipe
  let sound: Set<SHA256>
  let kernelConfiguration: FilePath?

  var name: String { image.name }
  var title: String { image.title }
  var inputs: [Input] { image.inputs }

  /// Gives a table of the files' sizes.
  func build(in room: Room) async throws -> String {
    let built = try await image.build(in: room)
    let bill = try BillOfMaterials(json: contents(of: built.bill))
    let check = try ImageCheck(
      target: image.parts.target, bill: bill, sound: sound, kernelConfiguration: kernelConfiguration)
    let report = try await check.report(on: built.path)
    try requireSound(report.findings, "The new image is not sound, and the previous one stays")
    return report.summary(budget: check.budget)
  }
}

/// Throws what a check found, below a sentence that says of what.
func requireSound(_ findings: [Finding], _ sentence: String) throws {
  guard findings.isEmpty else {
    throw BuildError.input("\(sentence):\n" + findings.map { "  \($0)" }.joined(separator: "\n"))
  }
}

/// Makes the folder, and throws when nothing can be written there.
func requireWritable(_ folder: FilePath) async throws {
  try makeFolder(folder)
  try await withTemporaryFolder(in: folder) { _ in }
}
