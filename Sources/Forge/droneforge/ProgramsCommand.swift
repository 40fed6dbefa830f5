import ArgumentParser
import BuildCache
import DronePrograms
import Recipes
import SystemPackage
import Target
import Workshop

/// `droneforge programs`.
struct ProgramsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "programs",
    abstract: "Build the drone's own programs and print where they are.")

  @Option(help: "The kind of computer.")
  var target = DroneTarget.standard

  @Option(help: "The project's folder.", completion: .directory)
  var checkout = "."

  @Option(help: "Where to build (default: .build-drone in the project's folder).", completion: .directory)
  var scratch: String?

  @Option(help: "The cache (default: ${XDG_CACHE_HOME:-~/.cache}/droneforge).", completion: .directory)
  var cache: String?

  func run() async throws {
    let checkout = absolute(checkout)
    let progress = Progress(total: sysrootSteps + programSteps)
    let programs = try await interruptible {
      let (sysroot, _) = try await prepareSysroot(
        for: target, recipes: checkout.appending("sysroot"), cache: cache.map(absolute) ?? defaultCache(),
        progress: progress)
      return try await buildPrograms(
        for: target, sysroot: sysroot, checkout: checkout,
        scratch: scratch.map(absolute) ?? checkout.appending(".build-drone"), progress: progress)
    }
    for program in programs { print("\(program.stripped)\n\(program.unstripped)") }
  }
}
