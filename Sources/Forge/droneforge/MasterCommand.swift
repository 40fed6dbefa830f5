import ArgumentParser
import BuildCache
import DebianArchive
import DronePrograms
import Foundation
import ImageCheck
import MasterPackage
import Recipes
import SystemPackage
import Target
import Workshop

/// `droneforge master`.
struct MasterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "master",
    abstract: "Build the Debian package that makes any 64-bit Linux a node of a cluster.",
    discussion: """
      Builds the missing parts (C library, OpenSSL, tyd), writes tyd_VERSION_amd64.deb, and checks its program. The
      package holds no credential: see `droneforge cluster export` and tyd(8). The same sources give the same bytes.
      """)

  @Option(help: ArgumentHelp("The folder for the package. (default: build in the checkout)", valueName: "folder"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "The project's folder. (default: the one above this program, else above this folder)", valueName: "folder"))
  var checkout: String?

  func run() async throws {
    do {
      let (package, notices) = try await interruptible { try await build() }
      print("\(package): built and checked")
      notices.forEach(notice)
    } catch let interruption as Interrupted {
      FileHandle.standardError.write(Data("\n\(interruption)\n".utf8))
      // As shells count it.
      throw ExitCode(128 + interruption.signal)
    }
  }

  private func build() async throws -> (package: FilePath, notices: [String]) {
    let target = DroneTarget.master
    let checkout = try Checkout(named: checkout).folder
    let folder = output.map { FilePath($0) } ?? checkout.appending("build")
    try makeFolder(folder)
    let waiting = {
      FileHandle.standardError.write(Data("Another build is running in \(folder): waiting for it to end.\n".utf8))
    }
    return try await withLock(on: folder, waiting: waiting) {
      let progress = Progress(total: sysrootSteps + programSteps + 1)
      let (sysroot, built) = try await prepareSysroot(
        for: target, recipes: checkout.appending("sysroot"), cache: defaultCache(), progress: progress)
      let programs = try await buildPrograms(
        for: target, sysroot: sysroot, checkout: checkout, scratch: checkout.appending(".build-drone"),
        progress: progress)
      let package = try await progress.step("Debian package") {
        for program in programs {
          let findings = try await checkProgram(program.stripped, unstripped: program.unstripped, for: target)
          guard findings.isEmpty else {
            throw BuildError.input(
              "A program for the package is not sound, and a previous package stays:\n"
                + findings.map { "  \($0)" }.joined(separator: "\n"))
          }
        }
        var sources: [SourceNotice] = []
        for name in ["musl", "openssl"] { sources.append(try await built[name].notice()) }
        return try await MasterPackage(
          target: target, programs: programs.map { .init(path: $0.path, file: $0.stripped, links: $0.links) },
          sources: sources, files: checkout.appending("master")
        ).build(in: folder)
      }
      return (package, built.records.notices)
    }
  }
}
