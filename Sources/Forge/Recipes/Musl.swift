import BuildCache
import DebianArchive
import Foundation
import SystemPackage
import Toolchain
import Workshop

/// The C library, static only, with the kernel's headers beside its own.
public struct Musl: Recipe {
  let compiler: CrossCompiler
  let source: Source
  let headers: Part

  public init(compiler: CrossCompiler, source: Source, headers: Part) {
    self.compiler = compiler
    self.source = source
    self.headers = headers
  }

  private var configure: [String] {
    ["--target=\(compiler.target.clangTriple)", "--disable-shared", "--prefix=/"]
  }

  public var name: String { "musl" }
  public var title: String { "musl \(source.version)" }
  public var inputs: [Input] {
    [
      .init("recipe", "1"), .init("source", source.identity), .init("compiler", compiler.recipe),
      .init("configure", configure.joined(separator: " ")), .init("headers", headers.hash.description),
    ]
  }

  public func build(in room: Room) async throws {
    let tree = room.work.appending("source")
    try await unpack(try source.file(".dsc"), to: tree, log: room.log)
    try await tool(
      "./configure", configure, in: tree,
      environment: [
        "CC": ([compiler.toolchain.clang.string] + compiler.flags).joined(separator: " "),
        "AR": compiler.toolchain.archiver.string,
        "RANLIB": compiler.toolchain.ranlib.string,
        "LIBCC": " ",
      ]
    ).run(log: room.log)
    try await tool("make", [parallelJobs], in: tree).run(log: room.log)
    let installed = room.work.appending("installed")
    try await tool("make", ["install-headers", "install-libs", "DESTDIR=\(installed)"], in: tree).run(log: room.log)
    // musl's own headers last: they win where both have a file.
    let include = room.result.appending("include")
    try await tool("cp", ["-R", headers.folder.appending("include").string, include.string]).run(log: room.log)
    try await tool("cp", ["-R", installed.appending("include").string + "/.", include.string]).run(log: room.log)
    try move(installed.appending("lib"), to: room.result.appending("lib"))
  }
}

/// Unpacks a Debian source package with Debian's patches; its files' digests are compared with the `.dsc`.
func unpack(_ description: FilePath, to folder: FilePath, log: FilePath) async throws {
  try await tool("dpkg-source", ["--no-copy", "--extract", description.string, folder.string]).run(log: log)
}
