import Foundation
import SystemPackage
import Workshop

/// The C library, static only, with the kernel's headers beside its own.
struct Musl: Sendable {
  let compiler: CrossCompiler
  let sources: Sources
  let headers: Part

  private var configure: [String] {
    ["--target=\(compiler.target.clangTriple)", "--disable-shared", "--prefix=/"]
  }

  func prepared(in parts: PartCache, _ progress: Progress) async throws -> Part {
    let hash = recipeHash([
      ("recipe", "1"), ("source", sources.identity("musl")), ("compiler", compiler.recipe),
      ("configure", configure.joined(separator: " ")), ("headers", headers.hash.description),
    ])
    return try await parts.part("musl", "musl \(sources.version("musl"))", hash, progress) { part, work, log in
      let source = work.appending("source")
      try await unpack(try sources.file("musl", ".dsc"), to: source, log: log)
      try await tool(
        "./configure", configure, in: source,
        environment: [
          "CC": ([compiler.toolchain.clang.string] + compiler.flags).joined(separator: " "),
          "AR": compiler.toolchain.archiver.string,
          "RANLIB": compiler.toolchain.ranlib.string,
          "LIBCC": " ",
        ]
      ).run(log: log)
      try await tool("make", [parallelJobs], in: source).run(log: log)
      let installed = work.appending("installed")
      try await tool("make", ["install-headers", "install-libs", "DESTDIR=\(installed)"], in: source).run(log: log)
      // musl's own headers last: they win where both have a file.
      let include = part.appending("include")
      try await tool("cp", ["-R", headers.folder.appending("include").string, include.string]).run(log: log)
      try await tool("cp", ["-R", installed.appending("include").string + "/.", include.string]).run(log: log)
      try move(installed.appending("lib"), to: part.appending("lib"))
    }
  }
}

/// Unpacks a Debian source package with Debian's patches; its files' digests are compared with the `.dsc`.
func unpack(_ description: FilePath, to folder: FilePath, log: FilePath) async throws {
  try await tool("dpkg-source", ["--no-copy", "--extract", description.string, folder.string]).run(log: log)
}
