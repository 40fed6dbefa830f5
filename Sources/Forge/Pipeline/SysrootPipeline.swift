import DebianArchive
import Recipes
import SystemPackage
import Target
import Workshop

/// Builds what a target's programs and images are made from, as far as others wrote it.
public struct SysrootPipeline: Sendable {
  public let target: DroneTarget
  public let folders: BuildFolders

  public init(target: DroneTarget, folders: BuildFolders) {
    self.target = target
    self.folders = folders
  }

  /// What `run` gives.
  public struct Result: Sendable {
    public let sysroot: Sysroot
    /// Nil for a target without images.
    public let system: SystemParts?
    public let sources: [SourceRecord]
  }

  /// Builds what the cache does not hold. Throws `BuildError`.
  public func run(quiet: Bool = false) async throws -> Result {
    var pipeline = Pipeline()
    let sysroot = try await SysrootStages(for: target, folders, in: &pipeline)
    let system =
      target.image == nil
      ? nil : sysroot.system(in: &pipeline, withKernel: KernelChoice.standard(for: target) == .own)
    try await pipeline.run(quiet: quiet)
    return try Result(sysroot: sysroot.sysroot, system: system?.parts, sources: sysroot.sources.result.records)
  }
}
