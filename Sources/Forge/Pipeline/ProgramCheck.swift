import BuildCache
import ImageCheck
import SystemPackage
import Target
import Workshop

/// A program whose every instruction the target's first processor has. Nothing is made: the part says that it was looked at.
///
/// Disassembling takes seconds, and the same bytes hold the same instructions.
struct CheckedProgram: Recipe {
  let program: String
  let stripped: FilePath
  let unstripped: FilePath
  let target: DroneTarget
  /// The stripped program's.
  let digest: SHA256
  let inputs: [Input]

  init(_ program: String, _ stripped: FilePath, unstripped: FilePath, for target: DroneTarget, disassembler: String)
    throws
  {
    (self.program, self.stripped, self.unstripped, self.target) = (program, stripped, unstripped, target)
    digest = try SHA256(contentsOf: stripped)
    inputs = [
      Input("recipe", "1"), Input("stripped", digest.description),
      Input("unstripped", try SHA256(contentsOf: unstripped).description),
      Input("instructions", target.instructions.words.joined(separator: " ")),
      Input("disassembler", disassembler),
    ]
  }

  var name: String { "check-\(program)" }
  var title: String { "Check of \(program)" }

  func build(in room: Room) async throws {
    try requireSound(
      try await checkProgram(stripped, unstripped: unstripped, for: target),
      "A program is not sound, and what was built before stays")
  }
}

extension Pipeline {
  /// Adds the stage that looks at programs' instructions, once at each one's. Gives the digests of the programs.
  ///
  /// - Parameter programs: name, program and the same with symbols; asked when the stage's turn comes.
  mutating func checks(
    for sysroot: SysrootStages, _ folders: BuildFolders,
    _ programs: @escaping @Sendable () throws -> [(name: String, stripped: FilePath, unstripped: FilePath)]
  ) -> Stage<Set<SHA256>> {
    stage { progress in
      let cache = folders.programs(of: sysroot.target)
      let checks = try programs().map {
        try CheckedProgram(
          $0.name, $0.stripped, unstripped: $0.unstripped, for: sysroot.target, disassembler: sysroot.compiler.identity)
      }
      _ = try await BuildCache.parts(checks.map { ($0, cache) }, title: "Instructions", progress)
      return Set(checks.map(\.digest))
    }
  }
}
