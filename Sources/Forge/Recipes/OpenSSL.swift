import BuildCache
import DebianArchive
import Foundation
import SystemPackage
import Target
import Toolchain
import Workshop

/// The TLS and cryptography library, static only and with what tyd needs: `lib/libssl.a`, `lib/libcrypto.a` and
/// `include/openssl`. One program links it, so it stands beside the C library and not in it.
public struct OpenSSL: Recipe {
  let compiler: CrossCompiler
  let source: Source
  let musl: Part
  let options: [String]

  /// `recipes`: the checkout's `sysroot`.
  public init(compiler: CrossCompiler, source: Source, musl: Part, recipes: FilePath) throws {
    self.compiler = compiler
    self.source = source
    self.musl = musl
    options = configureOptions(
      String(decoding: try contents(of: recipes.appending("openssl.options")), as: UTF8.self))
  }

  public var name: String { "openssl" }
  public var title: String { "OpenSSL \(source.version)" }
  public var inputs: [Input] {
    [
      .init("recipe", "1"), .init("source", source.identity), .init("compiler", compiler.recipe),
      .init("musl", musl.hash.description),
      .init("options", (compiler.target.opensslTarget + options).joined(separator: "\n")),
    ]
  }

  public func build(in room: Room) async throws {
    let tree = room.work.appending("source")
    try await unpack(try source.file(".dsc"), to: tree, log: room.log)
    try await tool(
      "perl", ["Configure"] + compiler.target.opensslTarget + options + makeVariables, in: tree
    ).run(log: room.log)
    // The date that `OpenSSL_version` would tell: equal inputs give equal bytes.
    let environment = ["SOURCE_DATE_EPOCH": "0"]
    try await tool("make", [parallelJobs, "build_libs"], in: tree, environment: environment).run(log: room.log)
    try makeFolder(room.result.appending("lib"))
    for library in ["libcrypto.a", "libssl.a"] {
      try move(tree.appending(library), to: room.result.appending("lib").appending(library))
    }
    try makeFolder(room.result.appending("include"))
    try await tool(
      "cp", ["-R", tree.appending("include/openssl").string, room.result.appending("include").string]
    ).run(log: room.log)
  }

  private var makeVariables: [String] {
    let flags =
      compiler.flags + [
        // OpenSSL's warnings are its authors'.
        "-w",
        "-nostdlibinc",
        "-isystem", musl.folder.appending("include").string,
      ]
    return [
      "--prefix=/",
      "--libdir=lib",
      "--openssldir=/etc/ssl",
      "CC=\(compiler.toolchain.clang)",
      "AR=\(compiler.toolchain.archiver)",
      "RANLIB=\(compiler.toolchain.ranlib)",
      "CFLAGS=\(flags.joined(separator: " "))",
    ]
  }
}

/// The options in a file of one a line; empty lines and those that start with `#` are for people.
func configureOptions(_ text: String) -> [String] {
  text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.hasPrefix("#") }
}
