import Foundation
import SystemPackage
import Workshop

/// The everyday commands in one static program.
struct BusyBox: Sendable {
  let compiler: CrossCompiler
  let sources: Sources
  let musl: Part
  /// The checkout's `sysroot`.
  let recipes: FilePath

  /// 64-bit arithmetic that the compiler calls by name, the same file that the drone's own programs bring.
  private var runtime: FilePath {
    recipes.removingLastComponent().appending("Sources/C/CompilerRuntime").lexicallyNormalized()
  }

  func prepared(in parts: PartCache, _ progress: Progress) async throws -> Part {
    let fragment = try ConfigurationFragment(contentsOf: recipes.appending("busybox.config"))
    let hash = recipeHash([
      ("recipe", "1"), ("source", sources.identity("busybox")), ("compiler", compiler.recipe),
      ("musl", musl.hash.description),
      ("configuration", fragment.settings.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")),
      ("runtime", try SHA256(contentsOf: runtime.appending("integers.c")).description),
    ])
    return try await parts.part("busybox", "BusyBox \(sources.version("busybox"))", hash, progress) { part, work, log in
      let source = work.appending("source")
      try await unpack(try sources.file("busybox", ".dsc"), to: source, log: log)
      try await configure(fragment, source, log)
      let libraries = try await startAndRuntime(work, log)
      let arguments = makeArguments(libraries)
      // Without a time in the banner: equal inputs give equal bytes.
      let environment = ["KCONFIG_NOTIMESTAMP": "1"]
      try await tool("make", [parallelJobs] + arguments + ["busybox"], in: source, environment: environment).run(
        log: log)
      try await tool("make", arguments + ["busybox.links"], in: source, environment: environment).run(log: log)
      try move(source.appending("busybox_unstripped"), to: part.appending("busybox.unstripped"))
      try move(source.appending("busybox.links"), to: part.appending("busybox.links"))
      try await tool(
        compiler.toolchain.objectCopier.string,
        ["--strip-all", part.appending("busybox.unstripped").string, part.appending("busybox").string]
      ).run(log: log)
    }
  }

  /// BusyBox's kconfig ignores most of a fragment given to `allnoconfig`, so the whole configuration is written out and
  /// checked by `oldconfig`, which has nothing left to ask.
  private func configure(_ fragment: ConfigurationFragment, _ source: FilePath, _ log: FilePath) async throws {
    let file = source.appending(".config")
    try await tool("make", ["allyesconfig"], in: source).run(log: log)
    let everything = String(decoding: try contents(of: file), as: UTF8.self)
    try await write(fragment.overridingAllOff(everything).utf8, to: file)
    try await tool("make", ["oldconfig"], in: source).run(log: log)
    try fragment.check(file)
  }

  /// An archive with the C start code and the compiler's run-time functions, in place of a compiler's own files.
  private func startAndRuntime(_ work: FilePath, _ log: FilePath) async throws -> FilePath {
    let folder = work.appending("start")
    try makeFolder(folder)
    try await tool(
      compiler.toolchain.clang.string,
      compiler.flags + [
        "-ffreestanding", "-nostdinc", "-I", runtime.appending("include").string,
        "-c", runtime.appending("integers.c").string, "-o", folder.appending("integers.o").string,
      ]
    ).run(log: log)
    try await tool(
      compiler.toolchain.archiver.string,
      [
        "rcsD", folder.appending("libstart.a").string, musl.folder.appending("lib/crt1.o").string,
        folder.appending("integers.o").string,
      ]
    ).run(log: log)
    return folder
  }

  private func makeArguments(_ libraries: FilePath) -> [String] {
    let compile =
      [compiler.toolchain.clang.string] + compiler.flags + [
        // BusyBox's own flags are GCC's; clang's opinions on its code are not ours to fix.
        "-w",
        "-Wno-unused-command-line-argument",
        "-Wno-ignored-optimization-argument",
        "-nostdlibinc",
        "-isystem", musl.folder.appending("include").string,
        "-nostdlib",
        "-static",
        "-fuse-ld=lld",
      ]
    let link = [
      "-L\(musl.folder.appending("lib"))", "-L\(libraries)", "-Wl,-u,_start", "-Wl,-e,_start", "-lstart", "-lc",
    ]
    return [
      "SKIP_STRIP=y",
      "HOSTCC=gcc",
      "CC=\(compile.joined(separator: " "))",
      "AR=\(compiler.toolchain.archiver)",
      "BB_EXTRA_VERSION=Debian \(sources.version("busybox"))",
      "CONFIG_EXTRA_LDFLAGS=\(link.joined(separator: " "))",
    ]
  }
}
