import BuildCache
import DebianArchive
import Foundation
import SystemPackage
import Toolchain
import Workshop

/// The everyday commands in one static program.
public struct BusyBox: Recipe {
  let compiler: CrossCompiler
  let source: Source
  let musl: Part
  let fragment: ConfigurationFragment
  /// 64-bit arithmetic that the compiler calls by name, the same file that the drone's own programs bring.
  let runtime: FilePath
  let runtimeDigest: SHA256

  /// `recipes`: the checkout's `sysroot`.
  public init(compiler: CrossCompiler, source: Source, musl: Part, recipes: FilePath) throws {
    self.compiler = compiler
    self.source = source
    self.musl = musl
    fragment = try ConfigurationFragment(contentsOf: recipes.appending("busybox.config"))
    runtime = recipes.removingLastComponent().appending("Sources/C/CompilerRuntime").lexicallyNormalized()
    runtimeDigest = try SHA256(contentsOf: runtime.appending("integers.c"))
  }

  public var name: String { "busybox" }
  public var title: String { "BusyBox \(source.version)" }
  public var inputs: [Input] {
    [
      .init("recipe", "1"), .init("source", source.identity), .init("compiler", compiler.recipe),
      .init("musl", musl.hash.description),
      .init("configuration", fragment.settings.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")),
      .init("runtime", runtimeDigest.description), .init("edits", busyBoxEdits.identity),
    ]
  }

  public func build(in room: Room) async throws {
    let tree = room.work.appending("source")
    try await unpack(try source.file(".dsc"), to: tree, log: room.log)
    for edit in busyBoxEdits { try await edit.apply(in: tree) }
    try await configure(fragment, tree, room.log)
    let libraries = try await startAndRuntime(room.work, room.log)
    let arguments = makeArguments(libraries)
    // Without a time in the banner: equal inputs give equal bytes.
    let environment = ["KCONFIG_NOTIMESTAMP": "1"]
    try await tool("make", [parallelJobs] + arguments + ["busybox"], in: tree, environment: environment).run(
      log: room.log)
    try await tool("make", arguments + ["busybox.links"], in: tree, environment: environment).run(log: room.log)
    try move(tree.appending("busybox_unstripped"), to: room.result.appending("busybox.unstripped"))
    try move(tree.appending("busybox.links"), to: room.result.appending("busybox.links"))
    try await tool(
      compiler.toolchain.objectCopier.string,
      ["--strip-all", room.result.appending("busybox.unstripped").string, room.result.appending("busybox").string]
    ).run(log: room.log)
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
      "BB_EXTRA_VERSION=Debian \(source.version)",
      "CONFIG_EXTRA_LDFLAGS=\(link.joined(separator: " "))",
    ]
  }
}
