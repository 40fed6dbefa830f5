import ArgumentParser
import BuildCache
import DebianArchive
import Foundation
import Recipes
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

    func prepared(quiet: Bool) async throws -> (Sysroot, SystemParts?, Sources) {
      let recipes = absolute(recipes)
      let cache = cache.map(absolute) ?? defaultCache()
      let progress = Progress(total: sysrootSteps + (target.image != nil ? systemSteps : 0), quiet: quiet)
      guard target.image != nil else {
        let (sysroot, sources) = try await prepareSysroot(
          for: target, recipes: recipes, cache: cache, progress: progress)
        return (sysroot, nil, sources)
      }
      let (sysroot, system, sources) = try await prepareSystem(
        for: target, recipes: recipes, cache: cache, progress: progress)
      return (sysroot, system, sources)
    }
  }

  struct Prepare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Build the parts that the cache does not hold.")
    @OptionGroup var options: Options
    func run() async throws { _ = try await interruptible { try await options.prepared(quiet: false) } }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Build the missing parts, and print where all parts are and what they were built from.")
    @OptionGroup var options: Options

    func run() async throws {
      let (sysroot, system, sources) = try await interruptible { try await options.prepared(quiet: true) }
      print("headers   \(sysroot.includes)")
      print("library   \(sysroot.library)")
      print("openssl   \(sysroot.opensslLibrary)")
      if let system {
        print("busybox   \(system.busybox)")
        print("kernel    \(system.kernel)")
        print("config    \(system.kernelConfiguration)")
      }
      for source in sources.records { print("source    \(source.name) \(source.version) sha256 \(source.sha256)") }
      sources.records.notices.forEach(notice)
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
      let progress = Progress(total: 2)
      let said = try await interruptible {
        try await Sources.refresh(
          packages, of: sourcePackages, in: sourceCache(in: cache.map(absolute) ?? defaultCache()), progress)
      }
      said.forEach { print($0) }
    }
  }
}

/// A path from the command line, independent of a later change of folder.
func absolute(_ path: String) -> FilePath {
  let path = FilePath(path)
  guard path.isRelative else { return path.lexicallyNormalized() }
  return FilePath(FileManager.default.currentDirectoryPath).appending(path.components).lexicallyNormalized()
}

/// Kinds of computers by their names.
extension DroneTarget: ExpressibleByArgument {
  public init?(argument: String) {
    self.init(named: argument)
  }

  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { all.map(\.name) }
}
