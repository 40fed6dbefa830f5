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
  /// Sentences for who builds it: of every source that is older than what the archive lists, and of what the image lacks.
  public let notices: [String]
}

/// Builds a CD image or a network boot tree, and first all that it is made from.
public struct ImagePipeline: Sendable {
  public let medium: Medium
  private let wanted: ImageTarget
  public let folders: BuildFolders
  /// Where the image goes.
  public let output: FilePath
  /// One for each of the target's drones, in their order.
  let kernels: [KernelChoice]
  /// Nil for the usual ones, where a kernel has modules.
  let modules: ModuleSelection?
  /// Nil for an image without firmware.
  let firmware: FirmwareChoice?
  /// What the image carries of a cluster.
  public var credential: Credential?
  /// Signs what UEFI starts; nil where Debian's signatures are enough.
  public var signer: ProgramSigner?
  /// Boot words behind those of the standard label, in the program that UEFI starts as a whole.
  public var words: [String] = []

  /// What the image is for. A kernel that nobody signed needs no loaders that Secure Boot lets in; signed by a key of the user's,
  /// together with root and boot line, it is started by shim again, and by no GRUB, which would start anything.
  public var target: ImageTarget {
    signer == nil && kernels.allSatisfy(\.isSignedByNobody) ? wanted.unsigned : wanted
  }

  /// Throws `BuildError` when there are no images for the target, or none with this kernel.
  ///
  /// - Parameters:
  ///   - kernel: nil for the usual one of each drone.
  ///   - modules: nil for the usual ones, where the kernel has modules.
  ///   - firmware: where the files come from that drivers may ask for; nil for an image without them.
  public init(
    _ medium: Medium, for target: ImageTarget, folders: BuildFolders, output: FilePath, kernel: KernelChoice? = nil,
    modules: ModuleSelection? = nil, firmware: FirmwareChoice? = nil
  ) throws {
    guard kernel == nil || target.drones.count == 1 else {
      throw BuildError.input(
        "A kernel is for one kind of computer, and the image for several: name one of them, TARGET=\(target.drones.map(\.name).joined(separator: " or TARGET="))."
      )
    }
    let kernels = target.drones.map { kernel ?? .standard(for: $0) }
    let choosesModules = kernels.contains(where: \.hasModules)
    for (drone, kernel) in zip(target.drones, kernels) {
      try kernel.check(for: drone, kernel.hasModules || !choosesModules ? modules : nil, recipes: folders.recipes)
    }
    try firmware?.check()
    self.medium = medium
    wanted = target
    self.firmware = firmware
    self.folders = folders
    self.output = output
    self.kernels = kernels
    self.modules = modules
  }

  /// Throws a sentence when the target has nothing to sign, or nothing with a boot line in it.
  public func checkSigning() throws {
    guard target.efi == nil, signer != nil || !words.isEmpty else { return }
    throw BuildError.input(
      "No UEFI starts the drone of \(target.name), so there is nothing to sign and no program with boot words in it: leave out SECUREBOOT and WORDS, or say TARGET=x86_64 or any."
    )
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
    let loaders = target.efi?.stages(for: medium, folders, in: &pipeline)
    let brought = zip(target.drones, kernels).map { $1.stages(for: $0, modules, folders, in: &pipeline) }
    var sysroots: [SysrootStages] = []
    for drone in target.drones { sysroots.append(try await SysrootStages(for: drone, folders, in: &pipeline)) }
    let programs = pipeline.programs(for: sysroots, folders)
    var drones: [Stage<BuiltDrone>] = []
    for (place, sysroot) in sysroots.enumerated() {
      drones.append(stages(of: sysroot, with: brought[place], in: &pipeline) { try programs.result[place] })
    }
    return pipeline.stage { [self, drones] progress in
      let drones = try drones.map { try $0.result }
      let efi = try loaders?.result
      var parts = ImageParts(
        target, of: drones.map(\.parts), bootFiles: folders.checkout.appending("isolinux"),
        sources: distinct(drones.flatMap(\.sources)) + (efi?.packages ?? []), credential: credential,
        loaders: efi?.files ?? [:])
      parts.signer = signer
      parts.words = words
      let recipe = CheckedImage(
        image: try ImageRecipe(medium, from: parts, goingTo: output) { [folders] in folders.programs(of: $0) },
        sound: drones.reduce(into: []) { $0.formUnion($1.sound) },
        kernelConfigurations: Dictionary(
          drones.map { ($0.parts.target.name, $0.kernelConfiguration) }, uniquingKeysWith: { first, _ in first }
        ).compactMapValues { $0 })
      let report = try await BuildCache(folder: output).outputs(recipe.image.outputs, of: recipe, progress)
      return Product(
        path: output.appending(medium.outputName(for: target)), report: report,
        notices: distinct(drones.flatMap(\.notices)))
    }
  }

