import Foundation
import SystemPackage
import Target
import Workshop

/// The TLS and cryptography library, static only and with what tyd needs: `lib/libssl.a`, `lib/libcrypto.a` and
/// `include/openssl`. One program links it, so it stands beside the C library and not in it.
struct OpenSSL: Sendable {
  let compiler: CrossCompiler
  let sources: Sources
  let musl: Part
  /// The checkout's `sysroot`.
  let recipes: FilePath

  func prepared(in parts: PartCache, _ progress: Progress) async throws -> Part {
    let options = configureOptions(
      String(decoding: try contents(of: recipes.appending("openssl.options")), as: UTF8.self))
    let hash = recipeHash([
      ("recipe", "1"), ("source", sources.identity("openssl")), ("compiler", compiler.recipe),
      ("musl", musl.hash.description),
      ("options", (compiler.target.opensslTarget + options).joined(separator: "\n")),
    ])
    return try await parts.part("openssl", "OpenSSL \(sources.version("openssl"))", hash, progress) { part, work, log in
      let source = work.appending("source")
      try await unpack(try sources.file("openssl", ".dsc"), to: source, log: log)
      try await tool(
        "perl", ["Configure"] + compiler.target.opensslTarget + options + makeVariables, in: source
      ).run(log: log)
      // The date that `OpenSSL_version` would tell: equal inputs give equal bytes.
      let environment = ["SOURCE_DATE_EPOCH": "0"]
      try await tool("make", [parallelJobs, "build_libs"], in: source, environment: environment).run(log: log)
      try makeFolder(part.appending("lib"))
      for library in ["libcrypto.a", "libssl.a"] {
        try move(source.appending(library), to: part.appending("lib").appending(library))
      }
      try makeFolder(part.appending("include"))
      try await tool(
        "cp", ["-R", source.appending("include/openssl").string, part.appending("include").string]
      ).run(log: log)
    }
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
