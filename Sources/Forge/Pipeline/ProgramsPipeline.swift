import BuildCache
import DronePrograms
import SystemPackage
import Target
import Workshop

/// Builds a target's own programs, and first what they are built against.
public struct ProgramsPipeline: Sendable {
  public let target: DroneTarget
  public let folders: BuildFolders

  public init(target: DroneTarget, folders: BuildFolders) {
    self.target = target
    self.folders = folders
  }

  /// Does nothing where neither sources nor tools changed. Throws `BuildError`.
  public func run() async throws -> [DroneProgram] {
    var pipeline = Pipeline()
    let sysroot = try await SysrootStages(for: target, folders, in: &pipeline)
    let programs = pipeline.programs(for: sysroot, folders)
    try await pipeline.run()
    return try programs.result
  }
}

extension Pipeline {
  /// Adds the stage that gives the target's own programs.
  mutating func programs(for sysroot: SysrootStages, _ folders: BuildFolders) -> Stage<[DroneProgram]> {
    stage { progress in
      let recipe = try await DronePrograms(
        for: sysroot.target, sysroot: sysroot.sysroot, checkout: folders.checkout, scratch: folders.scratch)
      return recipe.programs(in: try await folders.programs(of: sysroot.target).part(recipe, progress))
    }
  }
}
