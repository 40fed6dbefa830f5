import BuildCache
import DebianArchive
import DronePrograms
import MasterPackage
import SystemPackage
import Target
import Workshop

/// Builds the Debian package for a master, and first all that it is made from.
public struct MasterPackagePipeline: Sendable {
  public let target: DroneTarget
  public let folders: BuildFolders
  /// Where the package goes.
  public let output: FilePath

  public init(for target: DroneTarget, folders: BuildFolders, output: FilePath) {
    self.target = target
    self.folders = folders
    self.output = output
  }

  /// Makes the package, of programs that were checked. Throws `BuildError`; a previous package stays then.
  public func run(quiet: Bool = false) async throws -> Product {
    try await requireWritable(output)
    var pipeline = Pipeline()
    let package = try await stages(in: &pipeline)
    try await pipeline.run(quiet: quiet)
    return try package.result
  }

  func stages(in pipeline: inout Pipeline) async throws -> Stage<Product> {
    let sysroot = try await SysrootStages(for: target, folders, in: &pipeline)
    let all = pipeline.programs(for: [sysroot], folders)
    // A master boots by itself: process 1 is a drone's.
    let programs: @Sendable () throws -> [DroneProgram] = { try all.result.flatMap { $0 }.filter { $0.place == .tyd } }
    _ = pipeline.checks(for: sysroot, folders) {
      try programs().map { ($0.place.product, $0.stripped, $0.unstripped) }
    }
    return pipeline.stage { [self] progress in
      let (sources, programs) = (try sysroot.sources.result, try programs())
      var linked: [SourceNotice] = []
      for name in ["musl", "openssl"] { linked.append(try await sources[name].notice()) }
      let recipe = try await MasterPackage(
        target: target, programs: programs, sources: linked, files: folders.checkout.appending("master"))
      let report: Void? = try await BuildCache(folder: output).outputs([recipe.name], of: recipe, progress)
      return Product(
        path: output.appending(recipe.name), report: report.map { "" }, notices: sources.records.notices)
    }
  }
}
