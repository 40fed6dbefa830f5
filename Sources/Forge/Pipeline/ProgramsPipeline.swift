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
    let programs = pipeline.programs(for: [sysroot], folders)
    try await pipeline.run()
    return try programs.result.flatMap { $0 }
  }
}

extension Pipeline {
  /// Adds the stage that gives the own programs of each target. They are built beside each other: a compilation takes one processor,
  /// most of the time.
  mutating func programs(for sysroots: [SysrootStages], _ folders: BuildFolders) -> Stage<[[DroneProgram]]> {
    stage { progress in
      var parts: [(recipe: DronePrograms, cache: BuildCache)] = []
      for sysroot in sysroots {
        parts.append(
          (
            try await DronePrograms(
              for: sysroot.target, sysroot: sysroot.sysroot, checkout: folders.checkout, scratch: folders.scratch),
            folders.programs(of: sysroot.target)
          ))
      }
      let title = "Programs for \(sysroots.map(\.target.name).joined(separator: " and "))"
      return zip(parts, try await BuildCache.parts(parts, title: title, progress)).map { $0.recipe.programs(in: $1) }
    }
  }
}