  /// Adds the stages that give one drone; the last one gives it.
  ///
  /// - Parameters:
  ///   - brought: the kernel, unless it is built.
  ///   - programs: the drone's own; asked when they have been built.
  private func stages(
    of sysroot: SysrootStages, with brought: Stage<KernelParts>?, in pipeline: inout Pipeline,
    _ programs: @escaping @Sendable () throws -> [DroneProgram]
  ) -> Stage<BuiltDrone> {
    let target = sysroot.target
    let system = sysroot.system(in: &pipeline, withKernel: brought == nil)
    let given: @Sendable () throws -> KernelParts = {
      try brought?.result ?? system.parts.builtKernel(of: sysroot.sources.result.records)
    }
    let firmware = firmware?.stages(for: target, folders, in: &pipeline) { try given().firmware }
    let checks = pipeline.checks(for: sysroot, folders) {
      let system = try system.parts
      return try programs().map { ($0.place.product, $0.stripped, $0.unstripped) }
        + [("busybox", system.busybox, system.busyboxUnstripped)]
    }
    return pipeline.derived { [folders] in
      let (sources, system, programs) = (try sysroot.sources.result, try system.parts, try programs())
      let (kernel, firmware) = (try given(), try firmware?.result ?? FirmwareParts())
      return BuiltDrone(
        parts: DroneParts(
          target,
          root: RootParts(
            programs: programs, busybox: SuppliedFile(system.busybox, from: sources.records.origin(of: "busybox")),
            applets: system.busyboxApplets, files: folders.checkout.appending("rootfs")),
          kernel: kernel.kernel, modules: kernel.modules, firmware: firmware.files),
        sources: sources.records + (kernel.package.map { [$0] } ?? []) + firmware.packages,
        notices: sources.records.notices + kernel.notices + firmware.notices,
        sound: try checks.result, kernelConfiguration: kernel.configuration)
    }
  }
}

/// A drone that was built for an image, and what the image's check is to know of it.
private struct BuiltDrone: Sendable {
  var parts: DroneParts
  var sources: [SourceRecord]
  /// Sentences for who builds the image.
  var notices: [String]
  /// Digests of programs whose instructions were looked at.
  var sound: Set<SHA256>
  var kernelConfiguration: FilePath?
}

/// Each once, in their order: all drones are built from the same delivery of the sources.
private func distinct<Value: Equatable>(_ values: [Value]) -> [Value] {
  values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
}

extension SystemParts {
  fileprivate func builtKernel(of sources: [SourceRecord]) throws -> KernelParts {
    guard let kernel else { throw BuildError.input("The build made no kernel, and none was given.") }
    return KernelParts(
      kernel: SuppliedFile(kernel, from: sources.origin(of: "linux")), configuration: kernelConfiguration,
      firmware: try kernelInformation.map { FirmwareNames(builtIn: try contents(of: $0)) })
  }
}

/// An image that is read back and checked before it is anybody's.
private struct CheckedImage: Recipe {
  let image: ImageRecipe
  let sound: Set<SHA256>
  /// Those that are known, by the names of their drones' targets.
  let kernelConfigurations: [String: FilePath]

  var name: String { image.name }
  var title: String { image.title }
  var inputs: [Input] { image.inputs }

  /// Gives a table of the files' sizes.
  func build(in room: Room) async throws -> String {
    let built = try await image.build(in: room)
    let bill = try BillOfMaterials(json: contents(of: built.bill))
    let check = ImageCheck(
      target: image.parts.target, bill: bill, sound: sound, kernelConfigurations: kernelConfigurations)
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
