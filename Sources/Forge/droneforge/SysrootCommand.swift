import ArgumentParser
import BuildCache
import DebianArchive
import Foundation
import Pipeline
import SystemPackage
import Target
import Workshop

/// `droneforge sysroot`.
struct SysrootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sysroot",
    abstract: "Build or show what images are made from: C library, OpenSSL, BusyBox, kernel.",
    discussion: """
      Sources come from this machine's Debian archives, through apt. Results stay in
      ${XDG_CACHE_HOME:-~/.cache}/droneforge, for all checkouts, until their recipe or their sources change.
      """,
    subcommands: [Prepare.self, Show.self, Refresh.self],
    defaultSubcommand: Prepare.self)

  struct Options: ParsableArguments {
    @Option(help: "The folder with the recipes.", completion: .directory)
    var recipes = "sysroot"

    @Option(help: "The kind of computer.")
    var target = DroneTarget.standard

    @Option(help: "The cache (default: ${XDG_CACHE_HOME:-~/.cache}/droneforge).", completion: .directory)
    var cache: String?

    func built(quiet: Bool) async throws -> SysrootPipeline.Result {
      let recipes = absolute(recipes)
      var folders = BuildFolders(checkout: recipes.removingLastComponent())
      folders.recipes = recipes
      if let cache { folders.cache = absolute(cache) }
      let pipeline = SysrootPipeline(target: target, folders: folders)
      return try await stoppable { try await pipeline.run(quiet: quiet) }
    }
  }

  struct Prepare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Build the parts that the cache does not hold.")
    @OptionGroup var options: Options
    func run() async throws { _ = try await options.built(quiet: false) }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Build the missing parts, and print where all parts are and what they were built from.")
    @OptionGroup var options: Options

    func run() async throws {
      let built = try await options.built(quiet: true)
      print("headers   \(built.sysroot.includes)")
      print("library   \(built.sysroot.library)")
      print("openssl   \(built.sysroot.opensslLibrary)")
      if let system = built.system {
        print("busybox   \(system.busybox)")
        for (name, file) in [("kernel", system.kernel), ("config", system.kernelConfiguration)] {
          if let file { print("\(name)    \(file)") }
        }
      }
      for source in built.sources { print("source    \(source.name) \(source.version) sha256 \(source.sha256)") }
      built.sources.notices.forEach(notice)
    }
  }

  struct Refresh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetch newer sources, where the Debian archive delivers them.",
      discussion: """
        Cached sources stay as they are, so that the same checkout gives the same image, until this command fetches newer
        ones. The next build rebuilds everything that depends on a changed package; the kernel takes minutes. Builds
        themselves ask only for packages that the archive listed and did not deliver, once a day.
        """)

    @Argument(help: "The packages, as `droneforge sysroot show` names them. (default: all)")
    var packages: [String] = []

    @Option(help: "The cache (default: ${XDG_CACHE_HOME:-~/.cache}/droneforge).", completion: .directory)
    var cache: String?

    func run() async throws {
      let refresh = SourceRefresh(packages: packages, cache: cache.map(absolute) ?? defaultCache())
      let said = try await stoppable { try await refresh.run() }
      said.forEach { print($0) }
    }
  }
}

/// A path from the command line, independent of a later change of folder.
func absolute(_ path: String) -> FilePath { absolute(FilePath(path)).lexicallyNormalized() }

/// What images are for, by name.
extension ImageTarget: ExpressibleByArgument {
  public init?(argument: String) {
    self.init(named: argument)
  }

  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { all.map(\.name) }
}

/// Kinds of computers by their names.
extension DroneTarget: ExpressibleByArgument {
  public init?(argument: String) {
    self.init(named: argument)
  }

  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { all.map(\.name) }
}
