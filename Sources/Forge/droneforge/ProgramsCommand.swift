import ArgumentParser
import Pipeline
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
    var folders = BuildFolders(checkout: absolute(checkout))
    if let scratch { folders.scratch = absolute(scratch) }
    if let cache { folders.cache = absolute(cache) }
    let pipeline = ProgramsPipeline(target: target, folders: folders)
    let programs = try await stoppable { try await pipeline.run() }
    for program in programs { print("\(program.stripped)\n\(program.unstripped)") }
  }
}
