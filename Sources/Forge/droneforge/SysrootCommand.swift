import ArgumentParser
import BuildSteps
import DroneTarget
import Foundation
import Sysroot
import SystemPackage

/// `droneforge sysroot`.
struct SysrootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sysroot",
    abstract: "Build or show what images are made from: C library, OpenSSL, BusyBox, kernel.",
    discussion: """
      Sources come from this machine's Debian archives, through apt. What is built stays in
      ${XDG_CACHE_HOME:-~/.cache}/droneforge, for all checkouts, until its recipe changes.
      """,
    subcommands: [Prepare.self, Show.self],
    defaultSubcommand: Prepare.self)

  struct Options: ParsableArguments {
    @Option(help: "The folder with the recipes.", completion: .directory)
    var recipes = "sysroot"

    @Option(help: "The cache (default: ${XDG_CACHE_HOME:-~/.cache}/droneforge).", completion: .directory)
    var cache: String?

    func sysroot(quiet: Bool) async throws -> Sysroot {
      try await prepareSysroot(
        for: .i586, recipes: absolute(recipes), cache: cache.map(absolute) ?? defaultCache(),
        progress: Progress(total: sysrootSteps, quiet: quiet))
    }
  }

  struct Prepare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Build what the cache does not hold yet.")
    @OptionGroup var options: Options
    func run() async throws { _ = try await interruptible { try await options.sysroot(quiet: false) } }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print where the parts are and what they were built from, building what is missing.")
    @OptionGroup var options: Options

    func run() async throws {
      let sysroot = try await interruptible { try await options.sysroot(quiet: true) }
      print("headers   \(sysroot.includes)")
      print("library   \(sysroot.library)")
      print("openssl   \(sysroot.opensslLibrary)")
      print("busybox   \(sysroot.busybox)")
      print("kernel    \(sysroot.kernel)")
      print("config    \(sysroot.kernelConfiguration)")
      for source in sysroot.sources { print("source    \(source.name) \(source.version) sha256 \(source.sha256)") }
    }
  }
}

/// A path from the command line, independent of a later change of folder.
func absolute(_ path: String) -> FilePath {
  let path = FilePath(path)
  guard path.isRelative else { return path.lexicallyNormalized() }
  return FilePath(FileManager.default.currentDirectoryPath).appending(path.components).lexicallyNormalized()
}
